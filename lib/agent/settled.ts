import type { Span } from './span.js';

/** What of a log is done with: everything before a cursor, and some stretches beyond it. */
export class Settled {
  #upTo: number;
  /** In order, none touching another. */
  readonly #beyond: Span[] = [];

  constructor(upTo: number, beyond: Iterable<Span> = []) {
    this.#upTo = upTo;
    for (const span of beyond) this.add(span);
  }

  get upTo(): number {
    return this.#upTo;
  }

  get beyond(): readonly Span[] {
    return this.#beyond;
  }

  /** Behind it nothing is. */
  get end(): number {
    return this.#beyond.at(-1)?.[1] ?? this.#upTo;
  }

  /** Whether the frame that begins at a cursor is done with. */
  has(cursor: number): boolean {
    if (cursor < this.#upTo) return true;
    const span = this.#beyond[this.#firstEndingAt(cursor + 1)];
    return span !== undefined && span[0] <= cursor;
  }

  add([from, to]: Span): void {
    const beyond = this.#beyond;
    const at = this.#firstEndingAt(from);
    let [start, end] = [from, to];
    let taken = 0;
    for (let next = beyond[at]; next !== undefined && next[0] <= end; next = beyond[at + taken]) {
      start = Math.min(start, next[0]);
      end = Math.max(end, next[1]);
      taken++;
    }
    beyond.splice(at, taken, [start, end]);
    const [first] = beyond;
    if (first !== undefined && first[0] <= this.#upTo) {
      this.#upTo = Math.max(this.#upTo, first[1]);
      beyond.shift();
    }
  }

  /** Index of the first stretch that ends at a cursor or behind it. */
  #firstEndingAt(cursor: number): number {
    let low = 0;
    let high = this.#beyond.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#beyond[middle] as Span)[1] < cursor) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
