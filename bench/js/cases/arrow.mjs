/** Arrow record batches beside the packed columns that they are made of. */

import { expectEqual, measureCost } from '../measure.mjs';

const RECORDS = 60_000;
const CHECKED = 2_000;
const HEAP_BYTES = 8 * 1024 * 1024;
/** Records of one batch, near the 65,536 of other Arrow libraries. */
const BATCH = 60_000;
const SYMBOLS = ['buy', 'sell', 'hold'];

const FIELDS = [
  { name: 'id', type: 'u32' },
  { name: 'x', type: 'f32', nullable: true },
  { name: 'y', type: 'f64' },
  { name: 'flag', type: 'bool8' },
  { name: 'symbol', type: 'utf8_ref' },
  { name: 'label', type: 'utf8' },
  { name: 'path', type: 'f32_array' },
];

/** @param {number} count */
function makeRecords(count) {
  return Array.from({ length: count }, (_, i) => ({
    id: i,
    x: i % 10 === 0 ? null : Math.fround(i * 0.37),
    y: i * 1.1,
    flag: i % 3 === 0,
    symbol: SYMBOLS[i % SYMBOLS.length],
    label: `label ${i}`.padEnd(16, '.'),
    path: Float32Array.of(i, i + 1, i + 2),
  }));
}

async function openStrand(records) {
  const { createStrand, StrandView, StrandWriter } = await import('@strand/core');
  const strand = createStrand(FIELDS, {
    indexCapacity: 65_536,
    heapCapacity: HEAP_BYTES,
    internTable: SYMBOLS,
  });
  const writer = new StrandWriter(strand);
  writer.begin();
  writer.writeRecordBatch(records);
  return { writer, view: new StrandView(strand) };
}

/** @param {(from: number, to: number) => unknown} read */
function roundOf(read, numbers) {
  let batch;
  return {
    timed() {
      for (let from = 0; from < RECORDS; from += BATCH) batch = read(from, from + BATCH);
    },
    after: () => expectEqual(numbers(batch)[BATCH - 1], RECORDS - 1, 'id of the last record'),
    records: RECORDS,
  };
}

const readers = {
  async arrow(view, fields) {
    const { readRecordBatch } = await import('@strand/core/arrow');
    const read = (from, to) => readRecordBatch(view, from, to, { fields });
    return { read, numbers: (batch) => batch.data.children[0].values };
  },
  async columns(view, fields) {
    const read = (from, to) => view.readColumns(fields, from, to, { packed: true });
    return { read, numbers: (columns) => columns.id.values };
  },
};

/** Both by turns, since a machine's speed changes in the course of seconds. */
async function measureBeside(view, fields, options) {
  const rounds = {};
  for (const [name, open] of Object.entries(readers)) {
    const { read, numbers } = await open(view, fields);
    rounds[name] = roundOf(read, numbers);
  }
  const best = { arrow: Number.POSITIVE_INFINITY, columns: Number.POSITIVE_INFINITY };
  for (let turn = 0; turn < 3; turn++) {
    for (const name of Object.keys(rounds)) {
      best[name] = Math.min(best[name], measureCost(rounds[name], { ...options, quick: true }));
    }
  }
  return best;
}

/** Columns of each contender; `id` leads all of them and is checked. */
const columnsOf = {
  'strand, all columns': FIELDS.map(({ name }) => name),
  'strand, numbers': ['id', 'x', 'y'],
  'strand, booleans': ['id', 'flag'],
  'strand, dictionary': ['id', 'symbol'],
  'strand, text': ['id', 'label'],
  'strand, arrays': ['id', 'path'],
};

/** @type {import('./case.mjs').JsCase} */
const readBatch = {
  name: 'read-record-batch',
  title: 'an Arrow record batch of 60,000 records, per record; the target is 1.3 times readColumns, packed',
  threads: 1,
  metrics: {
    cost: { unit: 'ns', over: 'minimum' },
    ratio: { unit: '× readColumns', over: 'minimum' },
  },
  replaced: {},
  contenders: Object.fromEntries(
    Object.keys(columnsOf).map((name) => [name, { needsBuild: true, targets: { ratio: 1.3 } }]),
  ),

  async check(contender) {
    const { view } = await openStrand(makeRecords(CHECKED));
    const { readRecordBatch } = await import('@strand/core/arrow');
    // Contenders differ in the columns that they time; each proves all of them.
    const fields = [...new Set([...columnsOf[contender], ...columnsOf['strand, all columns']])];
    const batch = readRecordBatch(view, 0, CHECKED, { fields });
    return batch.toArray().map((row) => ({ ...row.toJSON(), path: Array.from(row.path) }));
  },

  async measure(contender, options) {
    const { view } = await openStrand(makeRecords(RECORDS));
    const { arrow, columns } = await measureBeside(view, columnsOf[contender], options);
    return { cost: arrow, ratio: arrow / columns };
  },
};

const writers = {
  'strand, record batch': async (writer, records, packed) => {
    const { readRecordBatch, writeRecordBatch } = await import('@strand/core/arrow');
    const { view } = await openStrand(records);
    const batch = readRecordBatch(view, 0, packed);
    return () => writeRecordBatch(writer, batch);
  },
  'strand, packed columns': async (writer, records, packed) => {
    const { view } = await openStrand(records);
    const columns = view.readColumns(undefined, 0, packed, { packed: true });
    return () => writer.writeColumns(columns);
  },
};

/** @type {import('./case.mjs').JsCase} */
const writeBatch = {
  name: 'write-record-batch',
  title: 'an Arrow record batch of 60,000 records into a strand, per record',
  threads: 1,
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  replaced: {},
  contenders: Object.fromEntries(Object.keys(writers).map((name) => [name, { needsBuild: true }])),

  async check(contender) {
    const records = makeRecords(CHECKED);
    const { writer, view } = await openStrand([]);
    const write = await writers[contender](writer, records, CHECKED);
    write();
    const cursor = view.allocateCursor();
    return records.map((_, seq) => {
      cursor.seek(seq);
      return { ...cursor.toObject(), path: Array.from(cursor.getF32Array('path')) };
    });
  },

  async measure(contender, options) {
    const { writer, view } = await openStrand([]);
    const write = await writers[contender](writer, makeRecords(BATCH), BATCH);
    let seq = 0;
    const round = {
      timed() {
        for (let i = 0; i < RECORDS / BATCH; i++) write();
      },
      after() {
        seq += RECORDS;
        expectEqual(view.readColumn('id', seq - 1, seq)[0], BATCH - 1, 'id of the last record');
        view.acknowledgeRead(seq);
      },
      records: RECORDS,
    };
    return { cost: measureCost(round, options) };
  },
};

export const arrowCases = [readBatch, writeBatch];
