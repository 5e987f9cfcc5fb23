import type { Drain } from '../drain.js';
import type { StrandView } from '../view.js';
import { type ChunkSource, END, NONE } from './chunk_source.js';
import { type StreamStats, statsOfView } from './stream_stats.js';
import type { Taker } from './taker.js';

export interface StrandSourceOptions<T> {
  readonly view: StrandView;
  readonly drain: Drain;
  readonly taker: Taker<T>;
  /** Chunks are views of the shared memory, whose room the caller gives back. */
  readonly zeroCopy: boolean;
  /** Whether the view ends with the source. */
  readonly ownsView: boolean;
}

/**
 * Half of what is there: a producer that waits for room is woken once for it, which costs about as much as copying 1 MiB,
 * and fills it while the other half is read.
 */
const RELEASED_PART = 2;

/** How many of so many records are worth giving back. */
export function worthReleasing(records: number): number {
  return Math.ceil(records / RELEASED_PART);
}

/** Chunks of a strand. */
export class StrandSource<T> implements ChunkSource<T> {
  readonly #view: StrandView;
  readonly #drain: Drain;
  readonly #taker: Taker<T>;
  readonly #ownsView: boolean;
  /** Where the chunks end that are views and are not given back. */
  readonly #ends: number[] | undefined;
  #committed: number;
  /** Records that are released together. */
  #portion = 1;

  constructor({ view, drain, taker, zeroCopy, ownsView }: StrandSourceOptions<T>) {
    this.#view = view;
    this.#drain = drain;
    this.#taker = taker;
    this.#ownsView = ownsView;
    this.#ends = zeroCopy ? [] : undefined;
    taker.next = drain.seq;
    this.#committed = drain.seq;
    view.guard(true);
  }

  take(): T | typeof NONE | typeof END {
    const taker = this.#taker;
    for (;;) {
      if (taker.next < this.#committed) {
        const chunk = taker.take(this.#committed);
        if (chunk === NONE) continue;
        this.#ends?.push(taker.next);
        return chunk;
      }
      const committed = this.#drain.look(taker.next);
      if (committed === undefined) return NONE;
      // A stream that was reset before anything of it was read is another one now.
      taker.next = Math.max(taker.next, this.#drain.seq);
      if (committed <= taker.next) return END;
      this.#committed = committed;
      this.#portion = worthReleasing(committed - this.#drain.seq);
    }
  }

  release(kept: number): void {
    this.#release(kept, 1);
  }

  releasePart(kept: number): void {
    this.#release(kept, this.#portion);
  }

  #release(kept: number, least: number): void {
    const ends = this.#ends;
    const { seq } = this.#drain;
    const upTo = ends === undefined ? this.#taker.next : (ends[ends.length - kept - 1] ?? seq);
    if (upTo < seq + least) return;
    ends?.splice(0, ends.length - kept);
    this.#drain.release(upTo);
  }

  wait(signal: AbortSignal): Promise<unknown> {
    return this.#view.waitForCommit(this.#taker.next, { signal });
  }

  waitSync(): void {
    this.#view.waitForCommitSync(this.#taker.next);
  }

  close(reason: string | undefined): void {
    this.#view.guard(false);
    try {
      if (reason === undefined) this.#drain.close();
      else this.#drain.abandon(reason);
    } finally {
      if (this.#ownsView) this.#view.close();
    }
  }

  stats(): StreamStats {
    return statsOfView(this.#view);
  }
}
