// @ts-check

/** @import { Bar } from './bars.mjs' */

import { drawBars } from './bars.mjs';
import { counted, formatCount, printable } from './format.mjs';

/** Different values that are counted one by one. When there are twice as many, the rarer half is let go. */
const TRACKED = 4_096;

/** Longer texts are counted together: nobody looks for equal ones, and they would fill the memory. */
const LONG = 200;

const SHOWN = 5;

/** The most frequent values of a column. */
export class TextSummary {
  count = 0;
  /** @type {Map<string, number>} */
  #counts = new Map();
  #long = 0;
  /** Counts of what was let go, at most: so much may be missing from a value's count. */
  #missing = 0;

  /** @param {string} text */
  add(text) {
    this.count += 1;
    if (text.length > LONG) {
      this.#long += 1;
      return;
    }
    const before = this.#counts.get(text);
    if (before !== undefined) {
      this.#counts.set(text, before + 1);
      return;
    }
    // What is kept is a copy: a decoded text may be a part of a larger one.
    this.#counts.set(Buffer.from(text, 'utf16le').toString('utf16le'), 1);
    if (this.#counts.size === 2 * TRACKED) this.#letGo();
  }

  /**
   * @param {number} columns of the terminal
   * @returns {string[]}
   */
  draw(columns) {
    const ranked = this.#ranked();
    const isExact = this.#missing === 0;
    const different = `${isExact ? '' : 'more than '}${counted(ranked.length, 'different value')}`;
    const long = this.#long > 0 ? `, ${formatCount(this.#long)} longer than ${LONG} characters` : '';
    if (ranked.length === 0) return [`  ${counted(this.#long, 'value')} longer than ${LONG} characters`];
    if (ranked[0]?.[1] === 1)
      return [`  ${different}, each of them once${long}`, ...this.#examples(ranked, columns)];
    const bars = ranked.slice(0, SHOWN).map(([text, count]) => {
      /** @type {Bar} */
      const bar = { label: label(text), value: count, text: `${isExact ? '' : '≥ '}${formatCount(count)}` };
      return bar;
    });
    return [`  ${different}${long}`, ...drawBars(bars, columns)];
  }

  /**
   * @param {readonly (readonly [string, number])[]} ranked
   * @param {number} columns
   */
  #examples(ranked, columns) {
    return drawBars(
      ranked.slice(0, 2).map(([text]) => ({ label: label(text), value: undefined, text: '' })),
      columns,
    );
  }

  #ranked() {
    return Array.from(this.#counts).sort(([, a], [, b]) => b - a);
  }

  #letGo() {
    const ranked = this.#ranked();
    this.#missing += ranked[TRACKED]?.[1] ?? 0;
    this.#counts = new Map(ranked.slice(0, TRACKED));
  }
}

/** @param {string} text */
function label(text) {
  return text.trim() === '' ? `'${printable(text)}'` : printable(text);
}
