import { Readable } from 'node:stream';
import type { ChunkSource } from './chunk_source.js';
import { heed } from './modes.js';
import { Pump } from './pump.js';
import { reasonOf } from './reason.js';
import { openSource, type SABReadableOptions } from './source_options.js';
import type { StreamStats } from './stream_stats.js';

/**
 * A `Readable` of what another thread writes into a ring.
 *
 * Reading stops when `push()` says so; then the ring fills, and the producer waits. What is pushed belongs to the receiver
 * unless `zeroCopy` says otherwise. What was written before an error is delivered before it. A stream that is destroyed
 * before its end stops the producer with the reason, unless other consumers are registered.
 */
export class SABReadable<T = unknown> extends Readable {
  readonly #source: ChunkSource<T>;
  readonly #pump: Pump<T>;

  /**
   * @throws StrandHeaderError the buffer holds no valid strand, or one of another schema
   * @throws TypeError, RangeError options that do not exist, or do not go together or with the strand's fields
   */
  constructor(options: SABReadableOptions) {
    const { source, zeroCopy, blocking, signal, stream } = openSource<T>(options);
    super(stream);
    this.#source = source;
    this.#pump = new Pump<T>(this, {
      source,
      zeroCopy,
      waitSync: blocking ? () => source.waitSync() : undefined,
      fail: (error) => this.destroy(error),
    });
    heed(signal, this);
  }

  /** What has gone through the ring, and who waited for whom. */
  stats(): StreamStats {
    return this.#source.stats();
  }

  override read(size?: number): T | null {
    this.#pump.asked(size);
    const chunk = super.read(size) as T | null;
    this.#pump.given();
    return chunk;
  }

  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<T> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<T>;
  }

  override _read(): void {
    this.#pump.read();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    let problem: unknown = error;
    try {
      this.#pump.stop();
      const reason = error === null ? 'the reader was destroyed before the end' : reasonOf(error);
      this.#source.close(this.#pump.ended ? undefined : reason);
    } catch (thrown) {
      problem ??= thrown;
    }
    callback(problem as Error | null);
  }
}
