// @ts-check

/** @import { Row } from '../parse/row.mjs' */
/** @import { Column } from './column.mjs' */

import { setOwn } from '../parse/row.mjs';
import { booleanOf, isI32, numberOf, UTF8_LIMIT } from './column.mjs';

/** UTF-8 takes at most this many bytes for a unit of a JavaScript string. */
const MOST_BYTES_PER_UNIT = 3;

/** @typedef {(value: unknown) => unknown} Fit from a value that is there to one the column takes, or undefined */

/** @param {string} text */
function fitsUtf8(text) {
  return text.length * MOST_BYTES_PER_UNIT <= UTF8_LIMIT || Buffer.byteLength(text) <= UTF8_LIMIT;
}

/**
 * @param {unknown} value
 * @returns {string | undefined}
 */
function textOf(value) {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    // Nested too deeply; whoever writes the record will find out.
    return undefined;
  }
}

/**
 * @param {Column} column
 * @param {boolean} isTextual
 * @returns {Fit}
 */
function fitFor({ kind, type }, isTextual) {
  switch (kind) {
    case 'number':
      return (value) => {
        const number = isTextual ? numberOf(/** @type {string} */ (value)) : value;
        if (typeof number !== 'number') return undefined;
        return type === 'f64' || isI32(number) ? number : undefined;
      };
    case 'boolean':
      return (value) => {
        const boolean = isTextual ? booleanOf(/** @type {string} */ (value)) : value;
        return typeof boolean === 'boolean' ? boolean : undefined;
      };
    case 'text':
      return (value) => {
        const text = textOf(value);
        return text === undefined || type === 'large_utf8' || fitsUtf8(text) ? text : undefined;
      };
    case 'json':
      return (value) => value;
  }
}

/**
 * Fits rows to columns that a sample decided. A value that a column does not take, or of no column at all, is kept
 * aside as JSON in a column of its own, so that nothing is lost.
 */
export class RecordShaper {
  #columns;
  #known;
  #aside;

  /**
   * @param {readonly Column[]} columns
   * @param {{ aside: string, isTextual: boolean }} options `aside` names the column for what does not fit
   */
  constructor(columns, { aside, isTextual }) {
    this.#columns = columns.map((column) => ({ name: column.name, fitTo: fitFor(column, isTextual) }));
    this.#known = new Set(columns.map(({ name }) => name));
    this.#aside = aside;
  }

  /**
   * @param {Row} row not to be used afterwards
   * @returns {Record<string, unknown>} the row itself, with its values changed
   */
  shape(row) {
    /** @type {Record<string, unknown> | undefined} */
    let aside;
    const keepAside = (/** @type {string} */ name) => {
      aside ??= {};
      setOwn(aside, name, row[name]);
    };
    for (const name in row) if (!this.#known.has(name)) keepAside(name);
    for (const { name, fitTo } of this.#columns) {
      const value = Object.hasOwn(row, name) ? row[name] : null;
      if (value === null) continue;
      const fitted = fitTo(value);
      if (fitted === undefined) keepAside(name);
      if (fitted !== value) setOwn(row, name, fitted ?? null);
    }
    if (aside !== undefined) row[this.#aside] = aside;
    return row;
  }
}

/**
 * A name for the column of what does not fit, that no other has.
 *
 * @param {readonly Column[]} columns
 */
export function asideName(columns) {
  let name = '_rest';
  while (columns.some((column) => column.name === name)) name += '_';
  return name;
}
