import {
  type RecordBatch as Batch,
  Bool,
  type Data,
  DateDay,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int32,
  Int64,
  List,
  makeData,
  Null,
  RecordBatch,
  TimestampMillisecond,
  tableFromArrays,
  Uint32,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { readRecordBatch, writeRecordBatch } from '../../../dist/arrow.js';
import {
  createStrand,
  type FieldDescriptor,
  StrandCapacityError,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { expectThrown } from '../support/strands.js';

function batchOf(columns: Record<string, Vector>): Batch {
  const data = Object.entries(columns).map(([name, vector]) => [name, vector.data[0] as Data]);
  return new RecordBatch(Object.fromEntries(data)) as unknown as Batch;
}

function open(fields: readonly FieldDescriptor[], internTable?: readonly string[]) {
  const strand = createStrand(fields, { indexCapacity: 16, ...(internTable && { internTable }) });
  return { writer: new StrandWriter(strand), view: new StrandView(strand) };
}

/** Values of the one field `v` after one column was written into it. */
function written(field: Omit<FieldDescriptor, 'name'>, vector: Vector, internTable?: readonly string[]) {
  const { writer, view } = open([{ name: 'v', ...field }], internTable);
  writeRecordBatch(writer, batchOf({ v: vector }));
  const cursor = view.allocateCursor();
  return Array.from({ length: view.committedCount }, (_, i) => {
    cursor.seek(i);
    return structuredClone(cursor.get('v'));
  });
}

/** What writing one column into the field `v` throws; nothing is written. */
function refused(
  field: Omit<FieldDescriptor, 'name'>,
  vector: Vector,
  type: Parameters<typeof expectThrown>[1],
  details: object = {},
) {
  const { writer, view } = open([{ name: 'v', ...field }], ['a', 'b']);
  const error = expectThrown(() => writeRecordBatch(writer, batchOf({ v: vector })), type, {
    field: 'v',
    ...details,
  });
  expect(view.committedCount).toBe(0);
  return error.message;
}

describe('numbers', () => {
  test('of another type go where they fit', () => {
    expect(written({ type: 'u8' }, vectorFromArray([0, 255], new Int32()))).toStrictEqual([0, 255]);
    expect(written({ type: 'i64' }, vectorFromArray([-1, 2], new Int8()))).toStrictEqual([-1n, 2n]);
    expect(written({ type: 'i32' }, vectorFromArray([-1n], new Int64()))).toStrictEqual([-1]);
    expect(written({ type: 'f32' }, vectorFromArray([0.1], new Float64()))).toStrictEqual([Math.fround(0.1)]);
    expect(written({ type: 'i16' }, vectorFromArray([3], new Float64()))).toStrictEqual([3]);
    expect(written({ type: 'u16' }, vectorFromArray([true, false], new Bool()))).toStrictEqual([1, 0]);
    expect(written({ type: 'bool8' }, vectorFromArray([1, 0], new Int8()))).toStrictEqual([true, false]);
  });

  test('that do not fit are refused with their record', () => {
    refused({ type: 'u8' }, vectorFromArray([0, 256], new Int32()), RangeError, { record: 1 });
    refused({ type: 'u8' }, vectorFromArray([0.5], new Float64()), RangeError, { record: 0 });
  });

  test('behind nulls do not matter', () => {
    const data = makeData({
      type: new Int32(),
      data: Int32Array.of(7, 999),
      nullBitmap: Uint8Array.of(0b01),
    });
    expect(written({ type: 'u8', nullable: true }, new Vector([data]))).toStrictEqual([7, null]);
  });

  test('of half precision are refused by name', () => {
    expect(refused({ type: 'f32' }, vectorFromArray([1], new Float16()), TypeError)).toMatch(/half floats/);
  });

  test('are dates and timestamps in their units', () => {
    const times = vectorFromArray([new Date(1500)], new TimestampMillisecond());
    expect(written({ type: 'i64' }, times)).toStrictEqual([1500n]);
    expect(written({ type: 'f64' }, times)).toStrictEqual([1500]);
    const days = vectorFromArray([new Date(86_400_000)], new DateDay());
    expect(written({ type: 'i32' }, days)).toStrictEqual([1]);
  });
});

describe('a dictionary', () => {
  const strings = ['b', 'a', null, 'b', 'c'];
  const dictionary = vectorFromArray(strings, new Dictionary(new Utf8(), new Int8()));

  test('becomes handles of an intern table, by string', () => {
    const field = { type: 'utf8_ref', nullable: true } as const;
    expect(written(field, dictionary, ['a', 'b', 'c', 'b'])).toStrictEqual(strings);
    expect(written(field, dictionary.slice(2), ['a', 'b', 'c'])).toStrictEqual(
      ['b', 'c'].toSpliced(0, 0, null as never),
    );
    expect(written(field, vectorFromArray(strings, new Utf8()), ['c', 'b', 'a'])).toStrictEqual(strings);
  });

  test('with a string that the table does not have is refused', () => {
    const field = { type: 'utf8_ref', nullable: true } as const;
    expect(refused(field, dictionary, RangeError, { record: 4 })).toMatch(
      /2 strings of the intern table, got "c"/,
    );
  });

  test('needs a table, which may be given', () => {
    const { writer, view } = open([{ name: 'v', type: 'utf8_ref', nullable: true }]);
    const batch = batchOf({ v: dictionary });
    expectThrown(() => writeRecordBatch(writer, batch), TypeError, { field: 'v' });
    writeRecordBatch(writer, batch, { internTable: ['a', 'b', 'c'] });
    expect(view.readColumns(['v'], 0, 5, { packed: true })).toMatchObject({
      v: { values: Uint32Array.of(1, 0, 0, 1, 2) },
    });
  });

  test('becomes texts', () => {
    expect(written({ type: 'utf8', nullable: true }, dictionary)).toStrictEqual(strings);
    expect(written({ type: 'large_utf8', nullable: true }, dictionary.slice(1))).toStrictEqual(
      strings.slice(1),
    );
  });

  test('of numbers becomes the numbers', () => {
    const numbers = vectorFromArray([300, 5, 300], new Dictionary(new Int32(), new Int8()));
    expect(written({ type: 'u16' }, numbers)).toStrictEqual([300, 5, 300]);
    refused({ type: 'u8' }, numbers, RangeError, { record: 0 });
  });

  test('may hold nulls itself', () => {
    const data = makeData({
      type: new Dictionary(new Utf8(), new Int32()),
      data: Int32Array.of(0, 1, 0),
      dictionary: vectorFromArray(['a', null], new Utf8()),
    });
    expect(written({ type: 'utf8', nullable: true }, new Vector([data]))).toStrictEqual(['a', null, 'a']);
    refused({ type: 'utf8' }, new Vector([data]), TypeError, { record: 1 });
  });

  test('with an index outside is refused', () => {
    const data = makeData({
      type: new Dictionary(new Utf8(), new Int32()),
      data: Int32Array.of(0, 9),
      dictionary: vectorFromArray(['a'], new Utf8()),
    });
    refused({ type: 'utf8' }, new Vector([data]), RangeError, { record: 1 });
  });
});

describe('lists and bytes', () => {
  const item = <T extends Float32 | Int32>(type: T) => new Field('item', type, true);

  test('of fixed size become arrays, absent where they are null', () => {
    const child = makeData({ type: new Float32(), data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    const data = makeData({
      type: new FixedSizeList(2, item(new Float32())),
      child,
      length: 3,
      nullBitmap: Uint8Array.of(0b101),
    });
    const vector = new Vector([data]);
    const all = [Float32Array.of(1, 2), null, Float32Array.of(5, 6)];
    expect(written({ type: 'f32_array' }, vector)).toStrictEqual(all);
    expect(written({ type: 'f32_array' }, vector.slice(1))).toStrictEqual(all.slice(1));
  });

  test('of other elements are refused', () => {
    const vector = vectorFromArray([[1]], new List(item(new Int32())));
    expect(refused({ type: 'f32_array' }, vector, TypeError)).toMatch(/lists of Float32, got List<Int32>/);
  });

  test('with nulls in them are refused', () => {
    const vector = vectorFromArray([[1], null, [2, null]], new List(item(new Int32())));
    expect(refused({ type: 'i32_array' }, vector, TypeError, { record: 2 })).toMatch(/null at 1/);
    expect(written({ type: 'i32_array' }, vector.slice(0, 2))).toStrictEqual([Int32Array.of(1), null]);
  });

  test('of a fixed length go into fields of that length, and into bytes', () => {
    const data = makeData({ type: new FixedSizeBinary(2), data: Uint8Array.of(1, 2, 3, 4) });
    const vector = new Vector([data]);
    const values = [Uint8Array.of(1, 2), Uint8Array.of(3, 4)];
    expect(written({ type: 'fixed_bytes', length: 2 }, vector)).toStrictEqual(values);
    expect(written({ type: 'large_bytes' }, vector)).toStrictEqual(values);
    expect(refused({ type: 'fixed_bytes', length: 3 }, vector, TypeError)).toMatch(/3 bytes a value/);
  });
});

describe('columns', () => {
  const numbers = vectorFromArray([1, 2], new Uint32());
  const fields = [
    { name: 'n', type: 'u32' },
    { name: 't', type: 'utf8' },
  ] as const;

  test('that lack, that nobody knows, or of another type are refused before anything is written', () => {
    const { writer, view } = open(fields);
    const write = (columns: Record<string, Vector>) => () => writeRecordBatch(writer, batchOf(columns));
    const text = vectorFromArray(['a', 'b'], new Utf8());
    expectThrown(write({ n: numbers }), TypeError, { field: 't' });
    expectThrown(write({ n: numbers, t: text, more: numbers }), TypeError, { field: 'more' });
    expectThrown(write({ n: numbers, t: numbers }), TypeError, { field: 't' });
    expectThrown(write({ n: text, t: text }), TypeError, { field: 'n' });
    expect(view.committedCount).toBe(0);
    write({ t: text, n: numbers })();
    expect(view.committedCount).toBe(2);
  });

  test('with nulls need a field that can be null', () => {
    const vector = vectorFromArray([1, null], new Uint32());
    expect(refused({ type: 'u32' }, vector, TypeError, { record: 1 })).toMatch(/not nullable/);
    expect(written({ type: 'u32', nullable: true }, vector)).toStrictEqual([1, null]);
    expect(
      written({ type: 'utf8', nullable: true }, new Vector([makeData({ type: new Null(), length: 2 })])),
    ).toStrictEqual([null, null]);
  });

  test('shorter than the batch are filled with nulls, as Arrow has it', () => {
    const { writer, view } = open([
      { name: 'n', type: 'u32', nullable: true },
      { name: 't', type: 'utf8', nullable: true },
      { name: 'all', type: 'u32' },
    ]);
    const one = { n: vectorFromArray([1], new Uint32()), t: vectorFromArray(['a'], new Utf8()) };
    writeRecordBatch(writer, batchOf({ ...one, all: vectorFromArray([1, 2, 3], new Uint32()) }));
    expect(view.readColumn('n', 0, 3, { validity: new Uint32Array(1) })).toHaveLength(3);
    expect(view.readColumn('t', 0, 3)).toStrictEqual(['a', null, null]);
  });

  test('of no record write nothing', () => {
    const { writer, view } = open(fields);
    writeRecordBatch(writer, readRecordBatch(view, 0, 0));
    expect(view.committedCount).toBe(0);
  });

  test('with a text too long for its field are refused with the record', () => {
    const long = vectorFromArray(['a', 'x'.repeat(70_000)], new Utf8());
    refused({ type: 'utf8' }, long, StrandCapacityError, { record: 1 });
  });
});

test('what is no record batch is refused with a remedy', () => {
  const { writer } = open([{ name: 'n', type: 'u32' }]);
  const table = tableFromArrays({ n: Uint32Array.of(1) });
  expect(expectThrown(() => writeRecordBatch(writer, table as never), TypeError).message).toMatch(
    /table.batches/,
  );
  expectThrown(() => writeRecordBatch(writer, null as never), TypeError);
  expectThrown(() => writeRecordBatch({} as never, table.batches[0] as Batch), TypeError);
});
