import type { Readable } from 'node:stream';
import { type ChunkSource, END, NONE } from './chunk_source.js';

/** A turn of the event loop gives way to others after this time; it is looked at after so many chunks. */
const TURN_MILLIS = 5;
const CHUNKS_BETWEEN_LOOKS = 16;

export interface PumpOptions<T> {
  readonly source: Pick<ChunkSource<T>, 'take' | 'release' | 'releasePart' | 'wait'>;
  /** Chunks are given back when the stream is asked for the next. */
  readonly zeroCopy: boolean;
  /** Waits likewise, blocking the thread; undefined where that must not be. */
  readonly waitSync: (() => void) | undefined;
  /** Takes the source's error. */
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
  /** The stream has asked for more than it was given. */
  #wanted = false;
  #working = false;
  #waiting = false;
  #nextTurn: NodeJS.Immediate | undefined;

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

  /** Whoever asks the stream for a chunk has finished with those before it. */
  asked(): void {
    if (!this.#zeroCopy || this.#stream.destroyed) return;
    // What it waits for may need the room of what was given.
    if (this.#waiting) this.#source.release(this.#stream.readableLength);
    else this.#source.releasePart(this.#stream.readableLength);
  }

  /** Ends the wait. Behind the end of the stream nobody holds a chunk any more. */
  stop(): void {
    clearImmediate(this.#nextTurn);
    this.#cancel.abort();
    if (this.#ended) this.#source.release(0);
  }

  /** `push` may ask for more in its midst, or destroy the stream. */
  #work(): void {
    if (this.#working || this.#waiting || this.#nextTurn !== undefined) return;
    this.#working = true;
    try {
      this.#pushWhatIsThere();
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#working = false;
    }
  }

  #pushWhatIsThere(): void {
    const stream = this.#stream;
    const source = this.#source;
    const turnEnds = performance.now() + TURN_MILLIS;
    for (let pushed = 1; this.#wanted && !stream.destroyed; pushed++) {
      this.#giveBack(false);
      const chunk = source.take();
      if (chunk === END) {
        this.#ended = true;
        this.#wanted = false;
        stream.push(null);
      } else if (chunk !== NONE) {
        this.#wanted = false;
        if (stream.push(chunk)) this.#wanted = true;
        if (
          pushed % CHUNKS_BETWEEN_LOOKS !== 0 ||
          this.#waitSync !== undefined ||
          performance.now() < turnEnds
        )
          continue;
        this.#nextTurn = setImmediate(() => {
          this.#nextTurn = undefined;
          this.#work();
        });
        break;
      } else if (this.#waitSync !== undefined) {
        this.#giveBack(true);
        this.#waitSync();
      } else {
        this.#giveBack(true);
        this.#wait();
        break;
      }
    }
  }

  /** @param all also what is so little that the producer can wait for it */
  #giveBack(all: boolean): void {
    // A listener that was given a chunk at once has finished with it; of others it is known when they ask for the next.
    if (this.#zeroCopy && !this.#stream.readableFlowing) return;
    const kept = this.#zeroCopy ? this.#stream.readableLength : 0;
    if (all) this.#source.release(kept);
    else this.#source.releasePart(kept);
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
        if (!this.#stream.destroyed) this.#fail(error);
      },
    );
  }
}
