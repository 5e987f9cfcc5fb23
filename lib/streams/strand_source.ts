import type { Drain } from '../drain.js';
import type { StrandView } from '../view.js';
import { type ChunkSource, END, NONE } from './chunk_source.js';
import type { StreamStats } from './stream_stats.js';
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

/** A part of what is there: a producer that waits for room is not woken for each chunk, nor only when all is read. */
const RELEASED_PART = 8;

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
        if (this.#ends === undefined && taker.next - this.#drain.seq >= this.#portion) this.release(0);
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
    const ends = this.#ends;
    let upTo = this.#taker.next;
    if (ends !== undefined) {
      const [last] = ends.splice(0, ends.length - kept).slice(-1);
      if (last === undefined) return;
      upTo = last;
    }
    if (upTo > this.#drain.seq) this.#drain.release(upTo);
  }

  wait(signal: AbortSignal): Promise<unknown> {
    return this.#view.waitForCommit(this.#taker.next, { signal });
  }

  waitSync(): void {
    this.#view.waitForCommitSync(this.#taker.next);
  }

  close(reason: string | undefined): void {
    this.#view.guard(false);
    if (reason === undefined) this.#drain.close();
    else this.#drain.abandon(reason);
    if (this.#ownsView) this.#view.close();
  }

  stats(): StreamStats {
    const { recordsProduced, producerStalls, consumerWaits, queueDepth } = this.#view.stats();
    return {
      produced: recordsProduced,
      consumed: recordsProduced - queueDepth,
      producerWaits: producerStalls,
      consumerWaits,
      queueDepth,
    };
  }
}
