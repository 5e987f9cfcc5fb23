/** A strand in a file, its other side in another process: what that costs beside a strand between threads. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { freshFolder } from '../fresh_folder.mjs';
import { expectEqual, percentile } from '../measure.mjs';
import {
  BATCH,
  expectedSum,
  fiveFieldWorkload,
  SCALAR_FIELDS,
  scalarWorkload,
  sumScalars,
} from '../records.mjs';

const PARTNER = new URL('../processes/partner.mjs', import.meta.url);
const CHECKED_TRIPS = 500;
const SLOTS = { trip: 1024, records: 65_536 };
const HEAP_BYTES = 4 * 1024 * 1024;

const contenders = (metrics) => ({
  'between threads': {},
  'strand, between processes': {
    needsBuild: true,
    peerTargets: Object.fromEntries(metrics.map((metric) => [metric, 1.25])),
  },
});

/**
 * Gives `run` strands and a partner of the contender's kind.
 *
 * @template T
 * @param {string} contender
 * @param {{ fields: object[], options: object, count: number }} strands
 * @param {(strands: object[], partner: { job: (job: object) => Promise<void>, say: (message: object) => void }) => Promise<T>} run
 * @returns {Promise<T>}
 */
async function withPartner(contender, { fields, options, count }, run) {
  const isProcess = contender.endsWith('processes');
  const { createStrand } = await import('@strand/core');
  const { openSharedStrand } = await import('@strand/core/log');
  const folder = freshFolder();
  const strands = Array.from({ length: count }, (_, i) =>
    isProcess
      ? openSharedStrand(path.join(folder, `strand-${i}`), { ...options, schema: fields })
      : createStrand(fields, options),
  );
  const partner = isProcess ? fork(fileURLToPath(PARTNER)) : new Worker(PARTNER);
  const say = (message) => (isProcess ? partner.send(message) : partner.postMessage(message));
  const ended = once(partner, 'exit');
  try {
    const result = await run(strands, {
      say,
      async job(job) {
        say(job);
        await once(partner, 'message');
      },
    });
    await ended;
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runTrips(contender, { warmUp, trips }) {
  const { StrandView, StrandWriter } = await import('@strand/core');
  const records = scalarWorkload().batches[0];
  const strands = { fields: SCALAR_FIELDS, options: { indexCapacity: SLOTS.trip }, count: 2 };
  return withPartner(contender, strands, async ([outbound, inbound], partner) => {
    const writer = new StrandWriter(outbound);
    writer.begin();
    const view = new StrandView(inbound);
    const cursor = view.allocateCursor();
    await partner.job({ role: 'echo', inbound: outbound, outbound: inbound, trips: warmUp + trips });
    const microseconds = new Float64Array(trips);
    const answers = [];
    for (let seq = 0; seq < warmUp + trips; seq++) {
      const record = records[seq % records.length];
      const start = performance.now();
      writer.write(record);
      view.waitForCommitSync(seq);
      cursor.seek(seq);
      const answer = { id: cursor.getU32('id'), x: cursor.getF32('x'), y: cursor.getF64('y') };
      view.acknowledgeRead(seq + 1);
      if (seq >= warmUp) microseconds[seq - warmUp] = (performance.now() - start) * 1000;
      expectEqual(sumScalars(answer), sumScalars(record), 'the answer');
      if (warmUp === 0) answers.push(answer);
    }
    return { microseconds, answers };
  });
}

async function withRecords(contender, workloadOptions, run) {
  const { openConsumer } = await import('../channels/strand.mjs');
  const workload = fiveFieldWorkload(workloadOptions);
  const { fields, internTable } = workload;
  const options = { indexCapacity: SLOTS.records, heapCapacity: HEAP_BYTES, internTable };
  return withPartner(contender, { fields, options, count: 1 }, async ([strand], partner) => {
    const consumer = openConsumer(strand, workload, 'accessor');
    await partner.job({ role: 'produce', strand, workloadOptions });
    const result = await run(consumer, workload, (count) => partner.say({ count }));
    partner.say({ count: 0 });
    consumer.close();
    return result;
  });
}

/** @type {import('./case.mjs').JsCase} */
const trip = {
  name: 'process-trip',
  title: 'round trip of one record, synchronous waits: another process in the place of another thread',
  threads: 2,
  metrics: { median: { unit: 'µs', over: 'minimum' } },
  replaced: {},
  contenders: contenders(['median']),

  async check(contender) {
    return (await runTrips(contender, { warmUp: 0, trips: CHECKED_TRIPS })).answers;
  },

  async measure(contender, { quick }) {
    const counts = quick ? { warmUp: 2000, trips: 5000 } : { warmUp: 10_000, trips: 30_000 };
    const { microseconds } = await runTrips(contender, counts);
    return { median: percentile(microseconds, 0.5) };
  },
};

/** @type {import('./case.mjs').JsCase} */
const records = {
  name: 'process-records',
  title: 'u32, f32, utf8_ref, utf8, json in one record of ten, every field read: another process writes',
  threads: 2,
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  replaced: {},
  contenders: contenders(['cost']),

  async check(contender) {
    return withRecords(contender, { ascii: false }, (consumer, _, request) => {
      request(100);
      return consumer.collect(100 * BATCH);
    });
  },

  async measure(contender, { quick }) {
    return withRecords(contender, undefined, async (consumer, workload, request) => {
      const batches = quick ? 200 : 500;
      const expected = expectedSum(workload, batches * BATCH);
      const warmUpPasses = quick ? 2 : 3;
      const passes = quick ? 4 : 8;
      let cost = Number.POSITIVE_INFINITY;
      for (let pass = 0; pass < warmUpPasses + passes; pass++) {
        const start = performance.now();
        request(batches);
        const sum = await consumer.sum(batches * BATCH);
        const milliseconds = performance.now() - start;
        expectEqual(sum, expected, 'sum of the records read');
        if (pass >= warmUpPasses) cost = Math.min(cost, (milliseconds * 1e6) / (batches * BATCH));
      }
      return { cost };
    });
  },
};

/** @type {import('./case.mjs').JsCase[]} */
export const processCases = [records, trip];
