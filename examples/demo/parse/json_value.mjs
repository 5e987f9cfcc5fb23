// @ts-check

/** @import { Row } from './row.mjs' */
/** @import { MalformedLog } from './malformed_log.mjs' */

/** @param {unknown} value */
function kindOf(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/**
 * Parses one JSON text as a record. What is none is logged.
 *
 * @param {string} text
 * @param {number} line
 * @param {MalformedLog} malformed
 * @returns {Row | undefined}
 */
export function parseRecord(text, line, malformed) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Later versions of Node.js add a line that counts from the record's start.
    const reason = /** @type {Error} */ (error).message.replace(/ \(line \d+ column \d+\)$/, '');
    malformed.add(line, reason);
    return undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  malformed.add(line, `${kindOf(value)} where a record, an object in braces, is expected`);
  return undefined;
}
