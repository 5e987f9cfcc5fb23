import {
  type RecordBatch as Batch,
  Field,
  Float32,
  Int64,
  LargeBinary,
  LargeList,
  LargeUtf8,
  makeData,
  RecordBatch,
  Table,
  tableFromIPC,
  tableToIPC,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { arrowSchema, readRecordBatch, strandFields, writeRecordBatch } from '../../../dist/arrow.js';
import {
  buildSchema,
  createStrand,
  FIELD_BYTE_WIDTHS,
  type FieldDescriptor,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { everyType } from '../support/every_type.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';

const TABLE = ['buy', 'sell', 'häld'];
const FIELDS: readonly FieldDescriptor[] = everyType.fields(FIELD_BYTE_WIDTHS);

function openAll(fields: readonly FieldDescriptor[] = FIELDS, indexCapacity = 64) {
  const strand = createStrand(fields, { indexCapacity, heapCapacity: 1 << 16, internTable: TABLE });
  return { writer: new StrandWriter(strand), view: new StrandView(strand) };
}

function recordsOf(view: StrandView, from: number, to: number): unknown[] {
  const cursor = view.allocateCursor();
  return Array.from({ length: to - from }, (_, i) => {
    if (!cursor.seek(from + i)) throw new Error(`record ${from + i} is not there`);
    return structuredClone(cursor.toObject());
  });
}

/** What a batch becomes on a strand of its own. */
function written(batch: Batch, fields: readonly FieldDescriptor[] = FIELDS): unknown[] {
  const { writer, view } = openAll(fields);
  writeRecordBatch(writer, batch);
  return recordsOf(view, 0, view.committedCount);
}

/** The batch through the bytes of an IPC stream. */
function throughIpc(batch: Batch): Batch {
  return tableFromIPC(tableToIPC(new Table([batch]))).batches[0] as Batch;
}

/** A batch of one column. */
function batchOf(name: string, vector: Vector): Batch {
  return new RecordBatch({ [name]: vector.data[0] as never }) as unknown as Batch;
}

describe('records of every type, nulls among them', () => {
  const open = () => {
    const ends = openAll();
    ends.writer.writeRecordBatch(Array.from({ length: 50 }, (_, i) => everyType.record(i)));
    return ends;
  };

  test('come back as they were', () => {
    const { view } = open();
    expect(written(readRecordBatch(view, 0, 50))).toStrictEqual(recordsOf(view, 0, 50));
  });

  test('come back as they were through the bytes of an IPC stream', () => {
    const { view } = open();
    expect(written(throughIpc(readRecordBatch(view, 0, 50)))).toStrictEqual(recordsOf(view, 0, 50));
  });

  test('have in Arrow the values that a cursor reads', () => {
    const { view } = open();
    const batch = readRecordBatch(view, 3, 50);
    const records = recordsOf(view, 3, 50) as Record<string, unknown>[];
    for (const { name, type } of FIELDS) {
      const column = batch.getChild(name) as Vector;
      records.forEach((record, i) => {
        const value = column.get(i);
        const isJson = type.includes('json') && value !== null;
        const plain = isJson ? JSON.parse(value) : value instanceof Vector ? value.toArray() : value;
        expect(plain, `${name} of record ${i}`).toStrictEqual(record[name]);
      });
    }
  });

  test.each([1, 7, 8, 9, 31, 32, 33])('of a slice from %i on come back', (from) => {
    const { view } = open();
    const batch = readRecordBatch(view, 0, 50);
    expect(written(batch.slice(from, 47))).toStrictEqual(recordsOf(view, from, 47));
    expect(written(throughIpc(batch.slice(from, 47)).slice(1))).toStrictEqual(recordsOf(view, from + 1, 47));
  });

  test('of one view go into one table, whatever call read them', () => {
    const { view } = open();
    const table = new Table([readRecordBatch(view, 0, 20), readRecordBatch(view, 20, 50)]);
    expect(table.numRows).toBe(50);
    const again = tableFromIPC(tableToIPC(table));
    expect(again.batches.flatMap((batch) => written(batch))).toStrictEqual(recordsOf(view, 0, 50));
  });

  test('are nobody else’s: later records do not change a batch', () => {
    const { view, writer } = open();
    const batch = readRecordBatch(view, 0, 50);
    const before = batch.toArray().map(String);
    view.acknowledgeRead(50);
    writer.writeRecordBatch(Array.from({ length: 60 }, (_, i) => everyType.record(i + 1000)));
    expect(batch.toArray().map(String)).toStrictEqual(before);
  });
});

describe('random records, in a ring that wraps', () => {
  test('come back as they were', () => {
    const random = seeded(seed);
    const { writer, view } = openAll(FIELDS, 32);
    let seq = 0;
    for (let round = 0; round < 40; round++) {
      const count = random.between(1, 32);
      const records = Array.from({ length: count }, () => {
        const record = everyType.record(random.below(30_000)) as Record<string, unknown>;
        for (const name of Object.keys(record)) if (random.below(10) < 3) record[name] = null;
        return record;
      });
      writer.writeRecordBatch(records);
      const expected = recordsOf(view, seq, seq + count);
      const batch = readRecordBatch(view, seq, seq + count);
      expect(written(batch), `STRAND_SEED=${seed}, round ${round}`).toStrictEqual(expected);
      expect(written(throughIpc(batch)), `STRAND_SEED=${seed}, round ${round}`).toStrictEqual(expected);
      seq += count;
      view.acknowledgeRead(seq);
    }
  });
});

describe('a schema', () => {
  test('comes back from its columns’ metadata, through IPC as well', () => {
    const schema = buildSchema(FIELDS);
    const again = buildSchema(strandFields(arrowSchema(schema)));
    expect(again).toStrictEqual(schema);
    const { view } = openAll();
    const batch = throughIpc(readRecordBatch(view, 0, 0));
    expect(buildSchema(strandFields(batch.schema))).toStrictEqual(schema);
  });

  test('says of JSON that it is JSON, as the canonical extension type does', () => {
    const { fields } = arrowSchema(buildSchema([{ name: 'j', type: 'json' }]));
    expect(Object.fromEntries(fields[0]?.metadata ?? [])).toMatchObject({
      'ARROW:extension:name': 'arrow.json',
      'ARROW:extension:metadata': '',
    });
  });

  test('of columns that others made becomes the fields that hold them', () => {
    const batch = new RecordBatch({
      text: vectorFromArray(['a', null], new LargeUtf8()).data[0] as never,
      kind: vectorFromArray(['a', 'b']).data[0] as never,
      time: vectorFromArray([new Date(0), new Date(1)]).data[0] as never,
    });
    expect(strandFields(batch.schema)).toStrictEqual([
      { name: 'text', type: 'large_utf8', nullable: true },
      { name: 'kind', type: 'utf8', nullable: true },
      { name: 'time', type: 'i64', nullable: true },
    ]);
  });
});

describe('columns with 64-bit offsets', () => {
  const text = vectorFromArray(['ä', null, '', 'long text'], new LargeUtf8());
  const bytes = vectorFromArray([Uint8Array.of(1), null, new Uint8Array(0)], new LargeBinary());

  test('go into text and bytes', () => {
    expect(written(batchOf('t', text), [{ name: 't', type: 'utf8', nullable: true }])).toStrictEqual([
      { t: 'ä' },
      { t: null },
      { t: '' },
      { t: 'long text' },
    ]);
    expect(written(batchOf('b', bytes.slice(1)), [{ name: 'b', type: 'bytes' }])).toStrictEqual([
      { b: null },
      { b: new Uint8Array(0) },
    ]);
  });

  test('go into arrays', () => {
    const child = makeData({ type: new Float32(), data: Float32Array.of(0, 1, 2, 3, 4) });
    const data = makeData({
      type: new LargeList(new Field('item', new Float32(), true)),
      valueOffsets: BigInt64Array.of(1n, 3n, 3n, 5n),
      child,
    });
    expect(written(batchOf('a', new Vector([data])), [{ name: 'a', type: 'f32_array' }])).toStrictEqual([
      { a: Float32Array.of(1, 2) },
      { a: new Float32Array(0) },
      { a: Float32Array.of(3, 4) },
    ]);
  });

  test('Int64 goes into doubles that equal it, and into no other', () => {
    const fields = [{ name: 'n', type: 'f64' }] as const;
    const exact = vectorFromArray([1n, -(2n ** 60n)], new Int64());
    expect(written(batchOf('n', exact), fields)).toStrictEqual([{ n: 1 }, { n: -(2 ** 60) }]);
    const inexact = vectorFromArray([1n, 2n ** 60n + 1n], new Int64());
    expect(() => written(batchOf('n', inexact), fields)).toThrow(/'n' of record 1 has no double/);
  });
});
