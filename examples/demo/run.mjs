// @ts-check

/** @import { RecordCursor, Schema, Strand } from '@strand/core' */
/** @import { AsideSummary } from './report/aside_summary.mjs' */
/** @import { Options } from './options.mjs' */
/** @import { PlanMeta } from './schema/plan_strand.mjs' */

import { setImmediate } from 'node:timers/promises';
import { StrandAbortError, StrandView } from '@strand/core';
import { DemoError } from './demo_error.mjs';
import { IngestWorker } from './ingest_worker.mjs';
import { Interruption } from './interruption.mjs';
import { ColumnsPicture } from './report/columns_picture.mjs';
import { describeMalformed } from './report/describe_malformed.mjs';
import { describeRun } from './report/figures.mjs';
import { FlightsPicture } from './report/flights_picture.mjs';
import { HeapGrowth } from './report/heap_growth.mjs';
import { Progress } from './report/progress.mjs';
import { spaced } from './report/text.mjs';
import { flightSchema } from './schema/flights.mjs';

const WIDTH_WITHOUT_TERMINAL = 80;

/** Timers, signals and messages get their turn at least this often. */
const TURN_MILLISECONDS = 50;

/**
 * What is made of the records.
 *
 * @template {Schema} S
 * @typedef {object} Picture
 * @property {(cursor: RecordCursor<S>) => void} add
 * @property {(columns: number) => string[]} draw
 * @property {AsideSummary} aside
 */

/**
 * Reads all records while they arrive.
 *
 * @template {Schema} S
 * @param {StrandView<S>} view
 * @param {Picture<S>} picture
 * @param {Progress | undefined} progress
 * @returns {Promise<number>} how many there were
 */
async function drain(view, picture, progress) {
  let records = 0;
  let turn = performance.now();
  for await (const batch of view) {
    for (const cursor of batch) picture.add(cursor);
    records += batch.length;
    progress?.update(records);
    if (performance.now() - turn > TURN_MILLISECONDS) {
      await setImmediate();
      turn = performance.now();
    }
  }
  return records;
}

/**
 * The view of a strand, typed where its fields are known, and the picture to draw.
 *
 * @param {Strand} strand
 */
function openView(strand) {
  const { picture, columns, aside } = /** @type {PlanMeta & object} */ (strand.map.meta);
  return picture === 'flights'
    ? reader(new StrandView(strand, { schema: flightSchema }), new FlightsPicture())
    : reader(new StrandView(strand), new ColumnsPicture(columns, aside));
}

/**
 * @template {Schema} S
 * @param {StrandView<S>} view
 * @param {Picture<S>} picture
 */
function reader(view, picture) {
  return {
    view,
    picture,
    drain: (/** @type {Progress | undefined} */ progress) => drain(view, picture, progress),
  };
}

/**
 * Streams a file from a worker to this thread and describes what came.
 *
 * @param {Options} options
 * @param {{ stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream }} streams
 * @returns {Promise<string[]>} lines of the report
 */
export async function run({ progress: wantsProgress, ...order }, { stdout, stderr }) {
  const heap = new HeapGrowth();
  const started = performance.now();
  const worker = new IngestWorker(order);
  /** @type {{ close(): void } | undefined} */
  let open;
  /** @type {Progress | undefined} */
  let progress;
  const interruption = new Interruption(() => {
    open?.close();
    worker.terminate();
  });
  try {
    const { strand } = await worker.ready;
    const { view, picture, drain } = openView(strand);
    open = view;
    const { map } = view;
    if (wantsProgress && stderr.isTTY) progress = new Progress(map.estimated_records, stderr);
    const records = await drain(progress);
    const { source, malformed } = await worker.done;
    const milliseconds = performance.now() - started;
    const run = { source, records, milliseconds, heapGrowth: heap.measure(), stats: view.stats(), map };
    const columns = stdout.columns ?? WIDTH_WITHOUT_TERMINAL;
    return spaced([
      picture.draw(columns),
      picture.aside.describe(),
      describeMalformed(malformed),
      describeRun(run, columns),
    ]);
  } catch (error) {
    if (interruption.exitCode !== undefined) throw new DemoError('interrupted', interruption);
    // The worker knows better why its stream ended.
    if (error instanceof StrandAbortError) await worker.done;
    throw error;
  } finally {
    progress?.stop();
    interruption.stop();
    open?.close();
    await worker.terminate();
  }
}
