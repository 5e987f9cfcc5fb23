import { Readable } from 'node:stream';
import { type ChunkSource, END, NONE } from './chunk_source.js';
import { openSource, type SABReadableOptions } from './source_options.js';
import type { StreamStats } from './stream_stats.js';

/** A turn of the event loop gives way to others after this time; it is looked at after so many chunks. */
const TURN_MILLIS = 5;
const CHUNKS_BETWEEN_LOOKS = 16;

/**
 * A `Readable` of what another thread writes into a ring.
 *
 * Reading stops when `push()` says so; then the ring fills, and the producer waits. What is pushed belongs to the receiver
 * unless `zeroCopy` says otherwise. What was written before an error is delivered before it. A stream that is destroyed
 * before its end stops the producer with the reason, unless other consumers are registered.
 */
export class SABReadable<T = unknown> extends Readable {
  readonly #source: ChunkSource<T>;
  readonly #zeroCopy: boolean;
  readonly #blocking: boolean;
  readonly #cancel = new AbortController();
  #ended = false;
  /** The stream has asked for more than it was given. */
  #wanted = false;
  #working = false;
  #waiting = false;
  #nextTurn: NodeJS.Immediate | undefined;

  /**
   * @throws StrandHeaderError the buffer holds no valid strand, or one of another schema
   * @throws TypeError options that do not go together, or with the strand's fields
   */
  constructor(options: SABReadableOptions) {
    const { source, zeroCopy, blocking, stream } = openSource<T>(options);
    super(stream);
    this.#source = source;
    this.#zeroCopy = zeroCopy;
    this.#blocking = blocking;
  }

  /** What has gone through the ring, and who waited for whom. */
  stats(): StreamStats {
    return this.#source.stats();
  }

  /** Asking for a chunk means being done with those before it. */
  override read(size?: number): T | null {
    if (this.#zeroCopy && !this.destroyed) this.#source.release(this.readableLength);
    return super.read(size) as T | null;
  }

  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<T> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<T>;
  }

  override _read(): void {
    this.#wanted = true;
    this.#work();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearImmediate(this.#nextTurn);
    this.#cancel.abort();
    let problem: unknown = error;
    try {
      if (this.#ended) this.#source.release(0);
      this.#source.close(
        this.#ended ? undefined : (error?.message ?? 'the reader was destroyed before the end'),
      );
    } catch (thrown) {
      problem ??= thrown;
    }
    callback(problem as Error | null);
  }

  /** Pushes what is there while the stream wants more. `push` may ask for more in its midst, or destroy the stream. */
  #work(): void {
    if (this.#working || this.#waiting || this.#nextTurn !== undefined) return;
    this.#working = true;
    try {
      this.#pushWhatIsThere();
    } catch (error) {
      this.destroy(error as Error);
    } finally {
      this.#working = false;
    }
  }

  #pushWhatIsThere(): void {
    const turnEnds = performance.now() + TURN_MILLIS;
    let pushed = 0;
    while (this.#wanted && !this.destroyed) {
      // A listener that was given a chunk at once has finished with it.
      if (this.#zeroCopy && this.readableFlowing) this.#source.release(this.readableLength);
      const chunk = this.#source.take();
      if (chunk === END) {
        this.#ended = true;
        this.#wanted = false;
        if (!this.#zeroCopy) this.#source.release(0);
        this.push(null);
        return;
      }
      if (chunk === NONE) {
        if (!this.#zeroCopy) this.#source.release(0);
        if (this.#blocking) this.#source.waitSync();
        else {
          this.#wait();
          return;
        }
        continue;
      }
      this.#wanted = false;
      if (this.push(chunk)) this.#wanted = true;
      if (++pushed % CHUNKS_BETWEEN_LOOKS === 0 && !this.#blocking && performance.now() > turnEnds) {
        this.#nextTurn = setImmediate(() => {
          this.#nextTurn = undefined;
          this.#work();
        });
        break;
      }
    }
    if (!this.#zeroCopy && !this.destroyed) this.#source.release(0);
  }

  #wait(): void {
    this.#waiting = true;
    this.#source.wait(this.#cancel.signal).then(
      () => {
        this.#waiting = false;
        this.#work();
      },
      (error: Error) => {
        this.#waiting = false;
        if (!this.destroyed) this.destroy(error);
      },
    );
  }
}
