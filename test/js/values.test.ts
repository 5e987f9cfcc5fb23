import { describe, expect, test } from 'vitest';
import {
  type FieldDescriptor,
  type FieldType,
  heapStart,
  StrandCapacityError,
  StrandView,
} from '../../dist/index.js';
import { absentValue, FIELD_TYPES, limitsOf } from './support/records.js';
import { expectThrown, open } from './support/strands.js';

const HEAP = 256 * 1024;

/** A strand of one field, and what it reads of values that were written in one batch. */
function store(
  field: Omit<FieldDescriptor, 'name'>,
  values: readonly unknown[],
  internTable?: string[],
): unknown[] {
  const fields: readonly FieldDescriptor[] = [{ name: 'value', ...field }];
  const { writer, cursor } = open(fields, { indexCapacity: 64, heapCapacity: HEAP, internTable });
  writer.writeRecordBatch(values.map((value) => ({ value })));
  return values.map((_, seq) => {
    cursor.seek(seq);
    return cursor.get('value');
  });
}

/** The refusal of a value, which must be the same from `write` and from a batch, and leave nothing behind. */
function refuse(field: Omit<FieldDescriptor, 'name'>, value: unknown, internTable?: string[]): Error {
  const fields: readonly FieldDescriptor[] = [
    { name: 'before', type: 'u32' },
    { name: 'value', ...field },
  ];
  const { writer, view } = open(fields, { heapCapacity: HEAP, internTable });
  const details = (record: number) => ({
    field: 'value',
    record,
    code: expect.stringMatching(/^ERR_STRAND_/),
  });
  expectThrown(() => writer.write({ value }), Error, details(0));
  const error = expectThrown(() => writer.writeRecordBatch([{}, {}, { value }, {}]), Error, details(2));
  expect(error).not.toHaveProperty('recordsWritten');
  expect(error.message).toMatch(/'value' of record 2/);
  expect(view.committedCount).toBe(0);
  writer.writeRecordBatch([{}, {}]);
  expect(view.committedCount).toBe(2);
  return error;
}

const OUT_OF_RANGE = { name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' };
const WRONG_TYPE = { name: 'TypeError', code: 'ERR_STRAND_INVALID_ARGUMENT' };
const TOO_LONG = { name: 'StrandCapacityError', code: 'ERR_STRAND_CAPACITY' };

const NO_NUMBERS = ['1', '', {}, [], [1], Symbol('one'), () => 1, new Date(0), Object(1)];

const INTEGERS = ['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64'] as const;

describe.each(INTEGERS)('a field of type %s', (type) => {
  const [low, high] = limitsOf(type);
  const read = (value: bigint) => (type.endsWith('64') ? value : Number(value));

  test('takes every integer between its limits, as a number or a bigint', () => {
    const bits = Array.from({ length: 64 }, (_, bit) => [
      1n << BigInt(bit),
      -1n << BigInt(bit),
      (1n << BigInt(bit)) - 1n,
    ]);
    const values = [low, high, 0n, ...bits.flat()].filter((value) => value >= low && value <= high);
    for (let i = 0; i < values.length; i += 32) {
      const some = values.slice(i, i + 32);
      expect(store({ type }, some)).toEqual(some.map(read));
      const exact = some.filter((value) => BigInt(Number(value)) === value);
      expect(store({ type, nullable: true }, exact.map(Number))).toEqual(exact.map(read));
    }
  });

  test('takes booleans and both zeros', () => {
    expect(store({ type }, [true, false, 0, -0])).toEqual([1n, 0n, 0n, 0n].map(read));
  });

  test.each([
    ['below its lowest', low - 1n],
    ['above its highest', high + 1n],
    ['far below', -(1n << 200n)],
    ['far above', 1n << 200n],
    ['a number past its highest', 2 ** Math.ceil(Math.log2(Number(high) + 1))],
    ['a number far below', -1e300],
    ['a fraction', 0.5],
    ['NaN', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['negative infinite', Number.NEGATIVE_INFINITY],
  ])('refuses what is out of range: %s', (_, value) => {
    const error = refuse({ type }, value);
    expect(error).toMatchObject(OUT_OF_RANGE);
    expect(error.message).toContain(`an integer from ${low} to ${high}`);
    expect(refuse({ type, nullable: true }, value)).toMatchObject(OUT_OF_RANGE);
  });

  test('refuses what is no number', () => {
    for (const value of NO_NUMBERS) expect(refuse({ type }, value)).toMatchObject(WRONG_TYPE);
  });
});

describe('a field of floating point', () => {
  const values = [
    0,
    -0,
    1.5,
    0.1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e-45,
    5e-324,
    1e300,
  ];

  test('keeps an f64 as it is', () => {
    expect(store({ type: 'f64' }, values)).toEqual(values);
  });

  test('rounds an f32 as Math.fround', () => {
    expect(store({ type: 'f32' }, values)).toEqual(values.map(Math.fround));
  });

  test.each(['f32', 'f64'] as const)('refuses what is no number (%s)', (type) => {
    for (const value of [...NO_NUMBERS, 1n, true]) expect(refuse({ type }, value)).toMatchObject(WRONG_TYPE);
  });
});

describe('a field of type bool8', () => {
  test('takes booleans, numbers and bigints', () => {
    const values = [true, false, 0, -0, 1, 2, -1, 0.5, Number.POSITIVE_INFINITY, 0n, 1n, -1n, 1n << 80n];
    expect(store({ type: 'bool8' }, values)).toEqual(values.map(Boolean));
  });

  test('refuses what is neither, and NaN', () => {
    for (const value of NO_NUMBERS) expect(refuse({ type: 'bool8' }, value)).toMatchObject(WRONG_TYPE);
    expect(refuse({ type: 'bool8' }, Number.NaN)).toMatchObject(OUT_OF_RANGE);
  });
});

describe('a field of type utf8_ref', () => {
  const type = 'utf8_ref';
  const table = ['a', '', 'b', 'a'];

  test('is written by handle, and read from the table of the header', () => {
    expect(store({ type }, [0, 1, 2n, 3], table)).toEqual(['a', '', 'b', 'a']);
  });

  test('is written by string, which stores its first handle', () => {
    const { strand, writer } = open([{ name: 'value', type }], { internTable: table });
    writer.writeRecordBatch([{ value: 'b' }, { value: 'a' }, { value: '' }]);
    const handles = new StrandView(strand, ['handle 0', 'handle 1', 'handle 2', 'handle 3']).allocateCursor();
    const read = [0, 1, 2].map((seq) => handles.seek(seq) && handles.getRef('value'));
    expect(read).toEqual(['handle 2', 'handle 0', 'handle 1']);
  });

  test('reads null for a handle outside the table, and without a table', () => {
    expect(store({ type }, [4, 0xffffffff], table)).toEqual([null, null]);
    expect(store({ type }, [0, 1])).toEqual([null, null]);
    expect(store({ type, nullable: true }, [null, 0], table)).toEqual([null, 'a']);
  });

  test('refuses another string, and handles that are none', () => {
    expect(refuse({ type }, 'c', table)).toMatchObject(OUT_OF_RANGE);
    expect(refuse({ type }, -1, table)).toMatchObject(OUT_OF_RANGE);
    expect(refuse({ type }, 2 ** 32, table)).toMatchObject(OUT_OF_RANGE);
    expect(refuse({ type }, 0.5, table)).toMatchObject(OUT_OF_RANGE);
    expect(refuse({ type }, {}, table)).toMatchObject(WRONG_TYPE);
  });

  test('refuses every string where the header carries no table, and says what carries one', () => {
    const error = refuse({ type }, 'a');
    expect(error).toMatchObject(WRONG_TYPE);
    expect(error.message).toMatch(/createStrand takes internTable/);
  });

  test('ignores a table in the header that is no list of strings', () => {
    const { writer, cursor } = open([{ name: 'value', type }], { meta: { internTable: ['a', 1] as never } });
    writer.write({ value: 0 });
    cursor.seek(0);
    expect(cursor.getRef('value')).toBeNull();
  });
});

const TEXTS = ['utf8', 'large_utf8'] as const;

describe.each(TEXTS)('a field of type %s', (type) => {
  test('keeps strings of any length', () => {
    for (const unit of ['x', 'é', '€', '😀']) {
      const lengths = [...Array(21).keys(), 82, 83, 84, 85, 86, 87, 255, 256, 257, 1000];
      const values = lengths.map((length) => unit.repeat(length));
      expect(store({ type }, values)).toEqual(values);
      expect(
        store(
          { type },
          values.map((value) => `abc${value}`),
        ),
      ).toEqual(values.map((value) => `abc${value}`));
    }
  });

  test('keeps every code point that is none of half a pair', () => {
    const all = Array.from({ length: 0x110000 }, (_, code) => code).filter(
      (code) => code < 0xd800 || code > 0xdfff,
    );
    const step = 1 << 14;
    for (let i = 0; i < all.length; i += step) {
      const value = String.fromCodePoint(...all.slice(i, i + step));
      if (Buffer.byteLength(value) < 65_536) expect(store({ type }, [value])[0] === value).toBe(true);
    }
  });

  test('turns each lone surrogate into U+FFFD', () => {
    const values = [
      '\ud800',
      '\udfff',
      'a\ud800',
      '\udc00b',
      '\udc00\ud800',
      '\ud800\ud800\udc00',
      'x'.repeat(20),
    ];
    const lone = values.map((value) => `${value}\udbff`);
    const repaired = ['�', '�', 'a�', '�b', '��', '�\u{10000}', 'x'.repeat(20)];
    expect(store({ type }, values)).toEqual(repaired);
    expect(store({ type }, lone)).toEqual(repaired.map((value) => `${value}�`));
  });

  test('keeps what decoders like to eat', () => {
    const values = ['\ufeff', '\ufefftext', '\0', 'a\0b', '\r\n', '\u2028', '\ufffd', '\ufffe'];
    expect(store({ type }, values)).toEqual(values);
  });

  test('keeps strings however the engine holds them', () => {
    const rope = Array.from({ length: 50 }, (_, i) => `${i}`).reduce((a, b) => a + b, '');
    const slice = `${'y'.repeat(100)}€`.slice(90);
    const values = [rope, slice, `${rope}€`, `${rope}€`.slice(0, -1), String(123_456_789)];
    expect(store({ type }, values)).toEqual(values);
  });

  test('refuses what is no string', () => {
    const values = [1, 1n, true, {}, [], Symbol('s'), () => '', Object('boxed')];
    for (const value of values) expect(refuse({ type }, value)).toMatchObject(WRONG_TYPE);
  });
});

const JSONS = ['json', 'large_json'] as const;

describe.each(JSONS)('a field of type %s', (type) => {
  test('keeps what JSON can say', () => {
    const values = [
      false,
      true,
      0,
      -1.5,
      1e300,
      '',
      'é€😀',
      [],
      {},
      [null, [1]],
      { a: { b: [{}] }, ü: '\u2028' },
    ];
    expect(store({ type }, values)).toEqual(values);
    // JSON.stringify escapes what UTF-8 cannot carry.
    expect(store({ type }, ['\ud800', ['\udc00']])).toEqual(['\ud800', ['\udc00']]);
  });

  test('changes values as JSON does', () => {
    const values = [
      new Date(0),
      Number.NaN,
      { a: undefined, b: () => 1 },
      [undefined],
      -0,
      { toJSON: () => 'mine' },
    ];
    const changed = ['1970-01-01T00:00:00.000Z', null, { b: undefined }, [null], 0, 'mine'];
    expect(store({ type }, values)).toEqual(changed);
  });

  test('reads null for null', () => {
    expect(store({ type, nullable: true }, [null])).toEqual([null]);
    expect(store({ type }, [null, undefined])).toEqual([null, null]);
  });

  test('refuses what JSON has no word for', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [() => 1, Symbol('s'), { toJSON: () => undefined }, 1n, [1n], cycle]) {
      expect(refuse({ type }, value)).toMatchObject(WRONG_TYPE);
    }
    expect(refuse({ type }, cycle).cause).toBeInstanceOf(TypeError);
  });

  test('lets through what toJSON throws', () => {
    const { writer } = open([{ name: 'value', type }], { heapCapacity: 64 });
    const own = new TypeError('mine');
    const value = {
      toJSON() {
        throw own;
      },
    };
    expect(expectThrown(() => writer.writeRecordBatch([{ value }]), TypeError)).toBe(own);
  });
});

interface ArrayType {
  readonly type: FieldType;
  readonly make: {
    from(values: Iterable<never>): ArrayBufferView;
    readonly name: string;
    BYTES_PER_ELEMENT: number;
  };
  readonly length?: number;
  /** Elements at the limits. */
  readonly values: readonly (number | bigint)[];
  readonly beyond: readonly (number | bigint)[];
  readonly wrong: readonly unknown[];
}

const BYTES = {
  make: Uint8Array,
  values: [0, 255, 128],
  beyond: [-1, 256, 0.5, Number.NaN],
  wrong: ['1', 1n, null],
};

const ARRAYS = [
  { type: 'bytes', ...BYTES },
  { type: 'large_bytes', ...BYTES },
  { type: 'fixed_bytes', ...BYTES, length: 3 },
  {
    type: 'i32_array',
    make: Int32Array,
    values: [-(2 ** 31), 2 ** 31 - 1],
    beyond: [2 ** 31, -(2 ** 31) - 1, 0.5],
    wrong: ['1', 1n, true, undefined],
  },
  { type: 'u32_array', make: Uint32Array, values: [0, 2 ** 32 - 1], beyond: [-1, 2 ** 32], wrong: ['1', {}] },
  {
    type: 'f32_array',
    make: Float32Array,
    values: [0.1, Number.NaN, -0, 1e300],
    beyond: [],
    wrong: ['1', 1n, null],
  },
  {
    type: 'f64_array',
    make: Float64Array,
    values: [0.1, Number.NaN, -0, 1e300],
    beyond: [],
    wrong: ['1', 1n, null],
  },
  {
    type: 'i64_array',
    make: BigInt64Array,
    values: [-(2n ** 63n), 2n ** 63n - 1n, 7n],
    beyond: [2n ** 63n, -(2n ** 63n) - 1n, 0.5, 2 ** 63],
    wrong: ['1', true, null],
  },
] as unknown as readonly ArrayType[];

describe.each(ARRAYS)('a field of type $type', ({ type, make, length, values, beyond, wrong }) => {
  const field = length === undefined ? { type } : { type, length };
  const own = make.from(values as never);

  test(`takes a ${make.name} and an array of its elements`, () => {
    expect(store(field, [own, values])).toEqual([own, own]);
  });

  test('takes views into larger and into shared memory, and frozen arrays', () => {
    const bytes = new Uint8Array(own.buffer);
    const View = make as unknown as new (
      buffer: ArrayBufferLike,
      at: number,
      length: number,
    ) => ArrayBufferView;
    const parts = [new ArrayBuffer(64), new SharedArrayBuffer(64)].map((buffer) => {
      new Uint8Array(buffer).set(bytes, 8);
      return new View(buffer, 8, values.length);
    });
    expect(store(field, [...parts, Object.freeze([...values])])).toEqual([own, own, own]);
  });

  test('refuses other typed arrays and what is no array', () => {
    const others = [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ].filter((other) => other.name !== make.name);
    const arrays = others.map((Other) => new Other(3));
    const none = [
      3,
      'abc',
      {},
      { length: 3 },
      new DataView(own.buffer),
      own.buffer,
      new Set([1]),
      new Proxy(own, {}),
    ];
    for (const value of [...arrays, ...none]) expect(refuse(field, value)).toMatchObject(WRONG_TYPE);
  });

  test('refuses elements of other kinds and beyond its limits', () => {
    const replace = (element: unknown) => [...values.slice(1), element];
    for (const element of beyond) {
      const error = refuse(field, replace(element));
      expect(error).toMatchObject(OUT_OF_RANGE);
      expect(error.message).toContain(`element ${values.length - 1}`);
    }
    for (const element of wrong) expect(refuse(field, replace(element))).toMatchObject(WRONG_TYPE);
    // A hole is undefined.
    expect(refuse(field, Array(3))).toMatchObject(WRONG_TYPE);
  });

  test(`reads as a ${make.name} over the strand's memory that ends where its values end`, () => {
    const fields: readonly FieldDescriptor[] = [
      { name: 'label', type: 'utf8' },
      { name: 'value', ...field },
      { name: 'tail', type: 'utf8' },
    ];
    const { strand, writer, cursor } = open(fields, { heapCapacity: 512 });
    writer.writeRecordBatch([
      { label: 'x', value: values, tail: 'y' },
      { label: 'xx', value: own },
    ]);
    for (const seq of [0, 1]) {
      cursor.seek(seq);
      const value = cursor.get('value') as Uint8Array;
      expect(value.constructor.name).toBe(make.name);
      expect(value.buffer).toBe(strand.sab);
      expect(value).toHaveLength(values.length);
      expect(value.byteOffset % make.BYTES_PER_ELEMENT).toBe(0);
    }
  });
});

describe('a field of type fixed_bytes', () => {
  test.each([
    ['shorter', [1, 2]],
    ['longer', new Uint8Array(4)],
    ['empty', []],
  ])('refuses what is %s than its length', (_, value) => {
    const error = refuse({ type: 'fixed_bytes', length: 3 }, value);
    expect(error).toMatchObject(OUT_OF_RANGE);
    expect(error.message).toMatch(/exactly 3 bytes/);
  });

  test('takes a Buffer, as do all fields of bytes', () => {
    const buffer = Buffer.from('abc');
    for (const type of ['fixed_bytes', 'bytes', 'large_bytes'] as const) {
      const [value] = store(type === 'fixed_bytes' ? { type, length: 3 } : { type }, [buffer]);
      expect(Buffer.from(value as Uint8Array).toString()).toBe('abc');
    }
  });
});

/** Values that differ from what is read where none is given; 1 for the other types. */
const SOMETHING: Readonly<Partial<Record<FieldType, unknown>>> = {
  utf8: 'x',
  large_utf8: 'x',
  bytes: [1],
  large_bytes: [1],
  fixed_bytes: [1, 2, 3],
  i32_array: [1],
  u32_array: [1],
  f32_array: [1],
  f64_array: [1],
  i64_array: [1],
};

describe.each(FIELD_TYPES)('a value of type %s that is not given', (type) => {
  const field = { type, ...(type === 'fixed_bytes' ? { length: 3 } : {}) };

  test.each([true, false])(
    'reads as what its type says, whatever the slot held (nullable: %s)',
    (nullable) => {
      const fields: readonly FieldDescriptor[] = [{ name: 'value', nullable, ...field }];
      const ends = open(fields, { indexCapacity: 4, heapCapacity: 64, internTable: ['zero', 'one'] });
      const { writer, view, cursor } = ends;
      const absent = absentValue({ name: 'value', nullable, ...field });
      for (let from = 0; from < 8; from += 4) {
        writer.writeRecordBatch(Array(4).fill({ value: SOMETHING[type] ?? 1 }));
        for (let seq = from; seq < from + 4; seq++) {
          cursor.seek(seq);
          expect(cursor.get('value')).not.toEqual(absent);
        }
        view.acknowledgeRead(from + 4);
      }
      writer.writeRecordBatch([{}, { value: null }, { value: undefined }]);
      writer.write({});
      for (let seq = 8; seq < 12; seq++) {
        cursor.seek(seq);
        expect(cursor.get('value')).toEqual(absent);
      }
    },
  );
});

describe.each([
  ...TEXTS.map((type) => [type, ''] as const),
  ...JSONS.map((type) => [type, ''] as const),
  ...ARRAYS.filter(({ length }) => length === undefined).map(({ type }) => [type, []] as const),
])('an empty value of type %s', (type, empty) => {
  test('is none that is absent', () => {
    for (const nullable of [true, false]) {
      const [value] = store({ type, nullable }, [empty]);
      expect(value).not.toBeNull();
      expect(value).toHaveLength(0);
    }
  });

  test('has room where the heap is full', () => {
    const fields: readonly FieldDescriptor[] = [
      { name: 'full', type: 'bytes' },
      { name: 'value', type, nullable: true },
    ];
    const { writer, cursor } = open(fields, { heapCapacity: 64 });
    // JSON has no empty text.
    const bytes = 64 - (type.endsWith('json') ? 2 : 0);
    writer.writeRecordBatch([{ full: new Uint8Array(bytes), value: empty }]);
    cursor.seek(0);
    expect(cursor.get('value')).toHaveLength(0);
  });
});

describe('a record', () => {
  const fields = [
    { name: 'n', type: 'u32' },
    { name: 'text', type: 'utf8' },
  ] as const;

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 1],
    ['a string', 'record'],
    ['a symbol', Symbol('record')],
    ['a function', Object.assign(() => 0, { n: 1 })],
  ])('cannot be %s', (_, record) => {
    const { writer, view } = open(fields, { heapCapacity: 64 });
    const details = { ...WRONG_TYPE, record: 1 };
    const error = expectThrown(() => writer.writeRecordBatch([{}, record as never]), TypeError, details);
    expect(error.message).toMatch(/^record 1 must be an object/);
    expectThrown(() => writer.write(record as never), TypeError, { ...WRONG_TYPE, record: 0 });
    expect(view.committedCount).toBe(0);
  });

  test('may be of any class, and inherit its values', () => {
    class Base {
      readonly n: number = 1;
      get text(): string {
        return `text ${this.n}`;
      }
    }
    class Derived extends Base {
      override readonly n = 2;
    }
    const { writer, cursor } = open(fields, { heapCapacity: 64 });
    const bare = Object.assign(Object.create(null), { n: 3, text: 'bare' });
    writer.writeRecordBatch([
      new Base(),
      new Derived(),
      bare,
      Object.freeze({ n: 4 }),
      Object.assign([], { n: 5 }),
    ]);
    const read = [0, 1, 2, 3, 4].map((seq) => cursor.seek(seq) && cursor.toObject());
    expect(read).toEqual([
      { n: 1, text: 'text 1' },
      { n: 2, text: 'text 2' },
      { n: 3, text: 'bare' },
      { n: 4, text: '' },
      { n: 5, text: '' },
    ]);
  });

  test('may have other keys, which nobody touches', () => {
    const { writer, cursor } = open(fields, { heapCapacity: 64 });
    const record = {
      n: 1,
      [Symbol('other')]: 2,
      get other(): never {
        throw new Error('an unknown key was read');
      },
    };
    writer.writeRecordBatch([record]);
    writer.write(record);
    cursor.seek(1);
    expect(cursor.toObject()).toEqual({ n: 1, text: '' });
  });
});

describe('a value too long', () => {
  test.each([
    ['utf8', 'x'.repeat(65_535), 'x'.repeat(65_536)],
    ['utf8', '€'.repeat(21_845), `${'€'.repeat(21_845)}x`],
    ['utf8', '\ud800'.repeat(21_845), '\ud800'.repeat(21_846)],
    ['json', 'x'.repeat(65_533), 'x'.repeat(65_534)],
    ['bytes', new Uint8Array(65_535), new Uint8Array(65_536)],
    ['i32_array', new Int32Array(16_383), new Int32Array(16_384)],
    ['f32_array', Array(16_383).fill(0), Array(16_384).fill(0)],
  ] as const)('for the pointer of a %s is refused, and the longest is not', (type, longest, longer) => {
    const [read] = store({ type }, [longest]);
    expect(read).toHaveLength(longest.length);
    const error = refuse({ type }, longer);
    expect(error).toMatchObject(TOO_LONG);
    expect(error.message).toMatch(/takes 6553[68] bytes, the limit is 65535 bytes: use /);
  });

  test.each([
    ['large_utf8', 'y'.repeat(100_000)],
    ['large_json', 'y'.repeat(100_000)],
    ['large_bytes', new Uint8Array(100_000)],
    ['u32_array', new Uint32Array(30_000)],
    ['f64_array', new Float64Array(30_000)],
    ['i64_array', new BigInt64Array(30_000)],
  ] as const)('for 65,535 bytes passes in a %s', (type, value) => {
    expect(store({ type }, [value])[0]).toHaveLength(value.length);
  });

  const two = [
    { name: 'first', type: 'large_utf8' },
    { name: 'second', type: 'large_bytes' },
  ] as const;

  test.each([
    ['the first', { first: 'x'.repeat(101) }, 'first', 101],
    ['the first alone', { first: '€'.repeat(34) }, 'first', 102],
    ['the second', { second: new Uint8Array(101) }, 'second', 101],
    ['both together', { first: 'x'.repeat(60), second: new Uint8Array(41) }, 'second', 101],
  ])('for the heap is refused: %s', (_, record, field, bytes) => {
    const { writer, view } = open(two, { heapCapacity: 100 });
    const details = { ...TOO_LONG, field };
    expectThrown(() => writer.write(record), StrandCapacityError, { ...details, record: 0 });
    const batch = [{ first: 'x' }, {}, record];
    const error = expectThrown(() => writer.writeRecordBatch(batch), StrandCapacityError, {
      ...details,
      record: 2,
    });
    expect(error.message).toContain(`${bytes} bytes, and the heap holds 100`);
    expectThrown(() => writer.tryWriteRecordBatch(batch), StrandCapacityError, { ...details, record: 2 });
    expect(view.committedCount).toBe(0);
    writer.write({ first: 'x'.repeat(60), second: new Uint8Array(40) });
    expect(view.committedCount).toBe(1);
  });

  test('counts the padding of what is aligned', () => {
    const fields = [
      { name: 'byte', type: 'bytes' },
      { name: 'wide', type: 'f64_array' },
    ] as const;
    const { strand, writer, view } = open(fields, { indexCapacity: 8, heapCapacity: 16 });
    expect(heapStart(8, strand.map.record_stride) % 8).toBe(0);
    writer.write({ byte: [1], wide: [1] });
    view.acknowledgeRead(1);
    const record = { byte: [1], wide: [1, 2] };
    expectThrown(() => writer.write(record), StrandCapacityError, { field: 'wide', record: 0 });
    writer.write({ wide: [1, 2] });
    expect(view.committedCount).toBe(2);
  });
});
