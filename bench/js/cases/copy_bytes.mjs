/** Copying 64 KiB into a `large_bytes` field, beside the copy alone. */

import { expectEqual, measureCost } from '../measure.mjs';

const SIZE = 65_536;
const HEAP_BYTES = 4 * 1024 * 1024;
const VALUES = 60;

const value = Uint8Array.from({ length: SIZE }, (_, i) => i % 251);

async function openStrand() {
  const { createStrand, StrandView, StrandWriter } = await import('@strand/core');
  const strand = createStrand([{ name: 'bytes', type: 'large_bytes' }], {
    indexCapacity: 64,
    heapCapacity: HEAP_BYTES,
  });
  const writer = new StrandWriter(strand);
  writer.begin();
  const view = new StrandView(strand);
  const cursor = view.allocateCursor();
  const last = () => {
    const committed = view.committedCount;
    cursor.seek(committed - 1);
    const copy = cursor.getBytes('bytes').slice();
    view.acknowledgeRead(committed);
    return copy;
  };
  return { writer, last };
}

function openBytes(buffer) {
  const bytes = new Uint8Array(buffer);
  return {
    write() {
      for (let i = 0; i < VALUES; i++) bytes.set(value, i * SIZE);
    },
    last: () => bytes.slice((VALUES - 1) * SIZE, VALUES * SIZE),
  };
}

const openers = {
  async 'strand, write'() {
    const { writer, last } = await openStrand();
    const record = { bytes: value };
    return {
      write() {
        for (let i = 0; i < VALUES; i++) writer.write(record);
      },
      last,
    };
  },
  async 'strand, batch'() {
    const { writer, last } = await openStrand();
    const records = Array.from({ length: VALUES }, () => ({ bytes: value }));
    return { write: () => writer.writeRecordBatch(records), last };
  },
  async 'strand, columns'() {
    const { writer, last } = await openStrand();
    const bytes = Array.from({ length: VALUES }, () => value);
    return { write: () => writer.writeColumns({ bytes }), last };
  },
  memcpy: () => openBytes(new ArrayBuffer(HEAP_BYTES)),
  'TypedArray.set on shared memory': () => openBytes(new SharedArrayBuffer(HEAP_BYTES)),
};

/** @type {import('./case.mjs').JsCase} */
export const copyBytes = {
  name: 'copy-bytes',
  title: '64 KiB into a large_bytes field, per value; the target is 1.3 times memcpy',
  threads: 1,
  metrics: { cost: { unit: 'ns', over: 'minimum' }, ratio: { unit: '× memcpy', over: 'minimum' } },
  replaced: { cost: 2100 },
  contenders: {
    'strand, write': { needsBuild: true, targets: { ratio: 1.3 } },
    'strand, batch': { needsBuild: true, targets: { ratio: 1.3 } },
    'strand, columns': { needsBuild: true, targets: { ratio: 1.3 } },
    memcpy: {},
    'TypedArray.set on shared memory': {},
  },

  async check(contender) {
    const lane = await openers[contender]();
    lane.write();
    return [{ bytes: lane.last() }];
  },

  async measure(contender, options) {
    const lane = await openers[contender]();
    const round = {
      timed: lane.write,
      after: () => expectEqual(lane.last()[SIZE - 1], value[SIZE - 1], 'last byte'),
      records: VALUES,
    };
    const cost = measureCost(round, options);
    // In the same process, since what a copy costs differs from one place in memory to another.
    const alone = openers.memcpy();
    const memcpy = measureCost({ timed: alone.write, records: VALUES }, options);
    return { cost, ratio: cost / memcpy };
  },
};
