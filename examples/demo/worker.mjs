// @ts-check

/** @import { Strand } from '@strand/core' */
/** @import { Message, Order } from './messages.mjs' */
/** @import { Row } from './parse/row.mjs' */
/** @import { Format } from './source/detect_format.mjs' */
/** @import { Sample } from './schema/plan_strand.mjs' */

import { parentPort, workerData } from 'node:worker_threads';
import { StrandWriter } from '@strand/core';
import { DemoError } from './demo_error.mjs';
import { MalformedLog } from './parse/malformed_log.mjs';
import { describeMalformed } from './report/describe_malformed.mjs';
import { planStrand } from './schema/plan_strand.mjs';
import { openSource } from './source/open_source.mjs';
import { RowReader } from './source/read_rows.mjs';
import { BatchWriter } from './write_batches.mjs';

/** Records by which columns and types are chosen. */
const SAMPLE_RECORDS = 1_000;

/** @param {Message} message */
function tell(message) {
  parentPort?.postMessage(message);
}

/**
 * Reads rows until there are enough to judge the rest by.
 *
 * @param {AsyncGenerator<Row[], void, undefined>} arriving
 * @param {RowReader} reader
 * @param {number | undefined} size of the source
 * @returns {Promise<Sample>}
 */
async function takeSample(arriving, reader, size) {
  /** @type {Row[]} */
  const rows = [];
  let isComplete = false;
  while (!isComplete && rows.length < SAMPLE_RECORDS) {
    const next = await arriving.next();
    if (next.done) isComplete = true;
    else for (const row of next.value) rows.push(row);
  }
  return {
    rows,
    isComplete,
    isTextual: reader.format === 'csv',
    order: reader.columns,
    estimatedRecords: estimate(),
  };

  function estimate() {
    if (isComplete) return rows.length;
    return size === undefined ? undefined : Math.round((size / reader.bytes) * rows.length);
  }
}

/**
 * Why there is nothing to show.
 *
 * @param {string} name
 * @param {MalformedLog} malformed
 */
function noRecords(name, malformed) {
  if (malformed.count === 0) return new DemoError(`${name} holds no records`);
  const faults = describeMalformed(malformed.report()).join('\n');
  return new DemoError(`${name} is malformed: not one record could be read from it\n${faults}`);
}

/**
 * @param {Strand} strand
 * @param {(writer: BatchWriter) => Promise<void>} write
 * @param {number} size records of a batch
 * @param {MalformedLog} malformed
 */
async function produce(strand, write, size, malformed) {
  const writer = new StrandWriter(strand);
  try {
    writer.begin();
    await write(new BatchWriter(writer, size, malformed));
    writer.finalize();
  } catch (error) {
    writer.abort(/** @type {Error} */ (error).message);
    throw error;
  } finally {
    writer.close();
  }
}

/**
 * @param {Order} order
 * @param {MalformedLog} malformed
 */
async function ingest(order, malformed) {
  const source = await openSource(order.path);
  const reader = new RowReader(source, order.format, malformed);
  const arriving = reader.read();
  const sample = await takeSample(arriving, reader, source.size);
  if (sample.rows.length === 0) throw noRecords(source.name, malformed);
  const { strand, shaper } = planStrand(sample, order);
  tell({ kind: 'ready', strand });

  const write = async (/** @type {BatchWriter} */ writer) => {
    for (const row of sample.rows.splice(0)) writer.add(shaper.shape(row));
    for await (const rows of arriving) {
      for (const row of rows) writer.add(shaper.shape(row));
      // What comes slowly is to be seen as it comes.
      writer.flush();
    }
    writer.flush();
  };
  await produce(strand, write, order.batch, malformed);

  const { bytes, invalidAt } = reader;
  const format = /** @type {Format} */ (reader.format);
  tell({
    kind: 'done',
    source: { name: source.name, format, bytes, invalidAt },
    malformed: malformed.report(),
  });
}

const malformed = new MalformedLog();
try {
  await ingest(workerData, malformed);
} catch (error) {
  if (!(error instanceof DemoError)) throw error;
  tell({ kind: 'failed', message: error.message });
}
