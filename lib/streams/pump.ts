import type { Readable } from 'node:stream';
import { type ChunkSource, END, NONE } from './chunk_source.js';
import { Turns } from './turns.js';

/** After so many chunks it looks whether others are due. */
const CHUNKS_BETWEEN_LOOKS = 16;

export interface PumpOptions<T> {
  readonly source: Pick<ChunkSource<T>, 'take' | 'release' | 'releasePart' | 'wait'>;
  /** Chunks are given back when the stream is asked for the next. */
  readonly zeroCopy: boolean;
  /** Waits likewise, blocking the thread; undefined where that must not be. */
  readonly waitSync: (() => void) | undefined;
  /** Takes the source's error, once the stream holds no chunk that came before it. */
  readonly fail: (error: Error) => void;
}

/** Pushes the chunks of a source into a readable while that wants more. One wait is pending at most. */
export class Pump<T> {
  readonly #stream: Readable;
  readonly #source: PumpOptions<T>['source'];
  readonly #zeroCopy: boolean;
  readonly #waitSync: (() => void) | undefined;
  readonly #fail: (error: Error) => void;
  readonly #cancel = new AbortController();
  #ended = false;
  /** What the stream ends with once what came before it is read. */
  #failure: Error | undefined;
  /** The stream has asked for more than it was given. */
  #wanted = false;
  #working = false;
  #waiting = false;
  #nextTurn: NodeJS.Immediate | undefined;
  readonly #turns = new Turns();
  /** Chunks pushed since this turn of the event loop began. */
  #pushed = 0;
  /** Chunks that may be in use: those that were unread when the stream was last asked, and those that came since. */
  #kept = 0;

  constructor(stream: Readable, { source, zeroCopy, waitSync, fail }: PumpOptions<T>) {
    this.#stream = stream;
    this.#source = source;
    this.#zeroCopy = zeroCopy;
    this.#waitSync = waitSync;
    this.#fail = fail;
  }

  /** Whether the last chunk was pushed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What the stream's `_read` calls. */
  read(): void {
    this.#wanted = true;
    this.#work();
  }

  /** In front of the stream's `read(size)`: who asks has finished with the chunks before. With 0 it is the base class. */
  asked(size: number | undefined): void {
    if (!this.#zeroCopy || size === 0 || this.#stream.destroyed) return;
    this.#kept = this.#stream.readableLength;
    // What it waits for may need the room of what was given.
    if (this.#waiting) this.#source.release(this.#kept);
    else this.#source.releasePart(this.#kept);
  }

  /** Behind the stream's `read`. */
  given(): void {
    if (this.#failure !== undefined) this.#failOnceRead(this.#failure);
  }

  /** Ends the wait. Behind the end of the stream nobody holds a chunk any more. */
  stop(): void {
    clearImmediate(this.#nextTurn);
    this.#cancel.abort();
    if (this.#ended) this.#source.release(0);
  }

  /** `push` may ask for more in its midst, or destroy the stream. */
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

  /** Tells of what is wrong behind the chunks that the stream still holds: destroying it would discard them. */
  #failOnceRead(error: Error): void {
    this.#failure = error;
    if (this.#stream.readableLength > 0) return;
    // Not in the midst of the call that gives the last chunk out.
    process.nextTick(() => this.#fail(error));
  }

  #pushWhatIsThere(): void {
    const stream = this.#stream;
    while (this.#wanted && !stream.destroyed) {
      this.#giveBack(false);
      const chunk = this.#source.take();
      if (chunk === END) {
        this.#ended = true;
        this.#wanted = false;
        stream.push(null);
      } else if (chunk === NONE) {
        this.#giveBack(true);
        if (!this.#awaitMore()) return;
      } else {
        this.#wanted = false;
        this.#kept++;
        if (stream.push(chunk)) this.#wanted = true;
        if (this.#turnIsOver()) {
          this.#goOnNextTurn();
          return;
        }
      }
    }
  }

  /** @param all also what is so little that the producer can wait for it */
  #giveBack(all: boolean): void {
    // A listener that was given a chunk at once has finished with it; of others it is known when they ask for the next.
    if (this.#zeroCopy && this.#stream.readableFlowing) this.#kept = this.#stream.readableLength;
    const kept = this.#zeroCopy ? this.#kept : 0;
    if (all) this.#source.release(kept);
    else this.#source.releasePart(kept);
  }

  /** Has the stream go on once there is more. @returns whether the thread has slept, so that there may be now */
  #awaitMore(): boolean {
    if (this.#waitSync === undefined || this.#isHeld) {
      this.#wait();
      return false;
    }
    // What was pushed comes to who is to receive it, and that to its end, before the thread sleeps.
    if (this.#pushed > 0) {
      this.#goOnNextTurn();
      return false;
    }
    this.#waitSync();
    return true;
  }

  /** Somebody has chunks at hand, for whom a blocked thread would be no help. */
  get #isHeld(): boolean {
    return this.#stream.readableLength > 0 || (this.#zeroCopy && !this.#stream.readableFlowing);
  }

  #turnIsOver(): boolean {
    this.#pushed++;
    if (this.#waitSync !== undefined || this.#pushed % CHUNKS_BETWEEN_LOOKS !== 0) return false;
    return this.#turns.over;
  }

  #beginTurn(): void {
    this.#pushed = 0;
    this.#turns.begin();
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
        if (!this.#stream.destroyed) this.#failOnceRead(error);
      },
    );
  }
}
