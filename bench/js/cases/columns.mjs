/** Columns of numbers and texts on one thread: the other side works off the clock. */

import { expectEqual, measureCost } from '../measure.mjs';
import { createPlainRing, PlainView, PlainWriter } from '../plain_ring.mjs';

const SLOTS = 65_536;
const RECORDS = 60_000;
const HEAP_BYTES = 4 * 1024 * 1024;
const CHECKED = 2_000;
/** Values of one call. Longer lists are large objects, whose texts the engine frees only with a full collection. */
const CALL = 10_000;

const NUMBERS = [
  { name: 'id', type: 'u32' },
  { name: 'x', type: 'f32' },
  { name: 'y', type: 'f64' },
];
const WITH_TEXT = [...NUMBERS, { name: 'label', type: 'utf8' }];

/** Slots and texts once, which stay in the third level. */
const metricsOf = (contender, bytesPerRecord) => ({
  cost: { unit: 'ns', over: 'minimum', limit: { contender, bytesPerRecord } },
});
const ours = { needsBuild: true };

/** @param {number} count @param {number} characters of each label */
function makeColumns(count, characters) {
  return {
    id: Uint32Array.from({ length: count }, (_, i) => i),
    x: Float32Array.from({ length: count }, (_, i) => i * 0.37),
    y: Float64Array.from({ length: count }, (_, i) => i * 1.1),
    label: Array.from({ length: count }, (_, i) => `label ${i}`.padEnd(characters, '.')),
  };
}

function recordsOf({ id, x, y, label }) {
  return Array.from(id, (_, i) => ({ id: id[i], x: x[i], y: y[i], label: label[i] }));
}

function without(name, record) {
  const { [name]: _, ...rest } = record;
  return rest;
}

async function openStrand(fields) {
  const { createStrand, StrandView, StrandWriter } = await import('@strand/core');
  const hasText = fields.some(({ type }) => type === 'utf8');
  const strand = createStrand(fields, { indexCapacity: SLOTS, ...(hasText && { heapCapacity: HEAP_BYTES }) });
  const writer = new StrandWriter(strand);
  writer.begin();
  return { writer, view: new StrandView(strand) };
}

function openPlain(fields) {
  const ring = createPlainRing(fields, { slots: SLOTS, heapBytes: HEAP_BYTES });
  return { writer: new PlainWriter(ring), view: new PlainView(ring) };
}

function sumOf(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

function lengthOf(texts) {
  let length = 0;
  for (let i = 0; i < texts.length; i++) length += texts[i].length;
  return length;
}

/** What reads one field of the records from <= seq < to, contender by contender. */
const readers = {
  async 'strand, into memory'(field, columns) {
    const { writer, view } = await openStrand(WITH_TEXT);
    writer.writeColumns(columns);
    const out = field === 'x' ? new Float32Array(CALL) : [];
    return (from, to) => view.readColumn(field, from, to, out);
  },
  async strand(field, columns) {
    const { writer, view } = await openStrand(WITH_TEXT);
    writer.writeColumns(columns);
    return (from, to) => view.readColumn(field, from, to);
  },
  async 'strand, cursor'(field, columns) {
    const { writer, view } = await openStrand(WITH_TEXT);
    writer.writeColumns(columns);
    return byCursor(view.allocateCursor(), field);
  },
  async 'plain ring, cursor'(field, columns) {
    const { writer, view } = openPlain(WITH_TEXT);
    writer.writeRecordBatch(recordsOf(columns));
    return byCursor(view.allocateCursor(), field);
  },
};

function byCursor(cursor, field) {
  return field === 'x'
    ? (from, to) => {
        const values = new Float32Array(to - from);
        for (let seq = from; seq < to; seq++) {
          cursor.seek(seq);
          values[seq - from] = cursor.getF32('x');
        }
        return values;
      }
    : (from, to) => {
        const values = [];
        for (let seq = from; seq < to; seq++) {
          cursor.seek(seq);
          values.push(cursor.getString('label'));
        }
        return values;
      };
}

/**
 * @param {object} definition
 * @param {Record<string, number>} definition.targets by contender
 * @returns {import('./case.mjs').JsCase}
 */
function readCase({ name, title, replaced, field, bytes, targets }) {
  const entryOf = (contender) => {
    if (contender.startsWith('plain')) return { yardstick: true };
    return contender in targets ? { ...ours, targets: { cost: targets[contender] } } : ours;
  };
  const contenders = Object.fromEntries(
    Object.keys(readers).map((contender) => [contender, entryOf(contender)]),
  );
  return {
    name,
    title,
    threads: 1,
    metrics: metricsOf('read L3', bytes),
    replaced: { cost: replaced },
    contenders,
    async check(contender) {
      const read = await readers[contender](field, makeColumns(CHECKED, 16));
      return Array.from(read(0, CHECKED), (value) => ({ value }));
    },
    async measure(contender, options) {
      const columns = makeColumns(RECORDS, 16);
      const read = await readers[contender](field, columns);
      const total = field === 'x' ? sumOf : lengthOf;
      const expected = total(columns[field].slice(-CALL));
      let values;
      const round = {
        timed() {
          for (let from = 0; from < RECORDS; from += CALL) values = read(from, from + CALL);
        },
        after: () => expectEqual(total(values), expected, 'sum of the values read'),
        records: RECORDS,
      };
      return { cost: measureCost(round, options) };
    },
  };
}

/** What writes a batch, contender by contender; gives the records that came, and releases them. */
const writers = {
  async strand(fields, columns) {
    const { writer, view } = await openStrand(fields);
    return { ...ends(view), write: () => writer.writeColumns(columns) };
  },
  async 'strand, packed'(fields, columns) {
    const source = await openStrand(fields);
    source.writer.writeColumns(columns);
    const packed = source.view.readColumns(undefined, 0, columns.id.length, { packed: true });
    const { writer, view } = await openStrand(fields);
    return { ...ends(view), write: () => writer.writeColumns(packed) };
  },
  async 'strand, objects'(fields, _columns, records) {
    const { writer, view } = await openStrand(fields);
    return { ...ends(view), write: () => writer.writeRecordBatch(records) };
  },
  async 'plain ring, objects'(fields, _columns, records) {
    const { writer, view } = openPlain(fields);
    return { ...ends(view), write: () => writer.writeRecordBatch(records) };
  },
};

function ends(view) {
  const cursor = view.allocateCursor();
  let seq = 0;
  return {
    collect(names, count) {
      return Array.from({ length: count }, (_, i) => {
        cursor.seek(seq + i);
        const all = { id: cursor.getU32('id'), x: cursor.getF32('x'), y: cursor.getF64('y') };
        return names.includes('label') ? { ...all, label: cursor.getString('label') } : all;
      });
    },
    /** Looks at the last record and releases all. */
    release(count) {
      cursor.seek(seq + count - 1);
      const last = cursor.getU32('id');
      seq += count;
      view.acknowledgeRead(seq);
      return last;
    },
  };
}

/** @returns {import('./case.mjs').JsCase} */
function writeCase({ name, title, replaced, fields, bytes, target, batch }) {
  const hasText = fields === WITH_TEXT;
  const prepare = (contender, count) => {
    const columns = makeColumns(count, 17);
    const records = recordsOf(columns);
    return writers[contender](
      fields,
      hasText ? columns : without('label', columns),
      hasText ? records : records.map((record) => without('label', record)),
    );
  };
  return {
    name,
    title,
    threads: 1,
    metrics: metricsOf('copy L3', bytes),
    replaced: { cost: replaced },
    contenders: {
      strand: { ...ours, targets: { cost: target } },
      ...(hasText && { 'strand, packed': ours }),
      'strand, objects': ours,
      'plain ring, objects': { yardstick: true },
    },
    async check(contender) {
      const lane = await prepare(contender, CHECKED);
      lane.write();
      return lane.collect(
        fields.map((field) => field.name),
        CHECKED,
      );
    },
    async measure(contender, options) {
      const lane = await prepare(contender, batch);
      const batches = Math.floor(RECORDS / batch);
      const round = {
        timed() {
          for (let i = 0; i < batches; i++) lane.write();
        },
        after: () => expectEqual(lane.release(batches * batch), batch - 1, 'id of the last record'),
        records: batches * batch,
      };
      return { cost: measureCost(round, options) };
    },
  };
}

export const columnCases = [
  readCase({
    name: 'read-column-f32',
    title: 'a column of f32, 10,000 values a call, per value',
    replaced: 74,
    field: 'x',
    bytes: 24,
    targets: { 'strand, into memory': 1 },
  }),
  readCase({
    name: 'read-column-utf8',
    title: 'a column of 16-byte utf8, 10,000 values a call, per value',
    replaced: 130,
    field: 'label',
    bytes: 24 + 16,
    targets: { 'strand, into memory': 16, strand: 16 },
  }),
  writeCase({
    name: 'write-columns',
    title: 'columns of u32, f32, f64 in batches of 1,000, per record',
    replaced: 51,
    fields: NUMBERS,
    bytes: 16,
    target: 3,
    batch: 1000,
  }),
  writeCase({
    name: 'write-columns-string',
    title: 'those plus a 17-character utf8, per record',
    replaced: 447,
    fields: WITH_TEXT,
    bytes: 24 + 17,
    target: 45,
    batch: 1000,
  }),
];
