// @ts-check

import { counted, jsonText, printable } from './format.mjs';
import { truncate } from './text.mjs';

const SHOWN = 5;
const LONGEST_VALUE = 40;

/** Columns told apart; records may have ever new ones. */
const TRACKED = 1_000;

/** Counts values that did not fit their columns, which records carry aside as an object. */
export class AsideSummary {
  /** @type {Map<string, { count: number, example: string }>} */
  #columns = new Map();
  #untracked = 0;

  /** @param {unknown} aside values by column */
  add(aside) {
    if (typeof aside !== 'object' || aside === null) return;
    for (const [name, value] of Object.entries(aside)) {
      const column = this.#columns.get(name);
      if (column !== undefined) column.count += 1;
      else if (this.#columns.size === TRACKED) this.#untracked += 1;
      else this.#columns.set(name, { count: 1, example: exampleOf(value) });
    }
  }

  /** @returns {string[]} lines, none where everything did fit */
  describe() {
    if (this.#columns.size === 0) return [];
    const columns = Array.from(this.#columns, ([name, { count, example }]) => ({ name, count, example }));
    const more = columns.slice(SHOWN).reduce((sum, { count }) => sum + count, this.#untracked);
    return [
      'Values unlike those of the first records, kept aside as JSON:',
      ...columns.slice(0, SHOWN).map(({ name, count, example }) => {
        return `  ${printable(name) || "''"}: ${counted(count, 'value')}, such as ${example}`;
      }),
      ...(more > 0 ? [`  and ${counted(more, 'value')} of other columns`] : []),
    ];
  }
}

/** @param {unknown} value */
function exampleOf(value) {
  return truncate(printable(jsonText(value).slice(0, LONGEST_VALUE + 1)), LONGEST_VALUE);
}
