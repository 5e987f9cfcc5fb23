// @ts-check

/** @import { RecordOf, RowOf, SchemaOf } from '@strand/core' */
/** @import { GROUPS, ROW, STRIKE } from './fields.mjs' */

import { workerData } from 'node:worker_threads';

/** @typedef {RowOf<SchemaOf<typeof ROW>>} Row */
/** @typedef {RecordOf<SchemaOf<typeof STRIKE>>} Strike */

const by = /** @type {typeof GROUPS[number]} */ (workerData.by);

/**
 * A function with one parameter: rows in, what becomes of them out. It may give fewer than it got.
 *
 * @param {readonly Row[]} rows
 * @returns {Strike[]}
 */
export default (rows) =>
  rows
    .filter((row) => row[by] !== '')
    .map((row) => ({
      group: row[by],
      damaged: row.damage !== 'None',
      cost: numberOf(row, 'cost') ?? 0,
      speed: numberOf(row, 'speed'),
    }));

/** @param {Row} row @param {'cost' | 'speed'} field */
function numberOf(row, field) {
  if (row[field] === '') return undefined;
  const value = Number(row[field].replaceAll(',', ''));
  if (Number.isNaN(value)) throw new Error(`line ${row.line}: ${field} is no number: '${row[field]}'`);
  return value;
}
