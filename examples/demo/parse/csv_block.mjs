// @ts-check

/** @import { CsvDialect } from './csv_dialect.mjs' */

import { CsvError, parse } from 'csv-parse/sync';

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  CSV_INVALID_CLOSING_QUOTE: 'text follows the quote that ends a field',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'text follows the quote that ends a field',
  INVALID_OPENING_QUOTE: 'a quote inside a field that does not begin with one',
  CSV_QUOTE_NOT_CLOSED: 'a quoted field is not closed',
};

/**
 * Parses text that consists of whole records.
 *
 * @param {string} text
 * @param {CsvDialect} dialect
 * @returns {string[][] | string} the records' fields, or what is wrong with the text
 */
export function parseBlock(text, { delimiter, trim }) {
  try {
    return parse(text, {
      delimiter,
      trim,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return REASONS[error.code] ?? error.message;
  }
}
