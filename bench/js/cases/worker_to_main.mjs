/** The whole path: a worker writes, the main thread reads every field while it arrives. */

import { performance } from 'node:perf_hooks';
import { openStream } from '../channels/stream.mjs';
import { expectEqual } from '../measure.mjs';
import { BATCH, expectedSum } from '../records.mjs';

const GEOMETRY = { slots: 65_536, heapBytes: 4 * 1024 * 1024 };
const targets = { cost: 125 };

/** @type {import('./case.mjs').JsCase} */
export const workerToMain = {
  name: 'worker-to-main',
  title: 'u32, f32, utf8_ref, utf8, json in one record of ten; worker to main, every field read',
  threads: 2,
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  replaced: { cost: 890 },
  contenders: {
    'strand, accessors': { needsBuild: true, targets },
    'strand, properties': { needsBuild: true, targets },
    'plain ring': { yardstick: true },
    postMessage: {},
    'postMessage, JSON transferred': {},
    'thread-stream, NDJSON': {},
  },

  async check(contender) {
    const stream = await openStream(contender, {
      workloadName: 'fiveFields',
      workloadOptions: { ascii: false },
      geometry: GEOMETRY,
    });
    const collected = await stream.collect(100 * BATCH);
    await stream.close();
    return collected;
  },

  async measure(contender, { quick }) {
    const stream = await openStream(contender, { workloadName: 'fiveFields', geometry: GEOMETRY });
    const records = (quick ? 200 : 500) * BATCH;
    const expected = expectedSum(stream.workload, records);
    const warmUpPasses = quick ? 2 : 3;
    const passes = quick ? 4 : 8;
    let cost = Number.POSITIVE_INFINITY;
    for (let pass = 0; pass < warmUpPasses + passes; pass++) {
      // Each pass starts with an empty channel and a worker that is told to begin.
      const start = performance.now();
      const sum = await stream.sum(records);
      const milliseconds = performance.now() - start;
      expectEqual(sum, expected, 'sum of the records read');
      if (pass >= warmUpPasses) cost = Math.min(cost, (milliseconds * 1e6) / records);
    }
    await stream.close();
    return { cost };
  },
};
