// @ts-check

const SHOWN = 5;

/**
 * @typedef {object} Malformed
 * @property {string} where the line, or the record where the line is not known
 * @property {string} reason
 */

/**
 * @typedef {object} MalformedReport
 * @property {number} count
 * @property {readonly Malformed[]} first the first few
 */

/** Counts what had to be left out, and remembers the first few by name. */
export class MalformedLog {
  #count = 0;
  /** @type {Malformed[]} */
  #first = [];

  /**
   * @param {string | number} where a line number, or a description such as `record 12`
   * @param {string} reason
   */
  add(where, reason) {
    this.#count += 1;
    if (this.#first.length >= SHOWN) return;
    this.#first.push({ where: typeof where === 'number' ? `line ${where}` : where, reason });
  }

  get count() {
    return this.#count;
  }

  /** @returns {MalformedReport} */
  report() {
    return { count: this.#count, first: this.#first };
  }
}
