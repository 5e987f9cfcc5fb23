/** Costs of one side alone: the other side works on the same thread, off the clock. */

import { expectEqual, measureCost } from '../measure.mjs';
import { BATCH, expectedSum, scalarWorkload, stringWorkload } from '../records.mjs';

const SLOTS = 65_536;
const HEAP_BYTES = 4 * 1024 * 1024;
const BATCHES_PER_ROUND = 64;
const RECORDS_PER_ROUND = BATCHES_PER_ROUND * BATCH;
const CHECKED_RECORDS = 3 * BATCH;

const ours = { needsBuild: true };
const strandLane = (readBy) => async (options) => {
  const { openStrandLane } = await import('../lanes/strand.mjs');
  return openStrandLane({ ...options, readBy });
};
const plainRingLane = async (options) => (await import('../lanes/plain_ring.mjs')).openPlainRingLane(options);
const postMessageLane = async (options) =>
  (await import('../lanes/post_message.mjs')).openPostMessageLane(options);
const ringbufJsLane = async (options) => (await import('../lanes/ringbuf_js.mjs')).openRingbufJsLane(options);

const metrics = { cost: { unit: 'ns', over: 'minimum' } };

/**
 * @param {object} definition
 * @param {(lane: import('../lanes/lane.mjs').Lane, batches: object[][]) => Parameters<typeof measureCost>[0]} definition.round
 * @returns {import('./case.mjs').JsCase}
 */
function oneThreadCase({ name, title, replaced, makeWorkload, contenders, round }) {
  const open = (contender, workload) =>
    contenders[contender].open({
      workload,
      slots: SLOTS,
      heapBytes: workload.fields.some(({ type }) => type === 'utf8') ? HEAP_BYTES : 0,
    });

  return {
    name,
    title,
    threads: 1,
    metrics,
    replaced: { cost: replaced },
    contenders,

    async check(contender) {
      const workload = makeWorkload({ ascii: false });
      const lane = await open(contender, workload);
      for (let batch = 0; batch < CHECKED_RECORDS / BATCH; batch++) {
        lane.write(workload.batches[batch]);
      }
      for (const record of workload.batches[0]) lane.writeOne(record);
      const collected = lane.collect(CHECKED_RECORDS + BATCH);
      lane.close();
      return collected;
    },

    async measure(contender, options) {
      const workload = makeWorkload();
      const lane = await open(contender, workload);
      const cost = measureCost({ records: RECORDS_PER_ROUND, ...round(lane, workload) }, options);
      lane.close();
      return { cost };
    },
  };
}

/** @param {import('../lanes/lane.mjs').Lane} lane */
function writeBatches(lane, { batches }) {
  for (let batch = 0; batch < BATCHES_PER_ROUND; batch++) {
    lane.write(batches[batch % batches.length]);
  }
}

const timedWrite = (lane, workload) => {
  const expected = expectedSum(workload, RECORDS_PER_ROUND);
  return {
    timed: () => writeBatches(lane, workload),
    after: () => expectEqual(lane.drain(RECORDS_PER_ROUND), expected, 'sum of the records read'),
  };
};

const timedWriteOne = (lane, { batches }) => ({
  timed() {
    for (let batch = 0; batch < BATCHES_PER_ROUND; batch++) {
      for (const record of batches[batch % batches.length]) lane.writeOne(record);
    }
  },
  after: () => lane.discard(RECORDS_PER_ROUND),
});

const timedRead = (lane, workload) => {
  const expected = expectedSum(workload, RECORDS_PER_ROUND);
  let sum = 0;
  return {
    before: () => writeBatches(lane, workload),
    timed() {
      sum = lane.drain(RECORDS_PER_ROUND);
    },
    after: () => expectEqual(sum, expected, 'sum of the records read'),
  };
};

export const oneThreadCases = [
  oneThreadCase({
    name: 'write-scalars',
    title: 'write records of u32, f32, f64 in batches of 1,000',
    replaced: 51,
    makeWorkload: scalarWorkload,
    contenders: {
      strand: { ...ours, open: strandLane('accessor'), targets: { cost: 12 } },
      'plain ring': { open: plainRingLane, yardstick: true },
      'ringbuf.js': { open: ringbufJsLane },
      postMessage: { open: postMessageLane },
    },
    round: timedWrite,
  }),
  oneThreadCase({
    name: 'read-scalars',
    title: 'read those three, draining in order',
    replaced: 221,
    makeWorkload: scalarWorkload,
    contenders: {
      'strand, accessors': { ...ours, open: strandLane('accessor'), targets: { cost: 9 } },
      'strand, properties': { ...ours, open: strandLane('property'), targets: { cost: 6 } },
      'plain ring': { open: plainRingLane, yardstick: true },
      'ringbuf.js': { open: ringbufJsLane },
      postMessage: { open: postMessageLane },
    },
    round: timedRead,
  }),
  oneThreadCase({
    name: 'write-string',
    title: 'write them plus a 17-character utf8',
    replaced: 447,
    makeWorkload: stringWorkload,
    contenders: {
      strand: { ...ours, open: strandLane('accessor'), targets: { cost: 65 } },
      'plain ring': { open: plainRingLane, yardstick: true },
      postMessage: { open: postMessageLane },
    },
    round: timedWrite,
  }),
  oneThreadCase({
    name: 'read-string',
    title: 'read them plus the string, draining in order',
    replaced: 429,
    makeWorkload: stringWorkload,
    contenders: {
      'strand, accessors': { ...ours, open: strandLane('accessor'), targets: { cost: 35 } },
      'strand, properties': { ...ours, open: strandLane('property'), targets: { cost: 35 } },
      'plain ring': { open: plainRingLane, yardstick: true },
      postMessage: { open: postMessageLane },
    },
    round: timedRead,
  }),
  oneThreadCase({
    name: 'write-one',
    title: 'one record of u32, f32, f64 per commit',
    replaced: 218,
    makeWorkload: scalarWorkload,
    contenders: {
      strand: { ...ours, open: strandLane('accessor'), targets: { cost: 35 } },
      'plain ring': { open: plainRingLane, yardstick: true },
      'ringbuf.js': { open: ringbufJsLane },
      postMessage: { open: postMessageLane },
    },
    round: timedWriteOne,
  }),
];
