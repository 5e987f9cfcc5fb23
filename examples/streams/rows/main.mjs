// @ts-check

/** @import { Duplex } from 'node:stream' */
/** @import { Strike } from './tally.mjs' */

// Rows of a CSV file go through four steps, two of them in workers:
//
//   file ──bytes──> 1. parse ──arrays──> 2. clean ──arrays──> 3. filter ──arrays──> 4. tally ──> table
//                   a worker of rows     two workers          main thread          main thread
//
// Unless another file is named, the rows are 10,000 strikes of birds and aircraft, from the package vega-datasets.
//
// node examples/streams/rows/main.mjs [options] [FILE.csv]

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createWorkerStream } from '@strand/core/streams';
import Table from 'cli-table3';
import { ExampleError, report, usageError } from '../example_error.mjs';
import { parseCommand, wholeNumber } from '../parse_command.mjs';
import { GROUPS, ROW, STRIKE } from './fields.mjs';
import { Tally } from './tally.mjs';

const HELP = `Reads strikes of birds and aircraft through workers, and prints what they cost.

usage: node examples/streams/rows/main.mjs [options] [FILE.csv]

  FILE.csv     a file with the same columns; unless given, birdstrikes.csv of vega-datasets
  --by COLUMN  ${GROUPS.join(', ')} (species)
  --top N      lines of the table (8)
  --damaged    only strikes that did damage
  -h, --help   this text
`;

/** Rows that go from step to step together. */
const BATCH_ROWS = 512;

/** Step 1: bytes become arrays of rows. @returns {Duplex} */
function parser() {
  return createWorkerStream(new URL('./parse_worker.mjs', import.meta.url), {
    schemaOut: ROW,
    batch: true,
    maxRecords: BATCH_ROWS,
  });
}

/**
 * Step 2: rows become strikes. Each batch goes to the worker with less to do; what the two give comes in order.
 *
 * @param {string} by
 * @returns {Duplex}
 */
function cleaner(by) {
  return createWorkerStream(new URL('./clean_worker.mjs', import.meta.url), {
    schemaIn: ROW,
    schemaOut: STRIKE,
    batch: true,
    maxRecords: BATCH_ROWS,
    workers: 2,
    workerData: { by },
  });
}

/** Step 3: what is left of each batch. @param {(strike: Strike) => boolean} wanted */
function filter(wanted) {
  return async function* (/** @type {AsyncIterable<readonly Strike[]>} */ batches) {
    for await (const batch of batches) yield batch.filter(wanted);
  };
}

/**
 * @param {string} file
 * @param {{ by: string, damagedOnly: boolean }} options
 */
async function tallyFile(file, { by, damagedOnly }) {
  const tally = new Tally();
  try {
    await pipeline(
      createReadStream(file),
      parser(),
      cleaner(by),
      filter(({ damaged }) => damaged || !damagedOnly),
      // Step 4.
      (/** @type {AsyncIterable<readonly Strike[]>} */ batches) => tally.addAll(batches),
    );
  } catch (error) {
    // Of the file, of csv-parse in one worker, of the cleaning in another: all come out here.
    throw new ExampleError(`cannot read ${file}: ${/** @type {Error} */ (error).message}`, { cause: error });
  }
  return tally;
}

/** @param {Tally} tally @param {string} by @param {number} top */
function draw(tally, by, top) {
  const table = new Table({
    head: [by, 'strikes', 'damage', 'mean knots', 'cost in $'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
  for (const [group, { strikes, damaged, meanSpeed, cost }] of tally.dearest(top)) {
    const speed = meanSpeed === undefined ? '' : whole.format(meanSpeed);
    table.push([group, whole.format(strikes), whole.format(damaged), speed, whole.format(cost)]);
  }
  return `${table}\n${whole.format(tally.rows)} rows, ${whole.format(tally.groups)} groups\n`;
}

function birdStrikes() {
  return fileURLToPath(new URL('../data/birdstrikes.csv', import.meta.resolve('vega-datasets')));
}

async function main() {
  const { values, positionals } = parseCommand(
    {
      by: { type: 'string', default: 'species' },
      top: { type: 'string', default: '8' },
      damaged: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    1,
  );
  if (values.help) return HELP;
  const { by, damaged } = values;
  if (!GROUPS.some((group) => group === by)) {
    throw usageError(`--by takes ${GROUPS.join(', ')}, got '${by}'`);
  }
  const top = wholeNumber('--top', values.top);
  const [file = birdStrikes()] = positionals;
  return draw(await tallyFile(file, { by, damagedOnly: damaged }), by, top);
}

await report(main);
