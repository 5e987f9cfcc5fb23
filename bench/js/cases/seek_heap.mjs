/** What seeking and reading scalars leaves on the JavaScript heap. */

import { expectEqual } from '../measure.mjs';
import { createPlainRing, PlainView, PlainWriter } from '../plain_ring.mjs';
import { BATCH, expectedSum, scalarWorkload } from '../records.mjs';

const SEEKS = 100_000;
const SLOTS = 131_072;
/** Repetitions until the optimising compiler has settled. */
const WARM_UPS = 100;
/**
 * The least of many counts: the engine's own work (a compilation that ends) shows on the heap as well, what the reads
 * leave shows in every count.
 */
const COUNTS = 100;

const openers = {
  strand: openStrandCursor,
  'plain ring': openPlainCursor,
};

/** @type {import('./case.mjs').JsCase} */
export const seekHeap = {
  name: 'seek-heap',
  title: '100,000 seek + scalar reads: growth of the JavaScript heap',
  threads: 1,
  metrics: { heapGrowth: { unit: 'MB', over: 'median' } },
  replaced: { heapGrowth: 0.25 },
  // Room for all that 100,000 reads could leave, so that no collection hides a part of it.
  execArgv: ['--min-semi-space-size=32', '--max-semi-space-size=32'],
  contenders: {
    strand: { needsBuild: true, targets: { heapGrowth: 0.01 } },
    'plain ring': {},
  },

  async check(contender) {
    const cursor = await openers[contender](scalarWorkload().batches);
    return Array.from({ length: SEEKS }, (_, seq) => {
      cursor.seek(seq);
      return { id: cursor.getU32('id'), x: cursor.getF32('x'), y: cursor.getF64('y') };
    });
  },

  async measure(contender) {
    const workload = scalarWorkload();
    const cursor = await openers[contender](workload.batches);
    const sum = new Float64Array(1);

    // Short calls: a single long loop may enter its compiled code late in every count.
    function readBatch(from) {
      let total = sum[0];
      for (let seq = from; seq < from + BATCH; seq++) {
        cursor.seek(seq);
        total += cursor.getU32('id') + cursor.getF32('x') + cursor.getF64('y');
      }
      sum[0] = total;
    }

    function seekAndRead() {
      sum[0] = 0;
      for (let from = 0; from < SEEKS; from += BATCH) readBatch(from);
    }

    for (let i = 0; i < WARM_UPS; i++) seekAndRead();
    calibrate();
    const heapGrowth = Math.min(...Array.from({ length: COUNTS }, () => heapGrowthOf(seekAndRead)));
    expectEqual(sum[0], expectedSum(workload, SEEKS), 'sum of the records read');
    return { heapGrowth };
  },
};

/**
 * Megabytes that `work` allocated.
 *
 * @param {() => void} work
 */
function heapGrowthOf(work) {
  global.gc();
  const before = process.memoryUsage().heapUsed;
  work();
  return (process.memoryUsage().heapUsed - before) / 1e6;
}

/** A meter that shows nothing would find every contender free of garbage. */
function calibrate() {
  let last;
  const grown = heapGrowthOf(() => {
    for (let i = 0; i < SEEKS; i++) last = { previous: i };
  });
  if (last.previous !== SEEKS - 1 || grown < 1 || grown > 20) {
    throw new Error(`the heap meter is wrong: ${SEEKS} objects show as ${grown} MB`);
  }
}

/** @param {object[][]} batches */
async function openStrandCursor(batches) {
  const { createStrand, StrandView, StrandWriter } = await import('@strand/core');
  const strand = createStrand(scalarWorkload().fields, { indexCapacity: SLOTS });
  const writer = new StrandWriter(strand);
  writer.begin();
  fill(writer, batches);
  return new StrandView(strand).allocateCursor();
}

/** @param {object[][]} batches */
function openPlainCursor(batches) {
  const ring = createPlainRing(scalarWorkload().fields, { slots: SLOTS });
  fill(new PlainWriter(ring), batches);
  return new PlainView(ring).allocateCursor();
}

function fill(writer, batches) {
  for (let batch = 0; batch < SEEKS / BATCH; batch++) {
    writer.writeRecordBatch(batches[batch % batches.length]);
  }
}
