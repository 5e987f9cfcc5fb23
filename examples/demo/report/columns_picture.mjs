// @ts-check

/** @import { RecordCursor } from '@strand/core' */
/** @import { Column } from '../schema/column.mjs' */

import { AsideSummary } from './aside_summary.mjs';
import { BooleanSummary } from './boolean_summary.mjs';
import { counted, formatCount, jsonText, printable } from './format.mjs';
import { NumberSummary } from './number_summary.mjs';
import { spaced, truncate } from './text.mjs';
import { TextSummary } from './text_summary.mjs';

const SHOWN = 40;

/**
 * What one column's values come to.
 *
 * @typedef {object} Summary
 * @property {number} count values that are there
 * @property {(columns: number) => string[]} draw
 */

/**
 * @param {Column} column
 * @returns {{ summary: Summary, add: (cursor: RecordCursor) => void }} `add` takes the value of the record at hand
 */
function summarize({ name, kind }) {
  switch (kind) {
    case 'number': {
      const summary = new NumberSummary();
      const add = (/** @type {RecordCursor} */ cursor) => {
        const value = cursor.get(name);
        if (value !== null) summary.add(/** @type {number} */ (value));
      };
      return { summary, add };
    }
    case 'boolean': {
      const summary = new BooleanSummary();
      const add = (/** @type {RecordCursor} */ cursor) => {
        const value = cursor.getBool(name);
        if (value !== null) summary.add(value);
      };
      return { summary, add };
    }
    case 'text': {
      const summary = new TextSummary();
      const add = (/** @type {RecordCursor} */ cursor) => {
        const value = cursor.getString(name);
        if (value !== null) summary.add(value);
      };
      return { summary, add };
    }
    case 'json': {
      const summary = new TextSummary();
      const add = (/** @type {RecordCursor} */ cursor) => {
        const value = cursor.getJson(name);
        if (value !== null) summary.add(typeof value === 'string' ? value : jsonText(value));
      };
      return { summary, add };
    }
  }
}

/** Ranges of numbers and most frequent values of everything else, column by column. */
export class ColumnsPicture {
  aside = new AsideSummary();
  #records = 0;
  #columns;
  #asideName;

  /**
   * @param {readonly Column[]} columns
   * @param {string} asideName the column of values that did not fit theirs
   */
  constructor(columns, asideName) {
    this.#asideName = asideName;
    this.#columns = columns.map((column) => ({ column, ...summarize(column) }));
  }

  /** @param {RecordCursor} cursor on the record to add */
  add(cursor) {
    this.#records += 1;
    for (const { add } of this.#columns) add(cursor);
    this.aside.add(cursor.getJson(this.#asideName));
  }

  /**
   * @param {number} columns of the terminal
   * @returns {string[]} lines
   */
  draw(columns) {
    const parts = this.#columns.slice(0, SHOWN).map(({ column, summary }) => {
      const missing = this.#records - summary.count;
      const without = missing === 0 ? '' : `, ${formatCount(missing)} without`;
      const title = truncate(`${printable(column.name)} (${column.kind}${without})`, columns);
      return [title, ...(summary.count === 0 ? [] : summary.draw(columns))];
    });
    const more = this.#columns.length - SHOWN;
    if (more > 0) parts.push([`and ${counted(more, 'more column')}`]);
    return spaced(parts);
  }
}
