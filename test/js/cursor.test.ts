import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FieldDescriptor, type FieldType, type RecordCursor, StrandView } from '../../dist/index.js';
import { FIELD_TYPES } from './support/records.js';
import { expectThrown, numbered, open, openNumbered } from './support/strands.js';

const OUT_OF_RANGE = { code: 'ERR_STRAND_OUT_OF_RANGE' };

const ACCESSORS = {
  getU8: ['u8'],
  getU16: ['u16'],
  getU32: ['u32'],
  getU64: ['u64'],
  getI8: ['i8'],
  getI16: ['i16'],
  getI32: ['i32'],
  getI64: ['i64'],
  getF32: ['f32'],
  getF64: ['f64'],
  getBool: ['bool8'],
  getRef: ['utf8_ref'],
  getString: ['utf8', 'large_utf8'],
  getJson: ['json', 'large_json'],
  getBytes: ['bytes', 'large_bytes', 'fixed_bytes'],
  getI32Array: ['i32_array'],
  getU32Array: ['u32_array'],
  getF32Array: ['f32_array'],
  getF64Array: ['f64_array'],
  getI64Array: ['i64_array'],
} as const satisfies Record<string, readonly FieldType[]>;

type AccessorName = keyof typeof ACCESSORS;

const ALL = FIELD_TYPES.map(
  (type): FieldDescriptor => ({
    name: type,
    type,
    ...(type === 'fixed_bytes' ? { length: 4 } : {}),
  }),
);

/** A record of all types. */
const FULL: Readonly<Record<FieldType, unknown>> = {
  u8: 1,
  u16: 2,
  u32: 3,
  u64: 4n,
  i8: -1,
  i16: -2,
  i32: -3,
  i64: -4n,
  f32: 0.5,
  f64: 0.25,
  bool8: true,
  utf8_ref: 'one',
  utf8: 'text é',
  large_utf8: 'long text',
  json: { a: [1] },
  large_json: ['json'],
  bytes: Uint8Array.of(1, 2, 3),
  large_bytes: Uint8Array.of(4, 5),
  fixed_bytes: Uint8Array.of(6, 7, 8, 9),
  i32_array: Int32Array.of(-1, 1),
  u32_array: Uint32Array.of(2),
  f32_array: Float32Array.of(0.5, 1.5),
  f64_array: Float64Array.of(0.1),
  i64_array: BigInt64Array.of(-1n, 2n),
};

const TABLE = ['zero', 'one'];

function openFull(indexCapacity = 4, heapCapacity = 512) {
  const ends = open(ALL, { indexCapacity, heapCapacity, internTable: TABLE });
  return { ...ends, loose: ends.cursor as unknown as RecordCursor };
}

describe('before the first seek', () => {
  test('a cursor stands at −1, and everything reads null', () => {
    const { writer, loose } = openFull();
    writer.write(FULL);
    expect(loose.seq).toBe(-1);
    for (const { name } of ALL) {
      expect(loose.get(name)).toBeNull();
      expect((loose.row as Record<string, unknown>)[name]).toBeNull();
      for (const accessor of Object.keys(ACCESSORS)) expect(loose[accessor as AccessorName](name)).toBeNull();
    }
    expect(loose.toObject()).toEqual(Object.fromEntries(ALL.map(({ name }) => [name, null])));
  });
});

describe('seek()', () => {
  test('goes to every record that is committed, in any order', () => {
    const { writer, view, cursor } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 8));
    for (const seq of [0, 7, 3, 3, 4, 1]) {
      expect(cursor.seek(seq)).toBe(true);
      expect([cursor.seq, cursor.getU32('n')]).toEqual([seq, seq]);
    }
    view.acknowledgeRead(8);
    writer.writeRecordBatch(numbered(8, 11));
    for (const seq of [10, 8, 9, 7, 3]) {
      expect(cursor.seek(seq)).toBe(true);
      expect([cursor.seq, cursor.getU32('n')]).toEqual([seq, seq]);
    }
  });

  test('is false outside what is committed, and the cursor stays', () => {
    const { writer, cursor } = openNumbered(4);
    expect(cursor.seek(0)).toBe(false);
    expect(cursor.seq).toBe(-1);
    writer.writeRecordBatch(numbered(0, 3));
    writer.claimSlot();
    cursor.seek(1);
    const outside = [
      3,
      4,
      100,
      -1,
      -0.5,
      2 ** 31,
      2 ** 32,
      2 ** 32 + 1,
      2 ** 53,
      1e300,
      Number.POSITIVE_INFINITY,
    ];
    for (const seq of [...outside, Number.NEGATIVE_INFINITY, Number.NaN]) {
      expect(cursor.seek(seq)).toBe(false);
      expect([cursor.seq, cursor.getU32('n')]).toEqual([1, 1]);
    }
    expect(cursor.seek(-0)).toBe(true);
    expect(cursor.getU32('n')).toBe(0);
  });

  test('is false between two records', () => {
    const { writer, cursor } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 3));
    cursor.seek(1);
    for (const seq of [0.5, 1.5, 2 - 1e-9, Number.MIN_VALUE]) {
      expect(cursor.seek(seq)).toBe(false);
      expect([cursor.seq, cursor.getU32('n')]).toEqual([1, 1]);
    }
  });

  test.each(['1', 1n, undefined, null, {}, [1], true])('refuses what is no number: %s', (seq) => {
    const { writer, cursor } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 3));
    for (const at of [-1, 2]) {
      expectThrown(() => cursor.seek(seq as number), TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT' });
      expect(cursor.seq).toBe(at);
      cursor.seek(2);
    }
  });

  test('sees what is committed since the view was asked last', () => {
    const { writer, cursor } = openNumbered(4);
    for (let n = 0; n < 4; n++) {
      expect(cursor.seek(n)).toBe(false);
      writer.write({ n });
      expect(cursor.seek(n)).toBe(true);
    }
  });

  test('throws for a record that may have been overwritten, whoever released it', () => {
    const { strand, writer, view, cursor } = openNumbered(4);
    const other = new StrandView(strand);
    const otherCursor = other.allocateCursor();
    writer.writeRecordBatch(numbered(0, 4));
    for (const one of [cursor, otherCursor]) expect(one.seek(0)).toBe(true);
    view.acknowledgeRead(3);
    writer.writeRecordBatch(numbered(4, 6));
    for (const one of [cursor, otherCursor]) {
      for (const seq of [0, 1]) {
        const error = expectThrown(() => one.seek(seq), RangeError, OUT_OF_RANGE);
        expect(error.message).toMatch(new RegExp(`record ${seq} may have been overwritten`));
      }
      const read = [2, 3, 4, 5].map((seq) => one.seek(seq) && one.getU32('n'));
      expect(read).toEqual([2, 3, 4, 5]);
    }
  });

  test('throws for a record whose slot is filled again and not committed', () => {
    const { writer, view, cursor } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    view.acknowledgeRead(4);
    writer.claimSlot();
    expectThrown(() => cursor.seek(0), RangeError, OUT_OF_RANGE);
    expect(cursor.seek(1)).toBe(true);
  });

  test('throws for a record whose payload is overwritten, though its slot is not', () => {
    const fields = [
      { name: 'n', type: 'u32' },
      { name: 'text', type: 'utf8' },
    ] as const;
    const { writer, view, cursor } = open(fields, { indexCapacity: 8, heapCapacity: 64 });
    writer.writeRecordBatch([
      { n: 0, text: 'a'.repeat(20) },
      { n: 1, text: 'b'.repeat(20) },
      { n: 2, text: 'c'.repeat(20) },
    ]);
    view.acknowledgeRead(3);
    writer.write({ n: 3, text: 'd'.repeat(30) });
    expect(view.windowStart).toBe(0);
    for (const seq of [0, 1]) expectThrown(() => cursor.seek(seq), RangeError, OUT_OF_RANGE);
    cursor.seek(2);
    expect(cursor.toObject()).toEqual({ n: 2, text: 'c'.repeat(20) });
  });
});

describe('accessors', () => {
  test.each(Object.keys(ACCESSORS) as AccessorName[])(
    '%s reads the fields of its types, and no others',
    (accessor) => {
      const { writer, view, loose } = openFull();
      writer.write(FULL);
      for (const copy of [false, true]) {
        if (copy) view.acknowledgeRead(1);
        loose.seek(0);
        for (const { name, type } of ALL) {
          const isRight = (ACCESSORS[accessor] as readonly FieldType[]).includes(type);
          expect(loose[accessor](name), name).toEqual(isRight ? FULL[type] : null);
        }
        for (const unknown of [
          '',
          'unknown',
          'U8',
          '__proto__',
          'constructor',
          undefined,
          null,
          0,
          Symbol('u8'),
        ]) {
          expect(loose[accessor](unknown as string)).toBeNull();
        }
      }
    },
  );

  test('get(), row and toObject() read every field', () => {
    const { writer, view, loose } = openFull();
    writer.write(FULL);
    for (const copy of [false, true]) {
      if (copy) view.acknowledgeRead(1);
      loose.seek(0);
      expect(loose.toObject()).toEqual(FULL);
      for (const { name, type } of ALL) {
        expect(loose.get(name)).toEqual(FULL[type]);
        expect((loose.row as Record<string, unknown>)[name]).toEqual(FULL[type]);
      }
      for (const unknown of ['', 'unknown', '__proto__', 'constructor', 'toString', undefined, 0]) {
        expect(loose.get(unknown as string)).toBeNull();
      }
      expect((loose.row as Record<string, unknown>).unknown).toBeUndefined();
    }
  });

  test('toObject() gives a plain object of its own, in the order of the schema', () => {
    const { writer, loose } = openFull();
    writer.writeRecordBatch([FULL, {}]);
    loose.seek(0);
    const first = loose.toObject();
    expect(Object.getPrototypeOf(first)).toBe(Object.prototype);
    expect(Object.keys(first)).toEqual(FIELD_TYPES);
    loose.seek(1);
    expect(first).toEqual(FULL);
    expect(loose.toObject()).not.toEqual(FULL);
  });

  test.each(['n', 'constructor', 'toString', 'toJSON', 's', '__proto__'])(
    'row has the fields and nothing else, to be listed, spread and written as JSON: %s',
    (name) => {
      const { writer, view } = open([
        { name, type: 'u32' },
        { name: 'other', type: 'utf8' },
      ]);
      const one = Object.defineProperty({ other: 'x' }, name, { value: 7, enumerable: true });
      writer.write(one as never);
      view.waitForCommitSync(0);
      const cursor = view.allocateCursor();
      const row = cursor.row as Record<string, unknown>;
      cursor.seek(0);
      expect(Object.keys(row)).toEqual([name, 'other']);
      expect(Object.entries({ ...row })).toEqual([
        [name, 7],
        ['other', 'x'],
      ]);
      if (name !== 'toJSON') expect(JSON.stringify(row)).toBe(`{${JSON.stringify(name)}:7,"other":"x"}`);
      for (const inherited of ['constructor', 'toString', 'valueOf']) {
        expect(row[inherited]).toBe(inherited === name ? 7 : undefined);
      }
    },
  );

  test('row is one object, which follows the cursor', () => {
    const { writer, cursor } = openNumbered();
    writer.writeRecordBatch(numbered(5, 8));
    const { row } = cursor;
    const read = [0, 2, 1].map((seq) => cursor.seek(seq) && row.n);
    expect(read).toEqual([5, 7, 6]);
    expect(cursor.row).toBe(row);
    expect(() => {
      (row as { n: number }).n = 9;
    }).toThrow(TypeError);
  });

  test('of two cursors on one view do not disturb each other', () => {
    const { writer, view, loose } = openFull(8, 2048);
    const other = view.allocateCursor() as unknown as RecordCursor;
    const record = (n: number) => ({ ...FULL, u32: n, utf8: `text ${n}`, json: { n } });
    writer.writeRecordBatch([0, 1, 2, 3, 4].map(record));
    view.acknowledgeRead(3);
    for (const [a, b] of [
      [0, 4],
      [4, 0],
      [1, 2],
      [3, 4],
    ] as const) {
      loose.seek(a);
      other.seek(b);
      expect([loose.getU32('u32'), other.getU32('u32')]).toEqual([a, b]);
      expect([other.getString('utf8'), loose.getString('utf8')]).toEqual([`text ${b}`, `text ${a}`]);
      expect([loose.getJson('json'), other.getJson('json')]).toEqual([{ n: a }, { n: b }]);
    }
  });
});

describe('behind the gate', () => {
  test('a record is a copy, which the producer does not reach', () => {
    const { strand, writer, view, loose } = openFull(2, 512);
    writer.writeRecordBatch([FULL, {}]);
    view.acknowledgeRead(2);
    expect(loose.seek(0)).toBe(true);
    const early = loose.toObject();
    for (const value of Object.values(early)) {
      if (ArrayBuffer.isView(value)) expect(value.buffer).not.toBe(strand.sab);
    }
    const other = Object.fromEntries(
      ALL.map(({ name, type }) => [name, type === 'fixed_bytes' ? [1, 1, 1, 1] : null]),
    );
    writer.writeRecordBatch([other, other]);
    writer.tryWriteRecordBatch([]);
    expect(loose.toObject()).toEqual(FULL);
    expectThrown(() => loose.seek(0), RangeError, OUT_OF_RANGE);
    // Where nothing was sought, nothing has changed.
    expect(loose.seq).toBe(0);
    expect(loose.toObject()).toEqual(FULL);
    expect(early).toEqual(FULL);
  });

  test('arrays of a copy are of their own, and stay when the cursor goes on', () => {
    const { writer, view, loose } = openFull(4, 512);
    writer.writeRecordBatch([FULL, { ...FULL, i32_array: [7, 8, 9], fixed_bytes: [1, 1, 1, 1] }]);
    view.acknowledgeRead(2);
    loose.seek(0);
    const [list, fixed] = [loose.getI32Array('i32_array'), loose.getBytes('fixed_bytes')];
    loose.seek(1);
    expect(loose.getI32Array('i32_array')).toEqual(Int32Array.of(7, 8, 9));
    expect([list, fixed]).toEqual([FULL.i32_array, FULL.fixed_bytes]);
  });

  test('records of any size are copied whole, nulls and empties too', () => {
    const fields = [
      { name: 'text', type: 'large_utf8', nullable: true },
      { name: 'json', type: 'json' },
      { name: 'list', type: 'f64_array', nullable: true },
      { name: 'n', type: 'u8', nullable: true },
    ] as const;
    const { writer, view, cursor } = open(fields, { indexCapacity: 32, heapCapacity: 1 << 18 });
    const records = [0, 1, 100, 5000, 3, 70_000, 0, 17].map((length, i) => ({
      text: i % 3 === 2 ? null : 'é'.repeat(length),
      json: i % 2 === 0 ? null : { length },
      list: i % 4 === 1 ? null : new Float64Array(length % 100).fill(i),
      n: i % 2 === 0 ? i : null,
    }));
    writer.writeRecordBatch(records);
    view.acknowledgeRead(records.length);
    for (const order of [[...records.keys()], [...records.keys()].reverse(), [5, 0, 5, 2, 7, 7]]) {
      for (const seq of order) {
        expect(cursor.seek(seq)).toBe(true);
        expect(cursor.toObject()).toEqual(records[seq]);
      }
    }
  });

  test('a cursor goes between copies and the ring', () => {
    const { strand, writer, view, loose } = openFull(8, 2048);
    const record = (n: number) => ({ ...FULL, u32: n, utf8: `text ${n}`, bytes: [n] });
    writer.writeRecordBatch([0, 1, 2, 3, 4, 5].map(record));
    view.acknowledgeRead(3);
    for (const seq of [0, 3, 2, 4, 5, 1, 3, 0, 0, 5]) {
      loose.seek(seq);
      expect([loose.getU32('u32'), loose.getString('utf8')]).toEqual([seq, `text ${seq}`]);
      const bytes = loose.getBytes('bytes');
      expect(bytes).toEqual(Uint8Array.of(seq));
      expect(bytes?.buffer === strand.sab).toBe(seq >= 3);
    }
  });
});

describe('strings', () => {
  const fields = [
    { name: 'a', type: 'utf8' },
    { name: 'b', type: 'utf8', nullable: true },
    { name: 'c', type: 'large_utf8' },
    { name: 'd', type: 'json', nullable: true },
  ] as const;

  const COUNT = 3000;
  const UNITS = ['x', 'é', '€', '😀'];
  const recordOf = (n: number) => ({
    a: `record ${n}`,
    b: n % 7 === 0 ? null : n % 5 === 0 ? '' : (UNITS[n % 4] as string).repeat(n % 60),
    // Now and then one that is longer than any stretch.
    c: n % 500 === 250 ? 'y'.repeat(20_000) : (UNITS[(n >> 4) % 4] as string).repeat(n % 11),
    d: n % 3 === 0 ? null : { n },
  });

  function openTexts() {
    const ends = open(fields, { indexCapacity: 4096, heapCapacity: 1 << 22 });
    ends.writer.writeRecordBatch(Array.from({ length: COUNT }, (_, n) => recordOf(n)));
    return ends;
  }

  type TextCursor = ReturnType<typeof openTexts>['cursor'];

  function expectTexts(cursor: TextCursor, seq: number): void {
    cursor.seek(seq);
    const record = recordOf(seq);
    const read = {
      a: cursor.getString('a'),
      b: cursor.getString('b'),
      c: cursor.getString('c'),
      d: cursor.getJson('d'),
    };
    if (JSON.stringify(read) !== JSON.stringify(record)) expect(read).toEqual(record);
  }

  test('are the same forward, backward and in jumps of any size', () => {
    const { cursor } = openTexts();
    for (let seq = 0; seq < COUNT; seq++) expectTexts(cursor, seq);
    for (let seq = COUNT - 1; seq >= 0; seq--) expectTexts(cursor, seq);
    for (const step of [2, 3, 7, 100, 511, 512, 513]) {
      for (let seq = 0; seq < COUNT; seq += step) expectTexts(cursor, seq);
    }
    fc.assert(
      fc.property(fc.nat({ max: COUNT - 1 }), (seq) => expectTexts(cursor, seq)),
      { numRuns: 500 },
    );
  });

  test('are the same where only some fields of some records are read', () => {
    const { cursor } = openTexts();
    const walk = fc.array(
      fc.tuple(fc.nat({ max: COUNT - 1 }), fc.nat({ max: 40 }), fc.integer({ min: 1, max: 9 })),
    );
    fc.assert(
      fc.property(walk, (runs) => {
        for (const [from, length, step] of runs) {
          for (let seq = from; seq < Math.min(COUNT, from + length); seq++) {
            cursor.seek(seq);
            const record = recordOf(seq);
            if (seq % step !== 0) expect(cursor.getString('b') === record.b).toBe(true);
            if (seq % (step + 1) === 0) expect(cursor.getString('c') === record.c).toBe(true);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('are the same where the cursor moves between the ring and copies', () => {
    const { view, cursor } = openTexts();
    view.acknowledgeRead(COUNT / 2);
    const near = fc.integer({ min: -20, max: 20 }).map((distance) => COUNT / 2 + distance);
    fc.assert(
      fc.property(near, (seq) => expectTexts(cursor, seq)),
      { numRuns: 500 },
    );
    for (let seq = COUNT / 2 - 40; seq < COUNT / 2 + 40; seq++) expectTexts(cursor, seq);
  });

  test('are those of the records that follow, when a stretch went to the end of what was committed', () => {
    const { writer, cursor } = open(fields, { indexCapacity: 64, heapCapacity: 1 << 16 });
    let written = 0;
    for (const more of [1, 2, 3, 10, 1, 1, 20]) {
      for (const end = written + more; written < end; written++) writer.write(recordOf(written));
      for (let seq = written - more; seq < written; seq++) expectTexts(cursor as TextCursor, seq);
    }
  });

  test('and JSON are decoded once a record: JSON is the same object as long as the cursor stays', () => {
    const { cursor } = openTexts();
    for (const seq of [1, 2, 4, 2000]) {
      cursor.seek(seq);
      const value = cursor.getJson('d') as { n: number; own?: boolean };
      value.own = true;
      expect(cursor.getJson('d')).toBe(value);
      expect(cursor.get('d')).toBe(value);
      expect(cursor.row.d).toBe(value);
      expect(cursor.toObject().d).toBe(value);
      cursor.seek(seq);
      expect(cursor.getJson('d')).toBe(value);
    }
    cursor.seek(1);
    expect(cursor.getJson('d')).toEqual({ n: 1 });
  });

  test('that are no text of ours read as text, with U+FFFD', () => {
    const { strand, writer, view, cursor } = open(fields, { indexCapacity: 4, heapCapacity: 64 });
    writer.writeRecordBatch([{ a: 'abcdef', d: 1 }, { a: 'ghi' }]);
    const heap = new Uint8Array(strand.sab, strand.map.header_size + 4 * strand.map.record_stride, 64);
    heap.set([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0x7b]);
    const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(heap.slice(0, 6));
    for (const copy of [false, true]) {
      if (copy) view.acknowledgeRead(2);
      cursor.seek(0);
      expect(cursor.getString('a')).toBe(decoded);
      // And what is no JSON reads null.
      expect(cursor.getJson('d')).toBeNull();
      cursor.seek(1);
      expect(cursor.getString('a')).toBe('ghi');
    }
  });
});
