// @ts-check

import { drawBars } from './bars.mjs';
import { formatCount } from './format.mjs';

/** How often true, how often false. */
export class BooleanSummary {
  #true = 0;
  #false = 0;

  get count() {
    return this.#true + this.#false;
  }

  /** @param {boolean} value */
  add(value) {
    if (value) this.#true += 1;
    else this.#false += 1;
  }

  /**
   * @param {number} columns of the terminal
   * @returns {string[]}
   */
  draw(columns) {
    return drawBars(
      [
        { label: 'true', value: this.#true, text: formatCount(this.#true) },
        { label: 'false', value: this.#false, text: formatCount(this.#false) },
      ],
      columns,
    );
  }
}
