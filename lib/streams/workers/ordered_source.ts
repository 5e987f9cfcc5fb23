import { END, NONE } from '../chunk_source.js';
import type { Lane } from './lane.js';
import type { LaneSource } from './lane_source.js';
import { LaneWaits } from './lane_waits.js';

/**
 * What several workers give, in the order of the writes.
 *
 * The oldest write's worker alone is read. It publishes the results of a write, then their receipt, and only then those of
 * its next write: so while there is no receipt behind a look at the results, all of them belong to this write.
 */
export class OrderedSource<T> {
  readonly #waits = new LaneWaits();
  readonly #sources: ReadonlyMap<Lane, LaneSource<T>>;
  /** Workers of the writes whose results are not all read, the oldest first. */
  #order: Lane[] = [];
  #oldest = 0;
  /** Where the oldest write's results end, once that is known. */
  #end: number | undefined;
  #finished = false;

  constructor(sources: readonly LaneSource<T>[]) {
    this.#sources = new Map(sources.map((source) => [source.lane, source]));
  }

  /** A write has gone to this worker. */
  add(lane: Lane): void {
    this.#order.push(lane);
    this.#waits.poke();
  }

  /** There will be no more writes. */
  finish(): void {
    this.#finished = true;
    this.#waits.poke();
  }

  take(): T | typeof NONE | typeof END {
    for (;;) {
      const source = this.#source;
      if (source === undefined) return this.#finished ? END : NONE;
      if (this.#end === undefined) {
        source.look();
        this.#end = source.takeReceipt();
      }
      const chunk = source.takeSeen(this.#end);
      if (chunk !== NONE) return chunk;
      if (this.#end === undefined) return NONE;
      source.release();
      this.#end = undefined;
      this.#shift();
    }
  }

  release(): void {
    this.#source?.release();
  }

  releasePart(): void {
    this.#source?.releasePart();
  }

  wait(signal: AbortSignal): Promise<void> {
    const source = this.#source;
    if (source === undefined) return this.#waits.first([], signal);
    const { lane, next, nextReceipt } = source;
    const { receipts } = lane;
    return this.#waits.first(
      receipts === undefined
        ? [[lane.view, next]]
        : [
            [lane.view, next],
            [receipts, nextReceipt],
          ],
      signal,
    );
  }

  get #source(): LaneSource<T> | undefined {
    const lane = this.#order[this.#oldest];
    return lane && this.#sources.get(lane);
  }

  #shift(): void {
    // A queue in an array: what was taken is cut off when it is half of it.
    if (++this.#oldest * 2 < this.#order.length) return;
    this.#order = this.#order.slice(this.#oldest);
    this.#oldest = 0;
  }
}
