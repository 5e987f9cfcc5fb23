// @ts-check

/** @import { MalformedReport } from '../parse/malformed_log.mjs' */

import { counted, formatCount, printable } from './format.mjs';

/**
 * What was malformed, the first few by name.
 *
 * @param {MalformedReport} malformed
 * @returns {string[]} lines
 */
export function describeMalformed({ count, first }) {
  if (count === 0) return [];
  const more = count - first.length;
  return [
    `${counted(count, 'malformed line or record', 'malformed lines or records')}:`,
    ...first.map(({ where, reason }) => `  ${where}: ${printable(reason)}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}
