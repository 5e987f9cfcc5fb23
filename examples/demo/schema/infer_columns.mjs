// @ts-check

/** @import { Row } from '../parse/row.mjs' */
/** @import { Column, ColumnKind } from './column.mjs' */

import { DemoError } from '../demo_error.mjs';
import { ColumnEvidence } from './column_evidence.mjs';

/** More would make records wider than a strand allows; what is in others is kept aside. */
const MOST_COLUMNS = 4_000;

/** Text up to this length in the sample leaves room to grow up to the limit of `utf8`. */
const SHORT_TEXT = 8_192;

/**
 * @param {ColumnKind} kind
 * @param {ColumnEvidence} evidence
 * @param {boolean} isComplete
 * @returns {Column['type']}
 */
function typeOf(kind, evidence, isComplete) {
  switch (kind) {
    case 'number':
      return isComplete && evidence.allI32 ? 'i32' : 'f64';
    case 'boolean':
      return 'bool8';
    case 'text':
      return evidence.longest <= SHORT_TEXT ? 'utf8' : 'large_utf8';
    case 'json':
      return 'large_json';
  }
}

/**
 * Chooses columns and types by a sample, so that as much as possible of what comes later fits: numbers are `f64`, which
 * holds integers and fractions, unless the sample is all there is.
 *
 * @param {readonly Row[]} sample
 * @param {{ isTextual: boolean, isComplete: boolean, order: readonly string[] }} what `isTextual` where all values are
 *   strings, which may write numbers; `isComplete` where nothing follows the sample; `order` of the columns, where the
 *   file states one
 * @returns {Column[]}
 */
export function inferColumns(sample, { isTextual, isComplete, order }) {
  /** @type {Map<string, ColumnEvidence>} */
  const columns = new Map(order.slice(0, MOST_COLUMNS).map((name) => [name, new ColumnEvidence()]));
  for (const row of sample) {
    for (const name of Object.keys(row)) {
      let evidence = columns.get(name);
      if (evidence === undefined) {
        if (name === '' || columns.size === MOST_COLUMNS) continue;
        evidence = new ColumnEvidence();
        columns.set(name, evidence);
      }
      evidence.add(row[name], isTextual);
    }
  }
  if (columns.size === 0) throw new DemoError('the records have no fields that could be columns');
  return Array.from(columns, ([name, evidence]) => {
    const kind = evidence.kind(isTextual);
    return { name, kind, type: typeOf(kind, evidence, isComplete) };
  });
}
