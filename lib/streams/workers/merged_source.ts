import { END, NONE } from '../chunk_source.js';
import type { LaneSource } from './lane_source.js';
import { LaneWaits } from './lane_waits.js';

/** What all workers give, as it comes, each in turn. */
export class MergedSource<T> {
  readonly #waits = new LaneWaits();
  #open: LaneSource<T>[];
  #turn = 0;

  constructor(lanes: readonly LaneSource<T>[]) {
    this.#open = [...lanes];
  }

  take(): T | typeof NONE | typeof END {
    for (let tried = 0; tried < this.#open.length; ) {
      this.#turn %= this.#open.length;
      const source = this.#open[this.#turn] as LaneSource<T>;
      const chunk = source.take();
      if (chunk === END) {
        source.release();
        this.#open = this.#open.filter((other) => other !== source);
        continue;
      }
      this.#turn++;
      if (chunk !== NONE) return chunk;
      tried++;
    }
    return this.#open.length === 0 ? END : NONE;
  }

  release(): void {
    for (const source of this.#open) source.release();
  }

  releasePart(): void {
    for (const source of this.#open) source.releasePart();
  }

  wait(signal: AbortSignal): Promise<void> {
    return this.#waits.first(
      this.#open.map(({ lane, next }) => [lane.view, next] as const),
      signal,
    );
  }
}
