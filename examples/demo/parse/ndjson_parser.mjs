// @ts-check

/** @import { Row, RowParser } from './row.mjs' */
/** @import { MalformedLog } from './malformed_log.mjs' */

import { DemoError } from '../demo_error.mjs';
import { parseRecord } from './json_value.mjs';
import { RECORD_LIMIT } from './row.mjs';

/**
 * Newline-delimited JSON: an object a line, blank lines ignored. A line that is no record costs no other.
 *
 * @implements {RowParser}
 */
export class NdjsonParser {
  #malformed;
  #line = 1;
  /**
   * The line at hand, in the pieces that it came in.
   *
   * @type {string[]}
   */
  #pieces = [];
  #pending = 0;

  /** @param {MalformedLog} malformed */
  constructor(malformed) {
    this.#malformed = malformed;
  }

  /**
   * @param {string} text
   * @returns {Row[]}
   */
  push(text) {
    /** @type {Row[]} */
    const rows = [];
    let from = 0;
    for (let to = text.indexOf('\n'); to !== -1; to = text.indexOf('\n', from)) {
      this.#pieces.push(text.slice(from, to));
      this.#finishLine(rows);
      from = to + 1;
    }
    if (from < text.length) this.#hold(text.slice(from));
    return rows;
  }

  /** @returns {Row[]} */
  end() {
    /** @type {Row[]} */
    const rows = [];
    if (this.#pieces.length > 0) this.#finishLine(rows);
    return rows;
  }

  /** @param {string} piece */
  #hold(piece) {
    this.#pieces.push(piece);
    this.#pending += piece.length;
    if (this.#pending > RECORD_LIMIT) {
      throw new DemoError(
        `line ${this.#line} is longer than ${RECORD_LIMIT} characters: this is no newline-delimited JSON`,
      );
    }
  }

  /** @param {Row[]} rows */
  #finishLine(rows) {
    const text = this.#pieces.length === 1 ? /** @type {string} */ (this.#pieces[0]) : this.#pieces.join('');
    const row = text.trim() === '' ? undefined : parseRecord(text, this.#line, this.#malformed);
    if (row !== undefined) rows.push(row);
    this.#pieces.length = 0;
    this.#pending = 0;
    this.#line += 1;
  }
}
