// @ts-check

/** @import { Strand } from '@strand/core' */
/** @import { Row } from '../parse/row.mjs' */
/** @import { Column } from './column.mjs' */

import { buildSchema, createStrand } from '@strand/core';
import { DemoError } from '../demo_error.mjs';
import { jsonText } from '../report/format.mjs';
import { areFlights, FLIGHT_COLUMNS, FLIGHTS_ASIDE, flightSchema } from './flights.mjs';
import { inferColumns } from './infer_columns.mjs';
import { asideName, RecordShaper } from './record_shaper.mjs';

const INDEX_CAPACITY = 4_096;
const INDEX_BYTES = 8 * 1024 * 1024;
const HEAP_CAPACITY = 1024 * 1024;

/** How many of the largest record of the sample the heap holds at least. */
const HEAP_RECORDS = 4;

/**
 * What the reader needs to know besides the strand; it travels in the strand's header.
 *
 * @typedef {object} PlanMeta
 * @property {'flights' | 'columns'} picture
 * @property {readonly Column[]} columns
 * @property {string} aside the column for what does not fit
 */

/**
 * @typedef {object} Sample
 * @property {Row[]} rows
 * @property {boolean} isTextual whether all values are strings, which may write numbers
 * @property {readonly string[]} order of the columns, where the file states one
 * @property {boolean} isComplete whether there is no more
 * @property {number | undefined} estimatedRecords in the whole file
 */

/** @param {number} value */
function powerOfTwoFrom(value) {
  return 2 ** Math.ceil(Math.log2(value));
}

/** @param {readonly Row[]} rows */
function heapCapacityFor(rows) {
  const largest = rows.reduce((most, row) => Math.max(most, Buffer.byteLength(jsonText(row))), 0);
  return Math.max(HEAP_CAPACITY, powerOfTwoFrom(largest * HEAP_RECORDS));
}

/** @param {number} stride */
function indexCapacityFor(stride) {
  return Math.min(INDEX_CAPACITY, 2 ** Math.floor(Math.log2(INDEX_BYTES / stride)));
}

/**
 * Decides by a sample what the strand looks like, and makes it.
 *
 * @param {Sample} sample
 * @param {{ indexCapacity?: number | undefined, heapCapacity?: number | undefined }} capacities
 * @returns {{ strand: Strand, shaper: RecordShaper }}
 */
export function planStrand({ rows, isTextual, isComplete, order, estimatedRecords }, capacities) {
  const inferred = inferColumns(rows, { isTextual, isComplete, order });
  const isFlights = areFlights(inferred);
  const columns = isFlights ? FLIGHT_COLUMNS : inferred;
  const aside = isFlights ? FLIGHTS_ASIDE : asideName(columns);
  /** @type {PlanMeta} */
  const meta = { picture: isFlights ? 'flights' : 'columns', columns, aside };
  try {
    const schema = isFlights ? flightSchema : schemaOf(columns, aside);
    const strand = createStrand(schema, {
      indexCapacity: capacities.indexCapacity ?? indexCapacityFor(schema.record_stride),
      heapCapacity: capacities.heapCapacity ?? heapCapacityFor(rows),
      estimatedRecords,
      meta: { ...meta },
    });
    return { strand, shaper: new RecordShaper(columns, { aside, isTextual }) };
  } catch (error) {
    // Capacities come from the command line, names from the file.
    throw new DemoError(`no strand can be made for these records: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {readonly Column[]} columns
 * @param {string} aside
 */
function schemaOf(columns, aside) {
  const fields = columns.map(({ name, type }) => ({ name, type, nullable: true }));
  return buildSchema([...fields, { name: aside, type: 'large_json', nullable: true }]);
}
