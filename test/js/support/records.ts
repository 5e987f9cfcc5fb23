import fc from 'fast-check';
import {
  FIELD_BYTE_WIDTHS,
  type FieldDescriptor,
  type FieldType,
  heapStart,
  type StrandMap,
} from '../../../dist/index.js';

/** What is handed to the writer, and what must come back. */
export interface Example {
  readonly written: unknown;
  readonly read: unknown;
}

export interface ExampleRecord {
  readonly written: object;
  readonly read: Record<string, unknown>;
}

export const FIELD_TYPES = Object.keys(FIELD_BYTE_WIDTHS) as FieldType[];

/** Names that mean something to JavaScript, or to who pastes them into code. */
export const HOSTILE_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'toJSON',
  'then',
  'seek',
  'seq',
  'row',
  'get',
  'window',
  'length',
  'name',
  'arguments',
  'r',
  's',
  'v0',
  'c0',
  'h',
  '#s',
  '0',
  '-1',
  ' ',
  "'",
  '"',
  '`',
  '${',
  '\\',
  '\n',
  '\r\n',
  '\u0000',
  '\u2028',
  '\u2029',
  ']: 0 }; //',
  '*/',
  '名前',
  '👩‍🚀',
  'é',
];

/** The table of the strands whose handles are random: some lie outside it. */
export const INTERN_TABLE = ['zero', 'one', '', 'three', 'ü', 'one'];

const LIMITS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  u8: [0n, 0xffn],
  u16: [0n, 0xffffn],
  u32: [0n, 0xffffffffn],
  u64: [0n, 0xffffffffffffffffn],
  i8: [-0x80n, 0x7fn],
  i16: [-0x8000n, 0x7fffn],
  i32: [-0x80000000n, 0x7fffffffn],
  i64: [-0x8000000000000000n, 0x7fffffffffffffffn],
};

/** Lowest and highest value of an integer type. */
export function limitsOf(type: string): readonly [bigint, bigint] {
  return LIMITS[type] as readonly [bigint, bigint];
}

function integers(type: string): fc.Arbitrary<Example> {
  const [low, high] = limitsOf(type);
  const read = (value: bigint) => (type.endsWith('64') ? value : Number(value));
  return fc.oneof(
    fc.bigInt(low, high).map((value) => ({ written: value, read: read(value) })),
    // A double between the limits names the integer that it is.
    fc
      .bigInt(low, high)
      .map((value) => BigInt(Math.trunc(Number(value))))
      .filter((value) => value >= low && value <= high)
      .map((value) => ({ written: Number(value), read: read(value) })),
    fc.boolean().map((value) => ({ written: value, read: read(value ? 1n : 0n) })),
    fc.constantFrom(low, high).map((value) => ({ written: value, read: read(value) })),
  );
}

const text = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ unit: 'binary-ascii', minLength: 5, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\ud800', '\udc00'), maxLength: 40 }),
    fc.integer({ min: 80, max: 90 }).map((length) => 'x'.repeat(length)),
  )
  .map((value) => ({ written: value, read: Buffer.from(value).toString() }));

const json = fc.jsonValue({ maxDepth: 2 }).map((value) => ({
  written: value,
  read: JSON.parse(JSON.stringify(value)) as unknown,
}));

type ArrayClass = { from(values: readonly unknown[]): ArrayBufferView };

/** An array field takes its own typed array, a view into a larger one, and an array of numbers. */
function arrays(make: ArrayClass, element: fc.Arbitrary<unknown>, size?: number): fc.Arbitrary<Example> {
  const limits = size === undefined ? { maxLength: 12 } : { minLength: size, maxLength: size };
  return fc
    .tuple(fc.array(element, limits), fc.constantFrom('own', 'part', 'plain', 'shared'))
    .map(([values, kind]) => {
      const own = make.from(values) as Uint8Array;
      if (kind === 'plain') return { written: values, read: own };
      if (kind === 'own') return { written: own, read: own };
      const bytes = own.byteLength + 2 * own.BYTES_PER_ELEMENT;
      const buffer = kind === 'shared' ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
      const View = make as unknown as new (b: ArrayBufferLike, at: number, length: number) => Uint8Array;
      const part = new View(buffer, own.BYTES_PER_ELEMENT, values.length);
      part.set(own);
      return { written: part, read: own };
    });
}

const byte = fc.integer({ min: 0, max: 255 });

function values({ type, length }: FieldDescriptor): fc.Arbitrary<Example> {
  switch (type) {
    case 'f32':
      return fc.double().map((value) => ({ written: value, read: Math.fround(value) }));
    case 'f64':
      return fc.double().map((value) => ({ written: value, read: value }));
    case 'bool8':
      return fc
        .oneof(fc.boolean(), fc.integer(), fc.bigInt())
        .map((value) => ({ written: value, read: Boolean(value) }));
    case 'utf8_ref':
      return fc.oneof(
        fc
          .integer({ min: 0, max: 8 })
          .map((handle) => ({ written: handle, read: INTERN_TABLE[handle] ?? null })),
        fc.constantFrom(...INTERN_TABLE).map((value) => ({ written: value, read: value })),
      );
    case 'utf8':
    case 'large_utf8':
      return text;
    case 'json':
    case 'large_json':
      return json;
    case 'bytes':
    case 'large_bytes':
      return arrays(Uint8Array as ArrayClass, byte);
    case 'fixed_bytes':
      return arrays(Uint8Array as ArrayClass, byte, length);
    case 'i32_array':
      return arrays(Int32Array as ArrayClass, fc.integer());
    case 'u32_array':
      return arrays(Uint32Array as ArrayClass, fc.nat({ max: 0xffffffff }));
    case 'f32_array':
      return arrays(Float32Array as ArrayClass, fc.double());
    case 'f64_array':
      return arrays(Float64Array as ArrayClass, fc.double());
    case 'i64_array':
      return arrays(BigInt64Array as unknown as ArrayClass, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
    default:
      return integers(type);
  }
}

const ABSENT_VALUES: Readonly<Partial<Record<FieldType, unknown>>> = {
  u8: 0,
  u16: 0,
  u32: 0,
  i8: 0,
  i16: 0,
  i32: 0,
  f32: 0,
  f64: 0,
  u64: 0n,
  i64: 0n,
  bool8: false,
  utf8_ref: INTERN_TABLE[0],
  utf8: '',
  large_utf8: '',
};

/** What a field reads that was left out or null. */
export function absentValue({ type, nullable, length }: FieldDescriptor): unknown {
  if (nullable) return null;
  if (type === 'fixed_bytes') return new Uint8Array(length ?? 0);
  return ABSENT_VALUES[type] ?? null;
}

const ABSENT = Symbol('absent');

export function exampleRecord(fields: readonly FieldDescriptor[]): fc.Arbitrary<ExampleRecord> {
  const examples = fields.map((field) =>
    fc.oneof(
      { weight: 6, arbitrary: values(field) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(null, undefined, ABSENT)
          .map((written) => ({ written, read: absentValue(field) })),
      },
    ),
  );
  return fc.tuple(...examples).map((chosen) => {
    const written: object = {};
    const read: Record<string, unknown> = {};
    const put = (target: object, name: string, value: unknown) =>
      Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
    chosen.forEach((example, i) => {
      const { name } = fields[i] as FieldDescriptor;
      if (example.written !== ABSENT) put(written, name, example.written);
      put(read, name, isNullJson(fields[i] as FieldDescriptor, example) ? null : example.read);
    });
    return { written, read };
  });
}

/** JSON's null is no value: it is stored as absent. */
function isNullJson({ type }: FieldDescriptor, { written }: Example): boolean {
  return type.endsWith('json') && written === null;
}

export const exampleField: fc.Arbitrary<FieldDescriptor> = fc
  .record({
    name: fc.oneof(fc.constantFrom(...HOSTILE_NAMES), fc.string({ unit: 'grapheme', minLength: 1 })),
    type: fc.constantFrom(...FIELD_TYPES),
    nullable: fc.boolean(),
    length: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ length, ...field }) => (field.type === 'fixed_bytes' ? { ...field, length } : field));

export const exampleFields = fc.uniqueArray(exampleField, {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 12,
});

const ELEMENT_BYTES: Readonly<Partial<Record<FieldType, number>>> = {
  utf8: 1,
  large_utf8: 1,
  json: 1,
  large_json: 1,
  bytes: 1,
  large_bytes: 1,
  i32_array: 4,
  u32_array: 4,
  f32_array: 4,
  f64_array: 8,
  i64_array: 8,
};

function payloadBytes({ type }: FieldDescriptor, value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (type.endsWith('utf8')) return Buffer.byteLength(value as string);
  if (type.endsWith('json')) return Buffer.byteLength(JSON.stringify(value));
  return (value as { length: number }).length * (ELEMENT_BYTES[type] ?? 0);
}

/** Bytes of an empty heap that a record's payloads take with their padding. */
export function heapNeed(fields: readonly FieldDescriptor[], map: StrandMap, record: object): number {
  const start = heapStart(map.index_capacity, map.record_stride, map.header_size);
  let end = start;
  for (const field of fields) {
    const size = ELEMENT_BYTES[field.type];
    const value = Object.hasOwn(record, field.name)
      ? (record as Record<string, unknown>)[field.name]
      : undefined;
    if (size === undefined || value === undefined || value === null) continue;
    end = Math.ceil(end / size) * size + payloadBytes(field, value);
  }
  return end - start;
}

/** A value as `isDeepStrictEqual` compares it: typed arrays with their class, whatever memory they lie in. */
export function plain(value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  return [value.constructor.name, ...(value as Uint8Array)];
}

export function plainRecord(record: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(record).map(([name, value]) => [name, plain(value)]));
}
