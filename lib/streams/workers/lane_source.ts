import type { Drain } from '../../drain.js';
import { StrandHeaderError } from '../../errors.js';
import { END, NONE } from '../chunk_source.js';
import { worthReleasing } from '../strand_source.js';
import type { Taker } from '../taker.js';
import type { Lane } from './lane.js';

/** What one worker gives: chunks up to a position, and where its present write's results end. */
export class LaneSource<T> {
  readonly lane: Lane;
  readonly #drain: Drain;
  readonly #taker: Taker<T>;
  readonly #receipts: Drain | undefined;
  #committed = 0;
  /** Records that are released together. */
  #portion = 1;

  constructor(lane: Lane, taker: Taker<T>) {
    this.lane = lane;
    this.#taker = taker;
    this.#drain = lane.view.drain();
    this.#receipts = lane.receipts?.drain();
  }

  /** The first record that no chunk holds. */
  get next(): number {
    return this.#taker.next;
  }

  /** Position of the receipt that comes next. */
  get nextReceipt(): number {
    return this.#receipts?.seq ?? 0;
  }

  /** The next chunk. */
  take(): T | typeof NONE | typeof END {
    for (;;) {
      const chunk = this.takeSeen();
      if (chunk !== NONE) return chunk;
      const { next } = this.#taker;
      const committed = this.#drain.look(next);
      if (committed === undefined) return NONE;
      if (committed === next) return END;
      this.#see(committed);
    }
  }

  /** What is committed now, as `takeSeen` sees it. */
  look(): void {
    this.#see(this.#drain.look(this.#taker.next) ?? this.#committed);
  }

  /** The next chunk of what the last look has shown, of records before `end`. */
  takeSeen(end = this.#committed): T | typeof NONE {
    const taker = this.#taker;
    while (taker.next < end) {
      const chunk = taker.take(end);
      if (chunk !== NONE) return chunk;
    }
    return NONE;
  }

  /** Where the results of the oldest unfinished write end, all of which are seen then; undefined while it is under way. */
  takeReceipt(): number | undefined {
    const receipts = this.#receipts;
    const { receipts: view } = this.lane;
    if (receipts === undefined || view === undefined) return undefined;
    const { seq } = receipts;
    const committed = receipts.look();
    if (committed === undefined || committed === seq) return undefined;
    const [end = 0] = view.readColumn('end', seq, seq + 1);
    receipts.release(seq + 1);
    // Results are committed before their receipt, some of them behind the last look.
    if (end > this.#committed) this.look();
    if (end > this.#committed) {
      throw new StrandHeaderError(
        `a worker says that results end at record ${end}, and its ring has ${this.#committed}`,
      );
    }
    return end;
  }

  #see(committed: number): void {
    if (committed === this.#committed) return;
    this.#committed = committed;
    this.#portion = worthReleasing(committed - this.#drain.seq);
  }

  releasePart(): void {
    if (this.#taker.next - this.#drain.seq >= this.#portion) this.release();
  }

  release(): void {
    if (this.#taker.next > this.#drain.seq) this.#drain.release(this.#taker.next);
  }
}
