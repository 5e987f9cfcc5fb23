import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buildSchema,
  computeStrandMap,
  decodeSchema,
  encodeSchema,
  FIELD_BYTE_WIDTHS,
  FIELD_FLAG_NULLABLE,
  FIELD_FLAG_SORTED_ASC,
  FIELD_FLAG_SORTED_DESC,
  type FieldDescriptor,
  type FieldType,
  initStrandHeader,
  MAX_RECORD_STRIDE,
  type Schema,
  StrandHeaderError,
  schemaFingerprint,
} from '../../dist/index.js';

const typeNames = Object.keys(FIELD_BYTE_WIDTHS) as FieldType[];

const anyName = fc.string({ unit: 'grapheme', minLength: 1 });

const anyField: fc.Arbitrary<FieldDescriptor> = fc
  .record({
    name: anyName,
    type: fc.constantFrom(...typeNames),
    nullable: fc.boolean(),
    sorted: fc.constantFrom(undefined, 'asc' as const, 'desc' as const),
    length: fc.integer({ min: 1, max: 100 }),
  })
  .map(({ length, ...field }) => (field.type === 'fixed_bytes' ? { ...field, length } : field));

const anyFields = fc.uniqueArray(anyField, { selector: ({ name }) => name, minLength: 1, maxLength: 40 });

/** The rules of the layout, worked out without the code under test. */
function layOut(fields: readonly FieldDescriptor[]) {
  let bit = 0;
  let end = Math.ceil(fields.filter(({ nullable }) => nullable).length / 8);
  const placed = fields.map(({ name, type, nullable, sorted, length }) => {
    const width = type === 'fixed_bytes' ? (length ?? 0) : FIELD_BYTE_WIDTHS[type];
    const alignment = type === 'fixed_bytes' ? 1 : Math.min(width, 4);
    while (end % alignment !== 0) end++;
    const byteOffset = end;
    end += width;
    return {
      name,
      type,
      byteOffset,
      flags: (nullable ? 1 : 0) + (sorted === 'asc' ? 2 : 0) + (sorted === 'desc' ? 4 : 0),
      ...(nullable ? { nullableBitIndex: bit++ } : {}),
      ...(type === 'fixed_bytes' ? { length } : {}),
    };
  });
  while (end % 4 !== 0) end++;
  return { fields: placed, record_stride: end };
}

function fnv1a(bytes: Uint8Array): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 16777619) >>> 0, 2166136261);
}

describe('buildSchema', () => {
  test('lays fields out behind the bitmap in declared order, aligned to min(width, 4)', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        expect(buildSchema(fields)).toEqual(layOut(fields));
      }),
    );
  });

  test('takes its own fields again, and gives the same', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const schema = buildSchema(fields);
        expect(buildSchema(schema.fields)).toEqual(schema);
      }),
    );
  });

  test('takes flags and their legible forms alike', () => {
    const flags = FIELD_FLAG_NULLABLE | FIELD_FLAG_SORTED_DESC;
    const spelled = buildSchema([{ name: 'a', type: 'i64', nullable: true, sorted: 'desc' }]);
    expect(buildSchema([{ name: 'a', type: 'i64', flags }])).toEqual(spelled);
    expect(buildSchema([{ name: 'a', type: 'i64', flags, nullable: true, sorted: 'desc' }])).toEqual(spelled);
  });

  test('lets a schema flag a field sorted that has no order', () => {
    expect(buildSchema([{ name: 'a', type: 'utf8', sorted: 'asc' }]).fields[0].flags).toBe(
      FIELD_FLAG_SORTED_ASC,
    );
  });

  test('keeps names that are no identifiers', () => {
    const names = ['__proto__', 'constructor', 'with "quotes"\n', 'ключ', '🚀', ' ', '\0'];
    const schema = buildSchema(names.map((name): FieldDescriptor => ({ name, type: 'u8' })));
    expect(schema.fields.map(({ name }) => name)).toEqual(names);
  });

  test('gives plain data that survives structured clone', () => {
    const schema = buildSchema([{ name: 'id', type: 'fixed_bytes', length: 16, nullable: true }]);
    expect(structuredClone(schema)).toEqual(schema);
  });

  const wrongLists: [string, unknown, RegExp][] = [
    ['no list', undefined, /list of fields, got undefined/],
    ['a schema', { fields: [] }, /list of fields, got an object/],
    ['an empty list', [], /at least one field/],
    ['a field that is no object', ['id'], /field 0 .*got "id"/],
    ['a hole', Object.assign([{ name: 'a', type: 'u8' }], { length: 2 }), /field 1 .*got undefined/],
    ['a missing name', [{ type: 'u32' }], /name of field 0 .*got undefined/],
    ['an empty name', [{ name: '', type: 'u32' }], /name of field 0 .*got ""/],
    ['a name that is no string', [{ name: 7, type: 'u32' }], /name of field 0 .*got 7/],
    ['a name that UTF-8 cannot carry', [{ name: 'a\ud800', type: 'u32' }], /lone surrogate/],
    [
      'a name twice',
      [
        { name: 'a', type: 'u8' },
        { name: 'a', type: 'u32' },
      ],
      /'a' is declared twice/,
    ],
    ['an unknown type', [{ name: 'a', type: 'u128' }], /'a' has the unknown type "u128"; types are u8, /],
    ['a missing type', [{ name: 'a' }], /'a' has the unknown type undefined/],
    ['a type that is a property of objects', [{ name: 'a', type: 'toString' }], /unknown type "toString"/],
    ['flags that are no number', [{ name: 'a', type: 'u8', flags: '1' }], /'a' needs FIELD_FLAG_\* bits/],
    ['flags that are no bits', [{ name: 'a', type: 'u8', flags: 1.5 }], /'a' needs FIELD_FLAG_\* bits/],
    ['flags past a byte', [{ name: 'a', type: 'u8', flags: 257 }], /'a' needs FIELD_FLAG_\* bits/],
    ['unknown flags', [{ name: 'a', type: 'u8', flags: 8 }], /'a' has unknown flag bits/],
    ['nullable that is no boolean', [{ name: 'a', type: 'u8', nullable: 1 }], /'a' takes true or false/],
    ['nullable against its flag', [{ name: 'a', type: 'u8', nullable: false, flags: 1 }], /choose one/],
    ['an unknown order', [{ name: 'a', type: 'u8', sorted: 'up' }], /'a' takes 'asc' or 'desc'/],
    ['both orders', [{ name: 'a', type: 'u8', sorted: 'asc', flags: 4 }], /'a' is flagged sorted both ways/],
    ['fixed_bytes without a length', [{ name: 'a', type: 'fixed_bytes' }], /'a' needs a length/],
    ['a length of 0', [{ name: 'a', type: 'fixed_bytes', length: 0 }], /'a' needs a length/],
    ['a length that is no integer', [{ name: 'a', type: 'fixed_bytes', length: 1.5 }], /'a' needs a length/],
    ['a length elsewhere', [{ name: 'a', type: 'utf8', length: 20 }], /only fixed_bytes fields have/],
  ];
  test.each(wrongLists)('refuses %s', (_, fields, message) => {
    const build = () => buildSchema(fields as FieldDescriptor[]);
    expect(build).toThrow(TypeError);
    expect(build).toThrow(
      expect.objectContaining({
        code: 'ERR_STRAND_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
  });

  test.each([
    ['a field', [{ name: 'blob', type: 'fixed_bytes', length: MAX_RECORD_STRIDE + 1 }]],
    ['a length of more than 32 bits', [{ name: 'blob', type: 'fixed_bytes', length: 2 ** 32 + 1 }]],
    [
      'fields together',
      Array.from({ length: 2 }, (_, i) => ({ name: `blob${i}`, type: 'fixed_bytes', length: 40_000 })),
    ],
    ['many fields', Array.from({ length: 10_000 }, (_, i) => ({ name: `blob${i}`, type: 'f64' }))],
  ])('refuses records past the largest stride: %s', (_, fields) => {
    const build = () => buildSchema(fields as FieldDescriptor[]);
    expect(build).toThrow(RangeError);
    expect(build).toThrow(expect.objectContaining({ message: expect.stringMatching(/blob\d* ?.*65535/) }));
  });

  test('fills records to the largest stride', () => {
    const schema = buildSchema([{ name: 'blob', type: 'fixed_bytes', length: 65_532 }]);
    expect(schema.record_stride).toBe(65_532);
    expect(() => buildSchema([{ name: 'blob', type: 'fixed_bytes', length: 65_533 }])).toThrow(RangeError);
  });

  test('reads each property of a declaration once', () => {
    const reads: PropertyKey[] = [];
    const field = new Proxy(
      { name: 'a', type: 'u8' },
      {
        get(target, key) {
          reads.push(key);
          return Reflect.get(target, key);
        },
      },
    ) as FieldDescriptor;
    buildSchema([field]);
    expect(new Set(reads).size).toBe(reads.length);
  });
});

describe('the binary schema', () => {
  test('holds tag, flags and offset of each field, and the length of fixed_bytes', () => {
    const schema = buildSchema([
      { name: 'id', type: 'u32', sorted: 'asc' },
      { name: 'hash', type: 'fixed_bytes', length: 258, nullable: true },
    ]);
    const bytes = [3, 2, 4, 0, 18, 1, 8, 0, 2, 1, 0, 0];
    expect(Array.from(encodeSchema(schema))).toEqual(bytes);
  });

  test('comes back with the names that are given beside it', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const schema = buildSchema(fields);
        const names = schema.fields.map(({ name }) => name);
        expect(decodeSchema(encodeSchema(schema), names, schema.record_stride)).toEqual(schema);
        expect(decodeSchema(encodeSchema(schema), names)).toEqual(schema);
      }),
    );
  });

  test('comes back with numbered names unless others are given', () => {
    const schema = buildSchema([
      { name: 'id', type: 'u8' },
      { name: 'x', type: 'f64' },
    ]);
    const names = decodeSchema(encodeSchema(schema)).fields.map(({ name }) => name);
    expect(names).toEqual(['field_0', 'field_1']);
  });

  test('of any bytes is refused, or is one that encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: -1, max: 70_000 }), (bytes, stride) => {
        let schema: Schema;
        try {
          schema = decodeSchema(bytes, undefined, stride);
        } catch (error) {
          expect(error).toBeInstanceOf(StrandHeaderError);
          return;
        }
        expect(encodeSchema(schema)).toEqual(bytes);
        for (const { byteOffset, type, length } of schema.fields) {
          expect(byteOffset + (length ?? FIELD_BYTE_WIDTHS[type])).toBeLessThanOrEqual(stride);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['no bytes', 'abc', undefined, undefined, TypeError, /Uint8Array, got "abc"/],
    ['no entries', new Uint8Array(), undefined, undefined, StrandHeaderError, /no fields/],
    [
      'an unknown tag',
      Uint8Array.of(99, 0, 0, 0),
      undefined,
      undefined,
      StrandHeaderError,
      /unknown type 99/,
    ],
    ['too few names', Uint8Array.of(1, 0, 0, 0), [], undefined, TypeError, /1 names for 1 fields/],
    ['a wrong name', Uint8Array.of(1, 0, 0, 0), [''], undefined, TypeError, /name of field 0/],
    [
      'a name twice',
      Uint8Array.of(1, 0, 0, 0, 1, 0, 1, 0),
      ['a', 'a'],
      undefined,
      TypeError,
      /names that differ/,
    ],
    [
      'a stride too small',
      Uint8Array.of(5, 0, 0, 0),
      undefined,
      4,
      StrandHeaderError,
      /past the record stride/,
    ],
    ['a stride that is none', Uint8Array.of(1, 0, 0, 0), undefined, 'x', TypeError, /record_stride/],
  ])('refuses %s', (_, bytes, names, stride, ErrorClass, message) => {
    const decode = () => decodeSchema(bytes as Uint8Array, names, stride as number);
    expect(decode).toThrow(ErrorClass);
    expect(decode).toThrow(message);
  });
});

describe('schemaFingerprint', () => {
  test('is the 32-bit FNV-1a of the binary schema', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const schema = buildSchema(fields);
        expect(schemaFingerprint(schema)).toBe(fnv1a(encodeSchema(schema)));
      }),
    );
  });

  test('tells types and flags apart, not names', () => {
    const print = (field: FieldDescriptor) => schemaFingerprint(buildSchema([field]));
    const original = print({ name: 'a', type: 'u32' });
    expect(print({ name: 'b', type: 'u32' })).toBe(original);
    expect(print({ name: 'a', type: 'i32' })).not.toBe(original);
    expect(print({ name: 'a', type: 'u32', sorted: 'asc' })).not.toBe(original);
  });
});

describe('a descriptor made by hand', () => {
  const good = buildSchema([
    { name: 'id', type: 'u32' },
    { name: 'note', type: 'utf8', nullable: true },
    { name: 'hash', type: 'fixed_bytes', length: 3 },
  ]);
  const map = computeStrandMap({ schema: good, index_capacity: 4, heap_capacity: 64 });

  /** The good descriptor with other properties in one of its fields. */
  function withField(index: number, changes: object): unknown {
    const fields = good.fields.map((field, at) => (at === index ? { ...field, ...changes } : field));
    return { ...good, fields };
  }

  test('is taken where its numbers are right', () => {
    const bare = good.fields.map(({ nullableBitIndex: _, ...field }) => field);
    expect(encodeSchema({ fields: bare, record_stride: 40 })).toEqual(encodeSchema(good));
  });

  const wrong: [string, unknown, new (...args: never[]) => Error, RegExp][] = [
    ['nothing', undefined, TypeError, /buildSchema returns, got undefined/],
    ['no field list', { record_stride: 4 }, TypeError, /list of fields, got undefined/],
    ['a field list alone', good.fields, TypeError, /list of fields, got undefined/],
    ['no fields', { fields: [], record_stride: 4 }, TypeError, /at least one field/],
    ['a field that is none', { fields: [null], record_stride: 4 }, TypeError, /field 0 .*got null/],
    ['no name', withField(0, { name: undefined }), TypeError, /name of field 0/],
    ['an unknown type', withField(0, { type: 'u33' }), TypeError, /unknown type "u33"/],
    ['no offset', withField(0, { byteOffset: undefined }), TypeError, /'id' needs a number as byteOffset/],
    ['no flags', withField(0, { flags: undefined }), TypeError, /'id' needs a number as flags/],
    ['no stride', { fields: good.fields }, TypeError, /record_stride, got undefined/],
    ['a stride too small', { ...good, record_stride: 12 }, StrandHeaderError, /past the record stride of 12/],
    ['a stride of no words', { ...good, record_stride: 21 }, StrandHeaderError, /stride 21/],
    ['a negative stride', { ...good, record_stride: -4 }, StrandHeaderError, /record_stride .*got -4/],
    ['a stride past 32 bits', { ...good, record_stride: 2 ** 32 + 20 }, StrandHeaderError, /record_stride/],
    ['a stride past 16 bits', { ...good, record_stride: 65_536 + 20 }, StrandHeaderError, /stride 65556/],
    ['an offset in the bitmap', withField(0, { byteOffset: 0 }), StrandHeaderError, /overlaps/],
    ['an offset in another field', withField(0, { byteOffset: 8 }), StrandHeaderError, /overlaps/],
    ['an offset out of line', withField(0, { byteOffset: 5 }), StrandHeaderError, /not aligned/],
    [
      'an offset past the stride',
      withField(0, { byteOffset: 20 }),
      StrandHeaderError,
      /past the record stride/,
    ],
    ['a negative offset', withField(0, { byteOffset: -4 }), StrandHeaderError, /byteOffset of field 'id'/],
    [
      'an offset past 16 bits',
      withField(0, { byteOffset: 65_540 }),
      StrandHeaderError,
      /byteOffset of field 'id'/,
    ],
    [
      'an offset that is NaN',
      withField(0, { byteOffset: Number.NaN }),
      StrandHeaderError,
      /byteOffset .*got NaN/,
    ],
    ['unknown flags', withField(0, { flags: 8 }), StrandHeaderError, /unknown flags/],
    ['flags past a byte', withField(0, { flags: 256 }), StrandHeaderError, /flags of field 'id'/],
    ['a length of 0', withField(2, { length: 0 }), StrandHeaderError, /length 0/],
    ['no length', withField(2, { length: undefined }), TypeError, /'hash' needs a number as length/],
    [
      'a wrong bit',
      withField(1, { nullableBitIndex: 1 }),
      StrandHeaderError,
      /'note' .*by its place it has bit 0/,
    ],
    [
      'a bit and no flag',
      withField(0, { nullableBitIndex: 0 }),
      StrandHeaderError,
      /'id' .*not flagged nullable/,
    ],
  ];

  test.each(wrong)('is refused with %s', (_, schema, ErrorClass, message) => {
    for (const use of [
      () => encodeSchema(schema as Schema),
      () => schemaFingerprint(schema as Schema),
      () => computeStrandMap({ schema: schema as Schema, index_capacity: 4, heap_capacity: 64 }),
      () => initStrandHeader(new SharedArrayBuffer(map.total_bytes), { ...map, schema: schema as Schema }),
    ]) {
      expect(use).toThrow(ErrorClass);
      expect(use).toThrow(message);
    }
  });

  test('is refused with a name twice where names travel', () => {
    const schema = withField(1, { name: 'id' }) as Schema;
    const sab = new SharedArrayBuffer(map.total_bytes);
    expect(() => computeStrandMap({ schema, index_capacity: 4, heap_capacity: 64 })).toThrow(
      /declared twice/,
    );
    expect(() => initStrandHeader(sab, { ...map, schema })).toThrow(/declared twice/);
  });
});
