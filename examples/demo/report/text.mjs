// @ts-check

import stringWidth from 'string-width';

const ELLIPSIS = '…';
const graphemes = new Intl.Segmenter();

/**
 * As much of a text as so many columns of a terminal show.
 *
 * @param {string} text
 * @param {number} columns
 */
export function truncate(text, columns) {
  if (stringWidth(text) <= columns) return text;
  if (columns < ELLIPSIS.length) return '';
  let room = columns - ELLIPSIS.length;
  let shown = '';
  for (const { segment } of graphemes.segment(text)) {
    room -= stringWidth(segment);
    if (room < 0) break;
    shown += segment;
  }
  return shown + ELLIPSIS;
}

/** @param {string} text @param {number} columns */
export function padEnd(text, columns) {
  return text + ' '.repeat(Math.max(0, columns - stringWidth(text)));
}

/** @param {string} text */
export function widthOf(text) {
  return stringWidth(text);
}

/**
 * Parts of a report with an empty line between each two.
 *
 * @param {readonly (readonly string[])[]} parts lines; a part without any is left out
 * @returns {string[]}
 */
export function spaced(parts) {
  return parts
    .filter((lines) => lines.length > 0)
    .flatMap((lines, at) => (at === 0 ? lines : ['', ...lines]));
}
