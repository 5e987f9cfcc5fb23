// @ts-check

import { padEnd, truncate, widthOf } from './text.mjs';

/** Left parts of a character cell, in eighths. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const FULL = '█';
const RIGHT_HALF = '▐';

const INDENT = '  ';
const GAP = 2;
const LONGEST_BAR = 60;
const SHORTEST_BAR = 4;

/**
 * @typedef {object} Bar
 * @property {string} label
 * @property {number | undefined} value nothing is drawn where there is none
 * @property {string} text the value as it is written
 * @property {string} [note] shown where there is room
 */

/** @param {number} cells */
function rightwards(cells) {
  const eighths = Math.round(cells * 8);
  const bar = FULL.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return bar === '' && cells > 0 ? '▏' : bar;
}

/** @param {number} cells @param {number} width */
function leftwards(cells, width) {
  const halves = Math.max(1, Math.round(cells * 2));
  return ((halves % 2 === 1 ? RIGHT_HALF : '') + FULL.repeat(Math.floor(halves / 2))).padStart(width);
}

/**
 * @param {readonly string[]} texts
 * @param {number} [most]
 */
function widest(texts, most = Number.POSITIVE_INFINITY) {
  return Math.min(most, Math.max(0, ...texts.map(widthOf)));
}

/**
 * Horizontal bars, below zero to the left, no line wider than the terminal.
 *
 * @param {readonly Bar[]} bars
 * @param {number} columns of the terminal
 * @returns {string[]} lines
 */
export function drawBars(bars, columns) {
  const labels = widest(
    bars.map(({ label }) => label),
    Math.max(2, Math.floor(columns * 0.4)),
  );
  const texts = widest(bars.map(({ text }) => text));
  const notes = widest(bars.map(({ note = '' }) => note));
  const left = INDENT.length + labels + GAP + texts + GAP;
  const hasNotes = notes > 0 && columns - left - notes - GAP >= SHORTEST_BAR * 2;
  const room = Math.min(LONGEST_BAR, columns - left - (hasNotes ? notes + GAP : 0));
  const values = bars.map(({ value = 0 }) => value);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  // What is below zero is to be seen.
  const below = low < 0 ? Math.max(1, Math.round((low / (low - high)) * room)) : 0;
  const above = room - below;

  return bars.map(({ label, value, text, note = '' }) => {
    const start = INDENT + padEnd(truncate(label, labels), labels + GAP) + text.padStart(texts);
    if (room < SHORTEST_BAR) return truncate(start, columns);
    const drawn =
      value === undefined
        ? ''
        : value < 0
          ? leftwards((value / low) * below, below)
          : ' '.repeat(below) + rightwards(value === 0 ? 0 : (value / high) * above);
    const bar = ' '.repeat(GAP) + (hasNotes ? padEnd(drawn, room + GAP) + note.padStart(notes) : drawn);
    return (start + bar).trimEnd();
  });
}
