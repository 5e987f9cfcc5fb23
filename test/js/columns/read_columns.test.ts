import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createStrand,
  type FieldDescriptor,
  type LoosePackedColumn,
  type Schema,
  StrandClosedError,
  StrandResetError,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { bitsOf, columnOf, hasPayload, isNumeric, valuesByCursor } from '../support/columns.js';
import { exampleFields, exampleRecord, FIELD_TYPES, INTERN_TABLE, plain } from '../support/records.js';
import { seed } from '../support/seed.js';
import { expectThrown, NUMBERED, numbered, open, openNumbered } from '../support/strands.js';

const HEAP = 1 << 16;

/** A strand known only at run time, of which `released` records are gone and the rest is unread. */
function filled(fields: readonly FieldDescriptor[], records: readonly object[], indexCapacity = 8) {
  const strand = createStrand(fields, { indexCapacity, heapCapacity: HEAP, internTable: INTERN_TABLE });
  const writer = new StrandWriter(strand);
  const view = new StrandView(strand) as unknown as StrandView<Schema>;
  writer.begin();
  for (const [i, record] of records.entries()) {
    writer.write(record);
    if (i + 1 > indexCapacity / 2) view.acknowledgeRead(i + 1 - indexCapacity / 2);
  }
  return { strand, writer, view, cursor: view.allocateCursor() };
}

const everyField: FieldDescriptor[] = FIELD_TYPES.flatMap((type) =>
  [false, true].map((nullable) => ({
    name: `${type}${nullable ? '?' : ''}`,
    type,
    nullable,
    ...(type === 'fixed_bytes' && { length: 7 }),
  })),
);

const listed = (values: ArrayLike<unknown>): unknown[] =>
  Array.from(values, (value) => (ArrayBuffer.isView(value) ? plain(value) : value));

const CLASSES: Readonly<Record<string, unknown>> = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
  bool8: Uint8Array,
};

/** What a packed column says of record `i`. */
function unpacked(field: FieldDescriptor, column: LoosePackedColumn, i: number): unknown {
  const { offsets, values } = column;
  if (offsets !== undefined) {
    const part = values.slice(offsets[i], offsets[i + 1]) as Uint8Array;
    if (field.type.endsWith('utf8')) return Buffer.from(part).toString();
    return field.type.endsWith('json') ? JSON.parse(Buffer.from(part).toString()) : plain(part);
  }
  if (field.type === 'fixed_bytes') {
    const length = field.length as number;
    return plain((values as Uint8Array).slice(i * length, (i + 1) * length));
  }
  return field.type === 'utf8_ref' ? (INTERN_TABLE[values[i] as number] ?? null) : values[i];
}

describe('readColumn and readColumns', () => {
  test('give what the cursor reads, packed or not, of any schema, wherever the ring wraps', () => {
    fc.assert(
      fc.property(
        exampleFields.chain((fields) =>
          fc.tuple(fc.constant(fields), fc.array(exampleRecord(fields), { minLength: 1, maxLength: 20 })),
        ),
        fc.nat(),
        fc.nat(),
        ([fields, examples], a, b) => {
          const { view, cursor } = filled(
            fields,
            examples.map(({ written }) => written),
          );
          const oldest = view.effectiveReadCursor;
          const from = oldest + (a % (examples.length - oldest));
          const to = from + (b % (examples.length - from + 1));
          const columns = view.readColumns(undefined, from, to);
          const packed = view.readColumns(undefined, from, to, { packed: true });
          expect(Object.keys(columns).sort()).toStrictEqual(fields.map(({ name }) => name).sort());
          for (const field of fields) {
            const values = valuesByCursor(cursor, field.name, from, to);
            const expected = columnOf(field, values);
            expect(listed(view.readColumn(field.name, from, to))).toStrictEqual(expected);
            const column = Object.getOwnPropertyDescriptor(columns, field.name)?.value;
            expect(listed(column.values)).toStrictEqual(expected);
            expect(column.validity === undefined).toBe(!field.nullable);
            const flat = Object.getOwnPropertyDescriptor(packed, field.name)?.value as LoosePackedColumn;
            expect(flat.offsets === undefined).toBe(!hasPayload(field));
            const present = bitsOf(flat.validity, to - from);
            values.forEach((value, i) => {
              // A handle outside the table is a value, which reads null.
              if (field.type !== 'utf8_ref') {
                expect(present[i]).toBe(value !== null);
                if (field.nullable) expect(bitsOf(column.validity, to - from)[i]).toBe(value !== null);
              }
              if (value === null && hasPayload(field)) expect(flat.offsets?.[i]).toBe(flat.offsets?.[i + 1]);
              else if (present[i]) expect(unpacked(field, flat, i)).toStrictEqual(expected[i]);
            });
          }
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  test('give typed arrays of the field’s type, and lists of everything else', () => {
    const { view } = filled(everyField, [{}, {}]);
    for (const field of everyField) {
      const values = view.readColumn(field.name, 0, 2);
      if (isNumeric(field)) expect(values).toBeInstanceOf(CLASSES[field.type]);
      else expect(Array.isArray(values)).toBe(true);
      expect(values).toHaveLength(2);
    }
  });

  test('give nothing for an empty range', () => {
    const { view } = filled(everyField, [{}]);
    for (const { name } of everyField) {
      expect(view.readColumn(name, 1, 1)).toHaveLength(0);
      const { offsets, values } = view.readColumns([name], 0, 0, { packed: true })[name] as LoosePackedColumn;
      expect(values).toHaveLength(0);
      if (offsets !== undefined) expect(offsets).toStrictEqual(new Int32Array(1));
    }
  });

  test('give arrays over one private buffer, which outlives the records', () => {
    const { view, writer } = open([{ name: 'b', type: 'bytes' }], { indexCapacity: 4, heapCapacity: 64 });
    writer.writeRecordBatch([{ b: new Uint8Array([1, 2]) }, { b: null }, { b: new Uint8Array(0) }]);
    const values = view.readColumn('b', 0, 3);
    view.acknowledgeRead(3);
    writer.writeRecordBatch(Array.from({ length: 4 }, () => ({ b: new Uint8Array(10).fill(9) })));
    expect(values).toStrictEqual([new Uint8Array([1, 2]), null, new Uint8Array(0)]);
    expect(values[0]?.buffer).toBe(values[2]?.buffer);
    expect(values[0]?.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test('tell in packed form which values were left out of fields that are not nullable', () => {
    const fields = [
      { name: 'b', type: 'bytes' },
      { name: 'j', type: 'json' },
      { name: 's', type: 'utf8' },
    ] as const;
    const { view, writer } = open(fields, { heapCapacity: 64 });
    writer.writeRecordBatch([{ b: new Uint8Array(1), j: 1, s: 's' }]);
    expect(view.readColumns(undefined, 0, 1, { packed: true }).b.validity).toBeUndefined();
    writer.writeRecordBatch([{}]);
    const { b, j, s } = view.readColumns(undefined, 0, 2, { packed: true });
    expect([b.validity, j.validity, s.validity]).toStrictEqual([
      new Uint32Array([1]),
      new Uint32Array([1]),
      undefined,
    ]);
  });

  test('read a column of 10,000 texts of every length up to a megabyte', () => {
    const { view, writer } = open([{ name: 's', type: 'large_utf8', nullable: true }], {
      indexCapacity: 16384,
      heapCapacity: 1 << 23,
    });
    const texts = Array.from({ length: 10_000 }, (_, i) => {
      if (i === 5000) return 'é'.repeat(1 << 19);
      return i % 7 === 0 ? null : `${'añ😀'.slice(0, i % 4)}${'x'.repeat(i % 300)}`;
    });
    writer.writeRecordBatch(texts.map((s) => ({ s })));
    const expected = texts.map((text) => text && Buffer.from(text).toString());
    expect(view.readColumn('s', 0, 10_000)).toStrictEqual(expected);
    expect(view.readColumn('s', 4999, 5002)).toStrictEqual(expected.slice(4999, 5002));
  });
});

describe('a JSON text null', () => {
  test('is present, in a list as in packed form', () => {
    const { writer, view } = open([{ name: 'j', type: 'json', nullable: true }]);
    writer.writeColumns({ j: [{ toJSON: () => null }, null, 1] });
    const listed = view.readColumns(['j'], 0, 3);
    const packed = view.readColumns(['j'], 0, 3, { packed: true });
    expect([...(listed.j.validity as Uint32Array)]).toEqual([0b101]);
    expect([...(packed.j.validity as Uint32Array)]).toEqual([0b101]);
  });
});

describe('readColumn into memory of the caller’s', () => {
  test.each([
    new DataView(new ArrayBuffer(64)),
    new ArrayBuffer(64),
    new SharedArrayBuffer(64),
    new Map(),
    {},
  ])('refuses what is neither that nor { values, validity }: %s', (out) => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    expectThrown(() => view.readColumn('n', 0, 3, out as never), TypeError, {
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
  });

  test('refuses values and validity in the same memory', () => {
    const { writer, view } = open([{ name: 'n', type: 'u32', nullable: true }]);
    writer.writeRecordBatch([{ n: 1 }, { n: 2 }] as never);
    const values = new Uint32Array(4);
    const validity = values.subarray(1, 2);
    expectThrown(() => view.readColumn('n', 0, 2, { values, validity } as never), RangeError, {
      code: 'ERR_STRAND_OUT_OF_RANGE',
    });
  });

  test('returns the used part of a typed array', () => {
    const { view, writer } = openNumbered();
    writer.writeRecordBatch(numbered(0, 5));
    const out = new Uint32Array(7).fill(99);
    const values = view.readColumn('n', 1, 4, out);
    expect(values).toStrictEqual(new Uint32Array([1, 2, 3]));
    expect(values.buffer).toBe(out.buffer);
    expect([...out]).toStrictEqual([1, 2, 3, 99, 99, 99, 99]);
    expect(view.readColumn('n', 0, 5, out.subarray(2)).byteOffset).toBe(8);
    const exact = new Uint32Array(5);
    expect(view.readColumn('n', 0, 5, exact)).toBe(exact);
    const shared = new Uint32Array(new SharedArrayBuffer(20));
    expect([...view.readColumn('n', 0, 5, shared)]).toStrictEqual([0, 1, 2, 3, 4]);
  });

  test('gives an array the length of the range', () => {
    const { view, writer } = open([{ name: 's', type: 'utf8' }], { heapCapacity: 64 });
    writer.writeRecordBatch([{ s: 'a' }, { s: 'b' }]);
    for (const out of [[], ['x', 'y', 'z']]) {
      expect(view.readColumn('s', 0, 2, out)).toBe(out);
      expect(out).toStrictEqual(['a', 'b']);
    }
  });

  test('fills a validity bitset of any kind of field, and nothing behind it', () => {
    const { view, writer } = open(
      [
        { name: 'n', type: 'u8', nullable: true },
        { name: 'all', type: 'u8' },
        { name: 's', type: 'utf8', nullable: true },
        { name: 'b', type: 'bytes', nullable: true },
        { name: 'f', type: 'fixed_bytes', length: 2, nullable: true },
      ],
      { indexCapacity: 128, heapCapacity: 1024 },
    );
    const present = (i: number) => i % 3 !== 1;
    writer.writeRecordBatch(
      Array.from({ length: 70 }, (_, i) =>
        present(i) ? { n: i, all: 1, s: '', b: new Uint8Array(0), f: [1, 2] } : { all: 1 },
      ),
    );
    for (const name of ['n', 's', 'b', 'f', 'all'] as const) {
      const validity = new Uint32Array(4).fill(0xffffffff);
      view.readColumn(name, 0, 70, { validity });
      expect(bitsOf(validity, 70)).toStrictEqual(
        Array.from({ length: 70 }, (_, i) => name === 'all' || present(i)),
      );
      expect([(validity[2] as number) >>> 6, validity[3]]).toStrictEqual([0, 0xffffffff]);
    }
    const values = new Uint8Array(100);
    expect([...view.readColumn('n', 0, 3, { values })]).toStrictEqual([0, 0, 2]);
  });

  test('refuses memory of another class and memory without room', () => {
    const { view, writer } = open(
      [
        { name: 'n', type: 'u32' },
        { name: 's', type: 'utf8' },
      ],
      { indexCapacity: 64, heapCapacity: 64 },
    );
    writer.writeRecordBatch(Array.from({ length: 40 }, () => ({})));
    const read = (name: 'n' | 's', out: unknown) => () => view.readColumn(name, 0, 40, out as never);
    for (const out of [new Int32Array(40), [], new DataView(new ArrayBuffer(160)), 1, null, 'x']) {
      if (out instanceof DataView) continue;
      expectThrown(read('n', out), TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT' });
    }
    expectThrown(read('s', new Uint8Array(40)), TypeError);
    expectThrown(read('n', { values: [] }), TypeError);
    expectThrown(read('n', { validity: new Int32Array(9) }), TypeError);
    expectThrown(read('n', new Uint32Array(39)), RangeError, { code: 'ERR_STRAND_OUT_OF_RANGE' });
    expectThrown(read('s', { validity: new Uint32Array(1) }), RangeError);
    const detached = new Uint32Array(40);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expectThrown(read('n', detached), RangeError);
  });
});

describe('a range that cannot be read', () => {
  const calls = (view: StrandView<Schema>, from: unknown, to: unknown) => [
    () => view.readColumn('n', from as number, to as number),
    () => view.readColumns(['n'], from as number, to as number),
    () => view.readColumns(undefined, from as number, to as number, { packed: true }),
  ];

  test('is a RangeError where it is none, or not committed', () => {
    const { view, writer } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    const wrong: [unknown, unknown][] = [
      [2, 1],
      [-1, 1],
      [0, 1.5],
      ['0', 1],
      [0, undefined],
      [0, Number.NaN],
      [0, 4],
      [0, 2 ** 53],
      [4, 4],
    ];
    for (const [from, to] of wrong) {
      for (const call of calls(view as never, from, to)) {
        expectThrown(call, RangeError, { code: 'ERR_STRAND_OUT_OF_RANGE' });
      }
    }
    expect(() => view.readColumn('n', 0, 4)).toThrow('3 are committed');
  });

  test('is a RangeError that names the oldest intact record where the producer may have come around', () => {
    const { view, writer, cursor } = open([...NUMBERED, { name: 's', type: 'utf8' }], { heapCapacity: 64 });
    const records = (from: number, s: string) => numbered(from, from + 4).map((record) => ({ ...record, s }));
    writer.writeRecordBatch(records(0, 'x'.repeat(10)));
    view.acknowledgeRead(4);
    writer.writeRecordBatch(records(4, 'y'.repeat(10)));
    let oldest = 0;
    while (oldest < 8) {
      try {
        cursor.seek(oldest);
        break;
      } catch {
        oldest++;
      }
    }
    expect(oldest).toBeGreaterThan(0);
    for (const call of calls(view as never, oldest - 1, 8)) {
      expect(call).toThrow(`The oldest intact record is ${oldest}`);
      expectThrown(call, RangeError);
    }
    expect([...view.readColumn('n', oldest, 8)]).toStrictEqual(numbered(oldest, 8).map(({ n }) => n));
    expect(view.readColumn('s', oldest, 8).at(-1)).toBe('y'.repeat(10));
  });

  test('is a StrandResetError after a reset, until the view enters the new stream', async () => {
    const { view, writer } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    writer.reset();
    for (const call of calls(view as never, 0, 1)) expectThrown(call, StrandResetError);
    writer.writeRecordBatch(numbered(7, 9));
    await view.waitForCommit(0);
    expect([...view.readColumn('n', 0, 2)]).toStrictEqual([7, 8]);
  });

  test('is a StrandClosedError after close()', () => {
    const { view, writer } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    view.close();
    for (const call of calls(view as never, 0, 1)) expectThrown(call, StrandClosedError);
  });

  test('is a TypeError of an unknown field', () => {
    const { view } = openNumbered();
    expectThrown(() => view.readColumn('m' as 'n', 0, 0), TypeError);
    expectThrown(() => view.readColumns(['n', 'm' as 'n'], 0, 0), TypeError);
    expectThrown(() => view.readColumns('n' as never, 0, 0), TypeError);
    expectThrown(() => view.readColumns(undefined, 0, 0, 1 as never), TypeError);
  });
});
