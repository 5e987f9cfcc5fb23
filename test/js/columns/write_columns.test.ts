import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createStrand,
  type FieldDescriptor,
  type LoosePackedColumn,
  type RecordCursor,
  type Schema,
  StrandAbortError,
  StrandCapacityError,
  StrandClosedError,
  StrandError,
  StrandFencedError,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { hasPayload, isNumeric } from '../support/columns.js';
import { exampleFields, exampleRecord, INTERN_TABLE, plainRecord } from '../support/records.js';
import { seed } from '../support/seed.js';
import { expectThrown, numbered, numbersOf, open, openNumbered } from '../support/strands.js';

const HEAP = 1 << 17;

interface Loose {
  readonly strand: { readonly sab: SharedArrayBuffer };
  readonly writer: StrandWriter<Schema>;
  readonly view: StrandView<Schema>;
  readonly cursor: RecordCursor;
}

function loose(fields: readonly FieldDescriptor[], indexCapacity = 32, heapCapacity = HEAP): Loose {
  const strand = createStrand(fields, { indexCapacity, heapCapacity, internTable: INTERN_TABLE });
  const writer = new StrandWriter(strand) as unknown as StrandWriter<Schema>;
  const view = new StrandView(strand) as unknown as StrandView<Schema>;
  writer.begin();
  return { strand, writer, view, cursor: view.allocateCursor() };
}

function rowsOf({ view, cursor }: Loose, from = 0): unknown[] {
  return Array.from({ length: view.committedCount - from }, (_, i) => {
    expect(cursor.seek(from + i)).toBe(true);
    return plainRecord(cursor.toObject());
  });
}

/** Columns of records as lists. A field that no record has is left out now and then. */
function listsOf(fields: readonly FieldDescriptor[], records: readonly object[]): object {
  const columns = {};
  for (const { name } of fields) {
    const value = records.map((record) =>
      Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined,
    );
    if (value.every((each) => each === undefined) && records.length > 0) continue;
    Object.defineProperty(columns, name, { value, enumerable: true });
  }
  return columns;
}

const example = (maxLength: number) =>
  exampleFields.chain((fields) =>
    fc.tuple(fc.constant(fields), fc.array(exampleRecord(fields), { maxLength })),
  );

describe('writeColumns', () => {
  test('writes what writeRecordBatch writes, of any schema, wherever the ring wraps', () => {
    fc.assert(
      fc.property(example(24), fc.nat(31), ([fields, examples], ahead) => {
        const records = examples.map(({ written }) => written);
        const [byRows, byColumns] = [loose(fields), loose(fields)];
        for (const ends of [byRows, byColumns]) {
          ends.writer.writeRecordBatch(Array.from({ length: ahead }, () => ({})));
          ends.view.acknowledgeRead(ahead);
        }
        byRows.writer.writeRecordBatch(records);
        byColumns.writer.writeColumns(listsOf(fields, records), records.length);
        expect(byColumns.view.committedCount).toBe(ahead + records.length);
        expect(rowsOf(byColumns, ahead)).toStrictEqual(rowsOf(byRows, ahead));
      }),
      { seed, numRuns: 300 },
    );
  });

  test('writes back what readColumns gives, packed or not', () => {
    fc.assert(
      fc.property(example(24), fc.nat(31), fc.boolean(), ([fields, examples], ahead, packed) => {
        const [source, target] = [loose(fields), loose(fields)];
        source.writer.writeRecordBatch(examples.map(({ written }) => written));
        target.writer.writeRecordBatch(Array.from({ length: ahead }, () => ({})));
        target.view.acknowledgeRead(ahead);
        const columns = source.view.readColumns(undefined, 0, examples.length, { packed: packed as true });
        target.writer.writeColumns(columns);
        const known = (row: unknown) => {
          const values = new Map(row as ReadonlyMap<string, unknown>);
          // A handle outside the table reads null, and is written as a null.
          if (!packed) for (const { name, type } of fields) if (type === 'utf8_ref') values.delete(name);
          return values;
        };
        expect(rowsOf(target, ahead).map(known)).toStrictEqual(rowsOf(source).map(known));
      }),
      { seed, numRuns: 300 },
    );
  });

  test('writes the first `count` of longer columns', () => {
    const ends = openNumbered();
    ends.writer.writeColumns({ n: Uint32Array.of(5, 6, 7) }, 2);
    ends.writer.writeColumns({ n: [8, 9] }, 0);
    ends.writer.writeColumns({ n: new Uint32Array(0) });
    ends.writer.writeColumns({}, 2);
    expect(numbersOf(ends)).toStrictEqual([5, 6, 0, 0]);
  });

  test('takes null for zero and validity bits for nulls in every form', () => {
    const fields = [
      { name: 'n', type: 'u16', nullable: true },
      { name: 'm', type: 'i64' },
      { name: 's', type: 'utf8', nullable: true },
      { name: 'b', type: 'bytes', nullable: true },
    ] as const;
    const { writer, view } = open(fields, { heapCapacity: 256 });
    const validity = Uint32Array.of(0b101);
    writer.writeColumns({
      n: { values: Uint16Array.of(1, 2, 3), validity },
      m: [1n, null, true],
      s: { values: ['a', 'b', 'c'], validity },
      b: { offsets: Int32Array.of(0, 1, 3, 4), values: Uint8Array.of(1, 2, 3, 4), validity },
    });
    expect(view.readColumn('s', 0, 3)).toStrictEqual(['a', null, 'c']);
    expect(view.readColumn('b', 0, 3)).toStrictEqual([Uint8Array.of(1), null, Uint8Array.of(4)]);
    expect(view.readColumn('m', 0, 3)).toStrictEqual(BigInt64Array.of(1n, 0n, 1n));
    expect(view.readColumns(['n'], 0, 3).n).toStrictEqual({ values: Uint16Array.of(1, 0, 3), validity });
    expect(validity).toStrictEqual(Uint32Array.of(0b101));
  });

  test('does not look at values of a list that the bits leave out', () => {
    const { writer, view } = open(
      [
        { name: 'n', type: 'u8' },
        { name: 's', type: 'utf8' },
        { name: 'a', type: 'i32_array' },
        { name: 'id', type: 'fixed_bytes', length: 2 },
      ],
      { heapCapacity: 64 },
    );
    const validity = Uint32Array.of(0b01);
    writer.writeColumns({
      n: { values: [1, 'x' as never], validity },
      s: { values: ['a', 5 as never], validity },
      a: { values: [[1], 'x' as never], validity },
      id: { values: [[1, 2], [1]], validity },
    });
    expect([...view.readColumn('n', 0, 2)]).toStrictEqual([1, 0]);
    expect(view.readColumn('a', 0, 2)).toStrictEqual([Int32Array.of(1), null]);
    expect(view.readColumns(['s'], 0, 2).s.values).toStrictEqual(['a', '']);
  });

  test('takes as many bits for a list as there are records, and no fewer', () => {
    const { writer, view } = open([{ name: 'n', type: 'u8', nullable: true }], { indexCapacity: 64 });
    const column = { values: new Array(33).fill(1), validity: Uint32Array.of(0xffff_fffe) };
    expectThrown(() => writer.writeColumns({ n: column }), RangeError, { field: 'n' });
    writer.writeColumns({ n: column }, 32);
    expect([...view.readColumn('n', 0, 3)]).toStrictEqual([0, 1, 1]);
    // A null behind the last bit that was given.
    column.values[32] = null;
    expectThrown(() => writer.writeColumns({ n: column }), RangeError, { field: 'n' });
  });

  test('takes packed JSON of no bytes for what is left out', () => {
    const { writer, view } = open([{ name: 'j', type: 'json' }], { heapCapacity: 64 });
    const values = Buffer.from('12');
    writer.writeColumns({ j: { offsets: Int32Array.of(0, 1, 1, 2), values } });
    expect(view.readColumn('j', 0, 3)).toStrictEqual([1, null, 2]);
    expect(view.readColumns(['j'], 0, 3, { packed: true }).j.validity).toStrictEqual(Uint32Array.of(0b101));
  });

  test('takes packed columns that do not start at their buffer’s first element', () => {
    const fields = [
      { name: 's', type: 'utf8' },
      { name: 'a', type: 'f64_array' },
    ] as const;
    const { writer, view } = open(fields, { heapCapacity: 256 });
    writer.writeColumns({
      s: { offsets: Int32Array.of(2, 4, 4), bytes: Buffer.from('abcdef').subarray() as Uint8Array },
      a: { offsets: Int32Array.of(1, 2, 4), values: Float64Array.of(0, 1, 2, 3, 4) },
    } as never);
    expect(view.readColumn('s', 0, 2)).toStrictEqual(['cd', '']);
    expect(view.readColumn('a', 0, 2)).toStrictEqual([Float64Array.of(1), Float64Array.of(2, 3)]);
  });

  test('makes U+FFFD of lone surrogates, also of halves that meet between two texts', () => {
    const { writer, view } = open([{ name: 's', type: 'utf8' }], { heapCapacity: 256 });
    writer.writeColumns({ s: ['a\ud83d', '\ude00b', '😀', '\ud800'] });
    expect(view.readColumn('s', 0, 4)).toStrictEqual(['a\ufffd', '\ufffdb', '😀', '\ufffd']);
  });

  test('writes texts of every length, also long ones among short ones', () => {
    const texts = Array.from({ length: 5000 }, (_, i) =>
      i === 2500 || i === 4999 ? 'é'.repeat(1 << 20) : `${i % 9 === 0 ? 'ü€😀' : ''}${'x'.repeat(i % 40)}`,
    );
    const { writer, view } = open([{ name: 's', type: 'large_utf8' }], {
      indexCapacity: 8192,
      heapCapacity: 1 << 24,
    });
    writer.writeColumns({ s: texts });
    expect(view.readColumn('s', 0, texts.length)).toStrictEqual(texts);
  });

  test('passes batches larger than the ring and the heap to a consumer in steps', async () => {
    const fields = [
      { name: 'n', type: 'u32' },
      { name: 's', type: 'utf8' },
      { name: 'a', type: 'f64_array', nullable: true },
    ] as const;
    const { startThread } = await import('../support/threads.mjs');
    const strand = createStrand(fields, { indexCapacity: 16, heapCapacity: 300 });
    const producer = startThread(({ strand, data }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      writer.writeColumns({
        n: Uint32Array.from({ length: 500 }, (_, i) => i),
        s: Array.from({ length: 500 }, (_, i) => 'ab€'.repeat(i % 10)),
        a: Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? null : new Float64Array(i % 8).fill(i))),
      });
      writer.finalize();
    }, strand);
    const view = new StrandView(strand);
    let seen = 0;
    for await (const batch of view) {
      const { n, s, a } = view.readColumns(undefined, batch.from, batch.to);
      for (let i = 0; i < batch.length; i++, seen++) {
        expect(n.values[i]).toBe(seen);
        expect(s.values[i]).toBe('ab€'.repeat(seen % 10));
        expect(a.values[i]).toStrictEqual(seen % 3 === 0 ? null : new Float64Array(seen % 8).fill(seen));
      }
    }
    expect(seen).toBe(500);
    await producer.done();
  });
});

describe('a batch of columns that is refused', () => {
  const fields = [
    { name: 'n', type: 'u8' },
    { name: 'f', type: 'f32' },
    { name: 'big', type: 'u64' },
    { name: 'flag', type: 'bool8' },
    { name: 'ref', type: 'utf8_ref' },
    { name: 's', type: 'utf8' },
    { name: 'j', type: 'json' },
    { name: 'a', type: 'i32_array' },
    { name: 'id', type: 'fixed_bytes', length: 4 },
  ] as const;
  const offsets = (...values: number[]) => Int32Array.from(values);
  const circular: unknown[] = [];
  circular.push(circular);

  const refusals: [string, object | undefined, new (...args: never[]) => Error, object][] = [
    ['no object', undefined, TypeError, {}],
    ['no column and no count', {}, TypeError, {}],
    ['an unknown column', { m: [1] }, TypeError, { field: 'm' }],
    ['an inherited name', { toString: [1] }, TypeError, { field: 'toString' }],
    ['unequal lengths', { n: [1, 2], f: [1] }, RangeError, { field: 'f' }],
    ['another typed array', { n: new Uint16Array(1) }, TypeError, { field: 'n' }],
    ['another one of the same size', { n: new Uint8ClampedArray(1) }, TypeError, { field: 'n' }],
    ['a Float64Array for f32', { f: new Float64Array(1) }, TypeError, { field: 'f' }],
    ['signed for unsigned', { big: new BigInt64Array(1) }, TypeError, { field: 'big' }],
    ['a scalar', { n: 1 }, TypeError, { field: 'n' }],
    ['bare bytes for texts', { s: new Uint8Array(1) }, TypeError, { field: 's' }],
    [
      'packed numbers',
      { n: { offsets: offsets(0, 1), values: new Uint8Array(1) } },
      TypeError,
      { field: 'n' },
    ],
    ['out of range', { n: [1, 256] }, RangeError, { field: 'n', record: 1 }],
    ['no integer', { n: [1, 2, 0.5] }, RangeError, { field: 'n', record: 2 }],
    ['NaN in an integer', { n: [Number.NaN] }, RangeError, { field: 'n', record: 0 }],
    ['a string in numbers', { f: [1, '2'] }, TypeError, { field: 'f', record: 1 }],
    ['a bigint in floats', { f: [1n] }, TypeError, { field: 'f', record: 0 }],
    ['a negative u64', { big: [1n, -1] }, RangeError, { field: 'big', record: 1 }],
    ['NaN as a boolean', { flag: [Number.NaN] }, RangeError, { field: 'flag', record: 0 }],
    ['a string outside the table', { ref: ['one', 'two'] }, RangeError, { field: 'ref', record: 1 }],
    ['a number in texts', { s: ['', 1] }, TypeError, { field: 's', record: 1 }],
    ['a text too long', { s: ['', 'é'.repeat(32768)] }, StrandCapacityError, { field: 's', record: 1 }],
    ['no JSON', { j: [1, circular] }, TypeError, { field: 'j', record: 1 }],
    ['an array of another class', { a: [new Uint32Array(1)] }, TypeError, { field: 'a', record: 0 }],
    [
      'an array too long',
      { a: [null, new Int32Array(20000)] },
      StrandCapacityError,
      { field: 'a', record: 1 },
    ],
    ['bytes of another length', { id: [[1, 2, 3, 4], [1]] }, RangeError, { field: 'id', record: 1 }],
    ['flat bytes with a rest', { id: new Uint8Array(9) }, RangeError, { field: 'id' }],
    ['no offsets', { a: { offsets: offsets(), values: new Int32Array(1) } }, RangeError, { field: 'a' }],
    [
      'descending offsets',
      { a: { offsets: offsets(0, 2, 1), values: new Int32Array(2) } },
      RangeError,
      { field: 'a', record: 1 },
    ],
    [
      'offsets past the values',
      { a: { offsets: offsets(0, 1, 3), values: new Int32Array(2) } },
      RangeError,
      { field: 'a', record: 1 },
    ],
    [
      'negative offsets',
      { a: { offsets: offsets(-1, 1), values: new Int32Array(2) } },
      RangeError,
      { field: 'a', record: 0 },
    ],
    [
      'offsets of another class',
      { a: { offsets: [0, 1], values: new Int32Array(1) } },
      TypeError,
      { field: 'a' },
    ],
    [
      'packed values of another class',
      { a: { offsets: offsets(0, 1), values: new Uint8Array(4) } },
      TypeError,
      { field: 'a' },
    ],
    [
      'too few validity bits',
      { n: { values: new Uint8Array(33), validity: new Uint32Array(1) } },
      RangeError,
      { field: 'n' },
    ],
    [
      'validity of another class',
      { n: { values: new Uint8Array(1), validity: [1] } },
      TypeError,
      { field: 'n' },
    ],
    [
      'a record larger than the heap',
      { s: ['', 'x'.repeat(600)], a: [null, new Int32Array(200)] },
      StrandCapacityError,
      { field: 'a', record: 1 },
    ],
  ];

  test.each(refusals)('says so before anything is written: %s', (_name, columns, type, details) => {
    const { writer, view } = open(fields, { indexCapacity: 64, heapCapacity: 1024, internTable: ['one'] });
    const error = expectThrown(() => writer.writeColumns(columns as never), type, details);
    expect(error).toHaveProperty('code');
    expect(error).not.toHaveProperty('recordsWritten');
    expect(view.committedCount).toBe(0);
    writer.writeColumns({ n: [7] });
    expect([...view.readColumn('n', 0, 1)]).toStrictEqual([7]);
  });

  test('names a count that is none, or that the columns do not reach', () => {
    const { writer } = openNumbered();
    for (const count of [-1, 1.5, '1', Number.NaN, 3]) {
      expectThrown(() => writer.writeColumns({ n: [1, 2] }, count as number), RangeError);
    }
  });

  test('is refused as writeRecordBatch refuses: claims, fence, end, close, a queued batch', async () => {
    const { strand, writer } = openNumbered();
    writer.claimSlot();
    expectThrown(() => writer.writeColumns({ n: [1] }), StrandError, { code: 'ERR_STRAND_CLAIMS_OPEN' });
    writer.commitSlot(0);
    const pending = writer.writeRecordBatchAsync(numbered(0, 20));
    expectThrown(() => writer.writeColumns({ n: [1] }), StrandError, { code: 'ERR_STRAND_REENTRANT' });
    new StrandView(strand).signalAbort('enough');
    await expect(pending).rejects.toThrow(StrandAbortError);
    expectThrown(() => writer.writeColumns({ n: [1] }), StrandAbortError, { reason: 'enough' });
    const newer = new StrandWriter(strand);
    expectThrown(() => writer.writeColumns({ n: [1] }), StrandFencedError);
    newer.finalize();
    expectThrown(() => newer.writeColumns({ n: [1] }), StrandClosedError);
    newer.close();
    expectThrown(() => newer.writeColumns({ n: [1] }), StrandClosedError);
  });
});

describe('user code that runs while columns are taken', () => {
  test('is run once for each property and element, and cannot call the writer', () => {
    const { writer, view } = open(
      [
        { name: 'n', type: 'u8' },
        { name: 'j', type: 'json' },
      ],
      { heapCapacity: 64 },
    );
    const reads: string[] = [];
    const spy = <T extends object>(target: T, label: string): T =>
      new Proxy(target, {
        get(object, key, receiver) {
          if (typeof key === 'string') reads.push(`${label}.${key}`);
          return Reflect.get(object, key, receiver) as unknown;
        },
      });
    const nested = {
      toJSON() {
        expectThrown(() => writer.writeColumns({ n: [1] }), StrandError, { code: 'ERR_STRAND_REENTRANT' });
        expectThrown(() => writer.write({ n: 1 }), StrandError, { code: 'ERR_STRAND_REENTRANT' });
        return 'j';
      },
    };
    writer.writeColumns(spy({ n: spy([1, 2], 'n'), j: [nested, 2] }, 'columns'));
    expect(reads.sort()).toStrictEqual(['columns.j', 'columns.n', 'n.0', 'n.1', 'n.length']);
    expect(view.readColumn('j', 0, 2)).toStrictEqual(['j', 2]);
  });

  test.each([
    ['a text', { t: ['hello', 'world', 5], j: [1, 2, 3] }],
    ['a JSON value', { t: ['a', 'b', 'c'], j: [1, 2, () => 3] }],
    ['a number in a later column', { t: ['secret', 'of', 'others'], z: [1, 2, -1] }],
  ])('leave nothing in the next batch where %s is refused in the middle of a column', (_, wrong) => {
    const { writer, view } = open([
      { name: 't', type: 'utf8' },
      { name: 'j', type: 'json' },
      { name: 'z', type: 'u8' },
    ]);
    expect(() => writer.writeColumns(wrong as never)).toThrow();
    writer.writeColumns({ t: ['aa', 'bb', 'cc'], j: [4, 5, 6], z: [7, 8, 9] });
    expect(view.readColumn('t', 0, 3)).toStrictEqual(['aa', 'bb', 'cc']);
    expect(view.readColumn('j', 0, 3)).toStrictEqual([4, 5, 6]);
  });

  test('may detach, shrink and throw, and the writer stays usable', () => {
    const { writer, view } = open(
      [
        { name: 'n', type: 'u8' },
        { name: 'b', type: 'bytes' },
        { name: 'j', type: 'json' },
      ],
      { heapCapacity: 64 },
    );
    const during = (run: () => void) => ({
      toJSON() {
        run();
        return 1;
      },
    });
    const detach = (array: Uint8Array<ArrayBuffer>) =>
      structuredClone(array.buffer, { transfer: [array.buffer] });
    const n = new Uint8Array(1);
    expectThrown(() => writer.writeColumns({ n, j: [during(() => detach(n))] }), RangeError, { field: 'j' });
    const b = new Uint8Array(8).fill(1);
    writer.writeColumns({ b: [b], j: [during(() => detach(b))] });
    expect(view.readColumn('b', 0, 1)).toStrictEqual([new Uint8Array(0)]);
    const fault = new Error('mine');
    expect(() =>
      writer.writeColumns({
        j: [
          during(() => {
            throw fault;
          }),
        ],
      }),
    ).toThrow(fault);
    writer.writeColumns({ n: [5] });
    expect([...view.readColumn('n', 0, 2)]).toStrictEqual([0, 5]);
  });

  test('takes shared memory that another thread changes, and writes some of it', () => {
    const { writer, view } = open(
      [
        { name: 'n', type: 'u32' },
        { name: 'b', type: 'large_bytes' },
      ],
      { heapCapacity: 1024 },
    );
    const offsets = new Int32Array(new SharedArrayBuffer(12));
    offsets.set([0, 3, 5]);
    const values = new Uint8Array(new SharedArrayBuffer(5)).fill(7);
    const n = new Uint32Array(new SharedArrayBuffer(8)).fill(9);
    writer.writeColumns({ n, b: { offsets, values } });
    expect(view.readColumn('b', 0, 2)).toStrictEqual([new Uint8Array(3).fill(7), new Uint8Array(2).fill(7)]);
    expect([...view.readColumn('n', 0, 2)]).toStrictEqual([9, 9]);
  });
});

test('a column of each kind is what the tests above think it is', () => {
  const names = (test: (field: FieldDescriptor) => boolean) =>
    ['u8', 'f64', 'bool8', 'utf8_ref', 'utf8', 'json', 'bytes', 'fixed_bytes', 'i64_array'].filter((type) =>
      test({ name: 'x', type: type as 'u8' }),
    );
  expect(names(isNumeric)).toStrictEqual(['u8', 'f64', 'bool8']);
  expect(names(hasPayload)).toStrictEqual(['utf8', 'json', 'bytes', 'i64_array']);
  const packed: LoosePackedColumn = { values: new Uint8Array(0) };
  expect(packed.offsets).toBeUndefined();
});
