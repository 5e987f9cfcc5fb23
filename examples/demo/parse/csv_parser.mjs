// @ts-check

/** @import { Row, RowParser } from './row.mjs' */
/** @import { MalformedLog } from './malformed_log.mjs' */

import { DemoError } from '../demo_error.mjs';
import { parseBlock } from './csv_block.mjs';
import { detectDialect } from './csv_dialect.mjs';
import { CsvRecovery, countLines } from './csv_recovery.mjs';
import { RECORD_LIMIT, setOwn } from './row.mjs';

const NEWLINE = 10;
const QUOTE = 34;

/** Characters after which a quote that still is open is taken for a stray one. */
const QUOTED_LIMIT = 1024 * 1024;

const NUMERIC = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/**
 * What the header decides.
 *
 * @typedef {object} Table
 * @property {readonly string[]} columns
 * @property {(text: string) => string[][] | string} parse
 * @property {CsvRecovery} recovery
 */

/**
 * CSV with a header, parsed by `csv-parse` in blocks of whole records. A record ends at a line break where the quotes
 * before it are even in number; one that cannot be parsed, or has another number of fields than the header, costs no
 * other. Fields are strings, an empty one null.
 *
 * @implements {RowParser}
 */
export class CsvParser {
  #malformed;
  #text = '';
  /** How far the text is scanned for records' ends, and whether a quote is open there. */
  #scanned = 0;
  #isOpen = false;
  /** Number of the text's first line. */
  #line = 1;
  /**
   * Whether lines end with a lone carriage return; known with the first line's end.
   *
   * @type {boolean | undefined}
   */
  #hasLoneReturns;
  /** @type {Table | undefined} */
  #table;

  /** @param {MalformedLog} malformed */
  constructor(malformed) {
    this.#malformed = malformed;
  }

  get columns() {
    return this.#table?.columns ?? [];
  }

  /**
   * @param {string} text
   * @returns {Row[]}
   */
  push(text) {
    this.#text += this.#hasLoneReturns ? text.replaceAll('\r', '\n') : text;
    if (this.#hasLoneReturns === undefined) this.#findLineEnd();
    return this.#drain(false);
  }

  /** @returns {Row[]} */
  end() {
    return this.#drain(true);
  }

  #findLineEnd() {
    // A return at the very end may be the first half of two.
    const end = /\n|\r[\s\S]/.exec(this.#text)?.[0];
    if (end === undefined) return;
    this.#hasLoneReturns = end !== '\n' && end !== '\r\n';
    if (!this.#hasLoneReturns) return;
    this.#text = this.#text.replaceAll('\r', '\n');
    this.#rescan();
  }

  /**
   * @param {boolean} isLast
   * @returns {Row[]}
   */
  #drain(isLast) {
    /** @type {Row[]} */
    const rows = [];
    while (this.#text !== '') {
      const end = this.#scan(this.#table !== undefined);
      const isStuck = end === 0 && (isLast || this.#isOverlong());
      if (end === 0 && !isStuck) break;
      const block = isStuck ? this.#stuckBlock(isLast) : this.#text.slice(0, end);
      const rest =
        this.#table === undefined
          ? this.#readHeader(block, isStuck && !isLast)
          : this.#readBlock(block, this.#table, { isLast: isStuck && isLast, refuseFirst: isStuck }, rows);
      this.#line += countLines(block) - countLines(rest);
      this.#text = rest + this.#text.slice(block.length);
      this.#rescan();
    }
    return rows;
  }

  /**
   * Looks for the ends of records in the text that is new.
   *
   * @param {boolean} greedy whether for the last one or the first
   * @returns {number} the position behind it, 0 where no record ends
   */
  #scan(greedy) {
    const text = this.#text;
    let end = 0;
    let isOpen = this.#isOpen;
    let at = this.#scanned;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) isOpen = !isOpen;
      else if (code === NEWLINE && !isOpen) {
        end = at + 1;
        if (!greedy) break;
      }
    }
    this.#scanned = at;
    this.#isOpen = isOpen;
    return end;
  }

  #rescan() {
    this.#scanned = 0;
    this.#isOpen = false;
  }

  #isOverlong() {
    if (this.#text.length > RECORD_LIMIT) {
      throw new DemoError(`line ${this.#line} is longer than ${RECORD_LIMIT} characters: this is no CSV`);
    }
    return this.#text.length > QUOTED_LIMIT && this.#text.includes('\n');
  }

  /**
   * The whole lines of a text in which no record ends.
   *
   * @param {boolean} isLast
   */
  #stuckBlock(isLast) {
    return isLast ? this.#text : this.#text.slice(0, this.#text.lastIndexOf('\n') + 1);
  }

  /**
   * @param {string} block
   * @param {boolean} isStuck
   * @returns {string} what of the block is to be read as records
   */
  #readHeader(block, isStuck) {
    const dialect = detectDialect(block, this.#text);
    const parse = (/** @type {string} */ text) => parseBlock(text, dialect);
    const parsed = isStuck ? 'a quoted column name is not closed' : parse(block);
    if (typeof parsed === 'string') {
      throw new DemoError(`the header on line ${this.#line} is malformed: ${parsed}`);
    }
    const [header] = parsed;
    // A line without anything.
    if (header === undefined) return '';
    const hasNames = !header.every((name) => NUMERIC.test(name));
    const columns = hasNames ? uniqueNames(header) : header.map((_, index) => `column_${index + 1}`);
    this.#table = { columns, parse, recovery: new CsvRecovery(parse, columns.length, this.#malformed) };
    return hasNames ? '' : block;
  }

  /**
   * @param {string} block
   * @param {Table} table
   * @param {{ isLast: boolean, refuseFirst: boolean }} ends
   * @param {Row[]} rows
   * @returns {string} what of the block is to be read again, with more text behind it
   */
  #readBlock(block, { columns, parse, recovery }, ends, rows) {
    const parsed = ends.refuseFirst ? '' : parse(block);
    if (typeof parsed !== 'string' && parsed.every((fields) => fields.length === columns.length)) {
      for (const fields of parsed) rows.push(toRow(columns, fields));
      return '';
    }
    const { records, rest } = recovery.read(block, this.#line, ends);
    for (const fields of records) rows.push(toRow(columns, fields));
    return rest;
  }
}

/**
 * @param {readonly string[]} columns
 * @param {readonly string[]} fields
 * @returns {Row}
 */
function toRow(columns, fields) {
  /** @type {Row} */
  const row = {};
  for (let index = 0; index < columns.length; index++) {
    const field = fields[index];
    setOwn(row, /** @type {string} */ (columns[index]), field === '' ? null : field);
  }
  return row;
}

/**
 * Names for all columns, no two the same: `a, , a` becomes `a, column_2, a_2`.
 *
 * @param {readonly string[]} header
 * @returns {string[]}
 */
function uniqueNames(header) {
  const given = new Set(header.map((name) => name.trim()));
  /** @type {Set<string>} */
  const taken = new Set();
  return header.map((text, index) => {
    const wanted = text.trim() || `column_${index + 1}`;
    let name = wanted;
    for (let copy = 2; taken.has(name) || (name !== wanted && given.has(name)); copy++) {
      name = `${wanted}_${copy}`;
    }
    taken.add(name);
    return name;
  });
}
