// @ts-check

/** @import { Row, RowParser } from './row.mjs' */
/** @import { MalformedLog } from './malformed_log.mjs' */

import { DemoError } from '../demo_error.mjs';
import { JsonElementScanner } from './json_element_scanner.mjs';
import { parseRecord } from './json_value.mjs';
import { RECORD_LIMIT } from './row.mjs';

const NEWLINE = 10;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const SPACE = 32;

/**
 * A JSON array of objects, each of which goes to `JSON.parse` by itself as soon as it is complete. (Streaming parsers
 * stop at the first syntax error. Here it costs one record.) Objects that merely follow each other are taken as well.
 *
 * @implements {RowParser}
 */
export class JsonParser {
  #malformed;
  #scanner = new JsonElementScanner();
  /** From the element at hand on; otherwise all of it is behind us. */
  #text = '';
  #at = 0;
  #line = 1;
  /** Position of the element at hand in the text, −1 between elements. */
  #start = -1;
  /** Line that the array began on, 0 outside it. */
  #arrayLine = 0;

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
    this.#text = this.#start === -1 ? text : this.#text + text;
    if (this.#start === -1) this.#at = 0;
    while (this.#at < this.#text.length) {
      if (this.#start === -1) this.#findElement();
      else this.#finishElement(this.#scanner.scan(this.#text, this.#at), rows);
    }
    this.#dropRead();
    return rows;
  }

  /** @returns {Row[]} */
  end() {
    /** @type {Row[]} */
    const rows = [];
    if (this.#start !== -1) {
      if (this.#scanner.isOpen) {
        this.#malformed.add(this.#line, 'the file ends inside this record');
        return rows;
      }
      this.#finishElement(this.#text.length, rows);
    }
    if (this.#arrayLine !== 0) {
      this.#malformed.add(
        this.#line,
        `the file ends before the array that begins on line ${this.#arrayLine} is closed`,
      );
    }
    return rows;
  }

  /** Goes to the next element's first character, past what stands between elements. */
  #findElement() {
    const text = this.#text;
    for (; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === NEWLINE) this.#line += 1;
      else if (code === OPEN_BRACKET && this.#arrayLine === 0) this.#arrayLine = this.#line;
      else if (code === CLOSE_BRACKET) this.#closeArray();
      else if (code > SPACE && code !== COMMA) {
        this.#start = this.#at;
        this.#at += 1;
        this.#scanner.begin(code);
        return;
      }
    }
  }

  #closeArray() {
    if (this.#arrayLine === 0) this.#malformed.add(this.#line, "']' without an array that it could close");
    this.#arrayLine = 0;
  }

  /**
   * @param {number} end position behind the element, −1 where it goes on
   * @param {Row[]} rows
   */
  #finishElement(end, rows) {
    if (end === -1) {
      this.#at = this.#text.length;
      return;
    }
    const row = parseRecord(this.#text.slice(this.#start, end), this.#line, this.#malformed);
    if (row !== undefined) rows.push(row);
    this.#line += this.#scanner.lines;
    this.#start = -1;
    this.#at = end;
  }

  #dropRead() {
    if (this.#start === -1) {
      this.#text = '';
      this.#at = 0;
      return;
    }
    this.#text = this.#text.slice(this.#start);
    this.#at = this.#text.length;
    this.#start = 0;
    if (this.#text.length > RECORD_LIMIT) {
      throw new DemoError(
        `the record that begins on line ${this.#line} is longer than ${RECORD_LIMIT} characters: ` +
          'this is no JSON array of records',
      );
    }
  }
}
