// @ts-check

/**
 * What a column's values have in common.
 *
 * @typedef {'number' | 'boolean' | 'text' | 'json'} ColumnKind
 */

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {ColumnKind} kind
 * @property {'f64' | 'i32' | 'bool8' | 'utf8' | 'large_utf8' | 'large_json'} type
 */

/** Most bytes of a `utf8` value. */
export const UTF8_LIMIT = 65_535;

const MIN_I32 = -(2 ** 31);
const MAX_I32 = 2 ** 31 - 1;

// Without a leading zero: postal codes and the like are text.
const DECIMAL = /^[+-]?(0|[1-9]\d*)?(\.\d*)?(e[+-]?\d+)?$/i;

/** @param {number} value */
export function isI32(value) {
  return Number.isInteger(value) && value >= MIN_I32 && value <= MAX_I32 && !Object.is(value, -0);
}

/**
 * The number that a text writes, unless reading it as one would lose something: a leading zero, or digits of an integer
 * past 2^53.
 *
 * @param {string} text
 * @returns {number | undefined}
 */
export function numberOf(text) {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || !/\d/.test(text)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : value;
}

/**
 * @param {string} text
 * @returns {boolean | undefined}
 */
export function booleanOf(text) {
  if (text.length > 5) return undefined;
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}
