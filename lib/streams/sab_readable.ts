import { addAbortSignal, Readable } from 'node:stream';
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
  /** What the stream ends with once what came before it is read. */
  #failure: Error | undefined;
  /** The stream has asked for more than it was given. */
  #wanted = false;
  #working = false;
  #waiting = false;
  #nextTurn: NodeJS.Immediate | undefined;
  /** Chunks pushed since this turn of the event loop began, and when it has to end. */
  #pushed = 0;
  #turnEnds = 0;

  /**
   * @throws StrandHeaderError the buffer holds no valid strand, or one of another schema
   * @throws TypeError options that do not go together, or with the strand's fields
   */
  constructor(options: SABReadableOptions) {
    const { source, zeroCopy, blocking, signal, stream } = openSource<T>(options);
    super(stream);
    this.#source = source;
    this.#zeroCopy = zeroCopy;
    this.#blocking = blocking;
    // Not by the base class: a signal that is aborted already destroys the stream, which has to be one by then.
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  /** What has gone through the ring, and who waited for whom. */
  stats(): StreamStats {
    return this.#source.stats();
  }

  /** Asking for a chunk means being done with those before it. With 0 it is the base class that looks for more. */
  override read(size?: number): T | null {
    if (this.#zeroCopy && size !== 0 && !this.destroyed) this.#source.release(this.readableLength);
    const chunk = super.read(size) as T | null;
    if (this.#failure !== undefined) this.#failOnceRead(this.#failure);
    return chunk;
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
    if (this.#working || this.#waiting || this.#nextTurn !== undefined || this.#failure !== undefined) return;
    this.#working = true;
    try {
      this.#pushWhatIsThere();
    } catch (error) {
      this.#failOnceRead(error as Error);
    } finally {
      this.#working = false;
    }
  }

  /** Destroys the stream with what is wrong behind the chunks that it still holds: destroying it would discard them. */
  #failOnceRead(error: Error): void {
    this.#failure = error;
    if (this.readableLength > 0) return;
    // Not in the midst of the call that gives the last chunk out.
    process.nextTick(() => this.destroy(error));
  }

  #pushWhatIsThere(): void {
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
        if (this.#awaitMore()) continue;
        return;
      }
      this.#wanted = false;
      if (this.push(chunk)) this.#wanted = true;
      if (
        ++this.#pushed % CHUNKS_BETWEEN_LOOKS === 0 &&
        !this.#blocking &&
        performance.now() > this.#turnEnds
      ) {
        this.#goOnNextTurn();
        break;
      }
    }
    if (!this.#zeroCopy && !this.destroyed) this.#source.release(0);
  }

  /** Has the stream go on once there is more. @returns whether the thread has slept, so that there may be now */
  #awaitMore(): boolean {
    if (!this.#blocking || this.#isHeld) {
      this.#wait();
      return false;
    }
    // What was pushed comes to who is to receive it, and that to its end, before the thread sleeps.
    if (this.#pushed > 0) {
      this.#goOnNextTurn();
      return false;
    }
    this.#source.waitSync();
    return true;
  }

  /** Somebody has chunks at hand, for whom a blocked thread would be no help. */
  get #isHeld(): boolean {
    return this.readableLength > 0 || (this.#zeroCopy && !this.readableFlowing);
  }

  #beginTurn(): void {
    this.#pushed = 0;
    this.#turnEnds = performance.now() + TURN_MILLIS;
  }

  #goOnNextTurn(): void {
    this.#nextTurn = setImmediate(() => {
      this.#nextTurn = undefined;
      this.#beginTurn();
      this.#work();
    });
  }

  #wait(): void {
    this.#waiting = true;
    this.#source.wait(this.#cancel.signal).then(
      () => {
        this.#waiting = false;
        this.#beginTurn();
        this.#work();
      },
      (error: Error) => {
        this.#waiting = false;
        if (!this.destroyed) this.#failOnceRead(error);
      },
    );
  }
}
