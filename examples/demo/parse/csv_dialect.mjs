// @ts-check

/** In this order where several are equally frequent. */
const DELIMITERS = [',', '\t', ';', '|'];

/**
 * @typedef {object} CsvDialect
 * @property {string} delimiter
 * @property {boolean} trim whether spaces around fields are no part of them
 */

/**
 * The delimiter that the header has most of outside quotes. Spaces count as padding where a quoted field follows them:
 * `"Month", "1958"`.
 *
 * @param {string} header
 * @param {string} sample text from the header on
 * @returns {CsvDialect}
 */
export function detectDialect(header, sample) {
  const bare = header.replace(/"[^"]*"/g, '');
  const count = (/** @type {string} */ delimiter) => bare.split(delimiter).length;
  const delimiter = DELIMITERS.reduce((best, next) => (count(next) > count(best) ? next : best));
  return { delimiter, trim: new RegExp(`[${delimiter}] +"`).test(sample) };
}
