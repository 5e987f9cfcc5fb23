// @ts-check

/** Bins of the histogram; even, since neighbours are merged in pairs. */
const BINS = 64;
const LEVELS = ' ▁▂▃▄▅▆▇█';

/**
 * A histogram of values whose range is not known beforehand: its bins double in width whenever a value lies outside.
 */
export class GrowingHistogram {
  #counts = new Float64Array(BINS);
  /** Of the first value, until another one tells how wide bins should be. */
  #equal = 0;
  #low = 0;
  #width = 0;

  /** @param {number} value a finite number */
  add(value) {
    if (this.#width === 0) {
      if (this.#equal === 0 || value === this.#low) {
        this.#low = value;
        this.#equal += 1;
        return;
      }
      this.#begin(value);
    }
    while (value >= this.#low + this.#width * BINS) this.#mergeUp();
    while (value < this.#low) this.#mergeDown();
    this.#count(value, 1);
  }

  /**
   * @param {number} columns of the terminal
   * @returns {string} from the first bin to the last that have any, a character for one or several
   */
  draw(columns) {
    if (this.#width === 0) return '█';
    const filled = (/** @type {number} */ count) => count > 0;
    const first = this.#counts.findIndex(filled);
    let bins = Array.from(this.#counts.subarray(first, this.#counts.findLastIndex(filled) + 1));
    while (bins.length > columns) {
      bins = Array.from(
        { length: Math.ceil(bins.length / 2) },
        (_, at) => (bins[2 * at] ?? 0) + (bins[2 * at + 1] ?? 0),
      );
    }
    const most = Math.max(...bins);
    const top = LEVELS.length - 1;
    return bins.map((count) => LEVELS[Math.ceil((count / most) * top)]).join('');
  }

  /** @param {number} value @param {number} times */
  #count(value, times) {
    const bin = this.#binOf(value);
    this.#counts[bin] = (this.#counts[bin] ?? 0) + times;
  }

  /** @param {number} value */
  #binOf(value) {
    return Math.max(0, Math.min(BINS - 1, Math.floor((value - this.#low) / this.#width) || 0));
  }

  /** @param {number} other the first value that differs from those before */
  #begin(other) {
    const first = this.#low;
    this.#low = Math.min(first, other);
    this.#width = Math.max(Math.abs(other - first) / (BINS / 2), Number.MIN_VALUE);
    this.#count(first, this.#equal);
  }

  #mergeUp() {
    const old = this.#counts;
    this.#counts = Float64Array.from(old, (_, at) => (old[2 * at] ?? 0) + (old[2 * at + 1] ?? 0));
    this.#width *= 2;
  }

  #mergeDown() {
    const half = BINS / 2;
    const old = this.#counts;
    this.#low -= this.#width * BINS;
    this.#counts = Float64Array.from(old, (_, at) =>
      at < half ? 0 : (old[2 * (at - half)] ?? 0) + (old[2 * (at - half) + 1] ?? 0),
    );
    this.#width *= 2;
  }
}
