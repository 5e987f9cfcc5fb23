// @ts-check

/** @import { ColumnKind } from './column.mjs' */

import { booleanOf, isI32, numberOf } from './column.mjs';

/** What is known of a column from the sample. */
export class ColumnEvidence {
  /** @type {Set<ColumnKind>} */
  kinds = new Set();
  allI32 = true;
  longest = 0;

  /**
   * @param {unknown} value
   * @param {boolean} isTextual
   */
  add(value, isTextual) {
    if (value === null || value === undefined) return;
    if (typeof value === 'string') this.longest = Math.max(this.longest, value.length);
    const meaning = isTextual ? (numberOf(String(value)) ?? booleanOf(String(value)) ?? value) : value;
    if (typeof meaning === 'number') {
      this.kinds.add('number');
      this.allI32 &&= isI32(meaning);
    } else if (typeof meaning === 'boolean') this.kinds.add('boolean');
    else this.kinds.add(typeof meaning === 'string' ? 'text' : 'json');
  }

  /**
   * A column without values may turn out to hold anything; one of mixed values is text, or JSON where it has objects.
   *
   * @param {boolean} isTextual
   * @returns {ColumnKind}
   */
  kind(isTextual) {
    const [only] = this.kinds;
    if (only !== undefined && this.kinds.size === 1) return only;
    if (this.kinds.size === 0) return isTextual ? 'text' : 'json';
    return this.kinds.has('json') ? 'json' : 'text';
  }
}
