/** A long stream through a small strand: the process must not grow with what has passed through it. */

import { openStream } from '../channels/stream.mjs';
import { expectEqual } from '../measure.mjs';
import { BATCH, expectedSum } from '../records.mjs';

const MIB = 1024 * 1024;
/** Together with the header less than 1 MiB. */
const GEOMETRY = { slots: 4096, heapBytes: MIB / 2 };
const RECORDS = 1000 * BATCH;
/** Long enough for both threads' code, garbage collectors and allocators to reach their working size. */
const WARM_UP_RECORDS = 400 * BATCH;

/** @type {import('./case.mjs').JsCase} */
export const memoryFlat = {
  name: 'memory-flat',
  title: 'a million records, 100 MB of payload, worker to main through 1 MiB: growth of the process',
  threads: 2,
  metrics: { rssGrowth: { unit: 'MB', over: 'median' } },
  replaced: {},
  contenders: {
    // Flat: a tenth of what passed through, which leaves room for the garbage collectors' young generations.
    strand: { needsBuild: true, targets: { rssGrowth: 10 } },
    'plain ring': {},
    postMessage: {},
  },

  async check(contender) {
    const stream = await openStream(contender, { workloadName: 'payload', geometry: GEOMETRY });
    const collected = await stream.collect(20 * BATCH);
    await stream.close();
    return collected;
  },

  async measure(contender) {
    const stream = await openStream(contender, { workloadName: 'payload', geometry: GEOMETRY });
    await stream.sum(WARM_UP_RECORDS);
    const before = process.memoryUsage.rss();
    let peak = before;
    const sum = await stream.sum(RECORDS, () => {
      peak = Math.max(peak, process.memoryUsage.rss());
    });
    expectEqual(sum, expectedSum(stream.workload, RECORDS), 'sum of the records read');
    await stream.close();
    return { rssGrowth: (peak - before) / 1e6 };
  },
};
