import { Writable } from 'node:stream';
import type { ChunkSink } from './chunk_sink.js';
import { heed } from './modes.js';
import { reasonOf } from './reason.js';
import { openSink, type SABWritableOptions } from './sink_options.js';
import type { StreamStats } from './stream_stats.js';

type Callback = (error?: Error | null) => void;

/**
 * A `Writable` whose chunks another thread reads from a ring.
 *
 * A write's callback comes when its data is in the ring, so the source pauses while the ring is full. Writes that have
 * gathered meanwhile are published together. A value that does not fit fails its write; what came before it is in the ring.
 * A stream that is destroyed before its end gives the readers an error with the reason, and readers that stop destroy the
 * stream with theirs.
 */
export class SABWritable<T = unknown> extends Writable {
  readonly #sink: ChunkSink<T>;
  #finished = false;

  /**
   * @throws StrandHeaderError the buffer holds no valid strand, or one of another schema
   * @throws StrandBusyError the strand has a writer that was filling slots for a whole second
   * @throws TypeError, RangeError options that do not exist, or do not go together or with the strand's fields
   */
  constructor(options: SABWritableOptions) {
    const { sink, signal, stream } = openSink<T>(options);
    super(stream);
    this.#sink = sink;
    heed(signal, this);
    if (!this.destroyed) sink.watch((error) => this.destroy(error));
  }

  /** What has gone through the ring, and who waited for whom. */
  stats(): StreamStats {
    return this.#sink.stats();
  }

  override _write(chunk: T, _encoding: BufferEncoding, callback: Callback): void {
    // Without a closure: this is the path of every chunk that finds room.
    let written: Promise<void> | undefined;
    try {
      written = this.#sink.write(chunk);
    } catch (error) {
      callback(error as Error);
      return;
    }
    if (written === undefined) callback();
    else written.then(() => callback(), callback);
  }

  override _writev(chunks: { chunk: T; encoding: BufferEncoding }[], callback: Callback): void {
    this.#sink.writeAll(chunks.map(({ chunk }) => chunk)).then(() => callback(), callback);
  }

  override _final(callback: Callback): void {
    try {
      this.#sink.finish();
      this.#finished = true;
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    let problem: unknown = error;
    try {
      this.#sink.close(
        this.#finished
          ? undefined
          : error === null
            ? 'the writer was destroyed before its end'
            : reasonOf(error),
      );
    } catch (thrown) {
      problem ??= thrown;
    }
    callback(problem as Error | null);
  }
}
