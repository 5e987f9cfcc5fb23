// @ts-check

import { formatNumber } from './format.mjs';
import { GrowingHistogram } from './growing_histogram.mjs';

/** Range, mean and distribution of numbers. */
export class NumberSummary {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  #mean = 0;
  #histogram = new GrowingHistogram();

  /** @param {number} value */
  add(value) {
    this.count += 1;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    // A running mean: a sum could overflow.
    this.#mean += value / this.count - this.#mean / this.count;
    if (Number.isFinite(value)) this.#histogram.add(value);
  }

  /**
   * @param {number} columns of the terminal
   * @returns {string[]}
   */
  draw(columns) {
    const range = `${formatNumber(this.min)} to ${formatNumber(this.max)}, mean ${formatNumber(this.#mean)}`;
    return [`  ${range}`, `  ${this.#histogram.draw(columns - 2)}`];
  }
}
