import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectSchema } from '../../dist/header.js';
import {
  buildSchema,
  CTRL_COMMIT_SEQ,
  CTRL_STATUS,
  computeStrandMap,
  computeTotalBytes,
  createStrand,
  encodeSchema,
  type FieldDescriptor,
  HEADER_SIZE,
  initStrandHeader,
  OFFSET_HEADER_CRC,
  OFFSET_INDEX_CAPACITY,
  OFFSET_META_BYTE_LEN,
  OFFSET_SCHEMA,
  readStrandHeader,
  type Schema,
  StrandHeaderError,
  type StrandMap,
} from '../../dist/index.js';
import { internTableOf } from '../../dist/metadata.js';
import { native } from '../../dist/native.js';
import { unwrap } from '../../dist/native_fault.js';
import { asBytes } from '../../dist/shared_bytes.js';

const schema = buildSchema([
  { name: 'id', type: 'u32' },
  { name: 'label', type: 'utf8', nullable: true },
]);
const map = computeStrandMap({ schema, index_capacity: 8, heap_capacity: 64 });

type Growable = new (
  length: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer & {
  grow(length: number): void;
};

function written(meta?: unknown): SharedArrayBuffer {
  const sab = new SharedArrayBuffer(map.total_bytes);
  initStrandHeader(sab, map, meta);
  return sab;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return ~crc >>> 0;
}

/** Puts other metadata into a header, as a producer in another language might. */
function withMetadata(json: string): SharedArrayBuffer {
  const sab = written();
  const at = OFFSET_SCHEMA + encodeSchema(schema).length;
  const bytes = new TextEncoder().encode(json);
  new Uint8Array(sab).set(bytes, at);
  new DataView(sab).setUint32(OFFSET_META_BYTE_LEN, bytes.length, true);
  return sab;
}

describe('a header', () => {
  const anyFields = fc.uniqueArray(
    fc.record({
      name: fc.string({ unit: 'binary', minLength: 1 }).filter((name) => !/\p{Surrogate}/u.test(name)),
      type: fc.constantFrom('u8', 'f64', 'utf8', 'large_bytes', 'utf8_ref'),
      nullable: fc.boolean(),
    }),
    { selector: ({ name }) => name, minLength: 1, maxLength: 60 },
  ) as fc.Arbitrary<FieldDescriptor[]>;
  const anyJson = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { maxKeys: 5 });

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(
        anyFields,
        fc.nat({ max: 8 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.option(fc.record({ start: fc.nat(), note: fc.jsonValue() }), { nil: undefined }),
        fc.option(fc.nat(), { nil: undefined }),
        fc.option(anyJson, { nil: undefined }),
        (fields, log, heap_capacity, query, estimated_records, meta) => {
          const computed = computeStrandMap({
            schema: buildSchema(fields),
            index_capacity: 2 ** log,
            heap_capacity,
            query,
            estimated_records,
            meta_capacity: meta === undefined ? 0 : Buffer.byteLength(JSON.stringify(meta)),
          });
          const sab = new SharedArrayBuffer(computed.total_bytes);
          initStrandHeader(sab, computed, meta);
          const carried = meta === undefined ? {} : { meta: JSON.parse(JSON.stringify(meta)) };
          expect(readStrandHeader(sab)).toStrictEqual({ ...computed, ...carried });
        },
      ),
    );
  });

  test('is written over whatever the buffer held', () => {
    const sab = written({ old: true });
    new Uint8Array(sab).fill(0xff);
    initStrandHeader(sab, map);
    expect(readStrandHeader(sab)).toStrictEqual({ ...map, schema });
  });

  test('needs no more of a map than its geometry and schema', () => {
    const { schema, index_capacity, heap_capacity, record_stride } = map;
    const sab = new SharedArrayBuffer(map.total_bytes);
    initStrandHeader(sab, { schema, index_capacity, heap_capacity, record_stride } as never);
    expect(readStrandHeader(sab)).toEqual(map);
  });

  test('is refused to a buffer that is too small', () => {
    const write = () => initStrandHeader(new SharedArrayBuffer(map.total_bytes - 1), map);
    expect(write).toThrow(StrandHeaderError);
    expect(write).toThrow(`has ${map.total_bytes - 1} bytes and the strand needs ${map.total_bytes}`);
  });

  test('believes no size that a map states and that can be computed', () => {
    const sab = new SharedArrayBuffer(map.total_bytes);
    initStrandHeader(sab, { ...map, total_bytes: 1 });
    expect(readStrandHeader(sab).total_bytes).toBe(map.total_bytes);
    const write = () => initStrandHeader(sab, { ...map, index_capacity: 1024 });
    expect(write).toThrow(StrandHeaderError);
    expect(write).toThrow(`needs ${computeTotalBytes(1024, map.record_stride, map.heap_capacity)}`);
  });

  test.each([
    ['a capacity that is no power of two', { index_capacity: 5 }, StrandHeaderError, /index_capacity 5/],
    ['a capacity of parts', { index_capacity: 7.5 }, StrandHeaderError, /index_capacity .*got 7.5/],
    ['a capacity past 32 bits', { index_capacity: 2 ** 32 + 8 }, StrandHeaderError, /index_capacity/],
    ['a capacity that is none', { index_capacity: '8' }, TypeError, /index_capacity, got "8"/],
    ['no heap', { heap_capacity: 0 }, StrandHeaderError, /heap_capacity is 0/],
    ['a negative heap', { heap_capacity: -1 }, StrandHeaderError, /heap_capacity .*got -1/],
    ['another stride than its schema', { record_stride: 64 }, StrandHeaderError, /record_stride 64 .* is 16/],
    ['a small header', { header_size: 2048 }, StrandHeaderError, /header_size 2048/],
    ['a header of parts', { header_size: 4100 }, StrandHeaderError, /header_size 4100/],
    ['a reversed query', { query: { start: 2, end: 1 } }, RangeError, /reversed/],
    ['a negative estimate', { estimated_records: -5 }, RangeError, /estimated_records/],
  ])('is refused to a map with %s', (_, changes, ErrorClass, message) => {
    const write = () => initStrandHeader(new SharedArrayBuffer(1 << 20), { ...map, ...changes } as StrandMap);
    expect(write).toThrow(ErrorClass);
    expect(write).toThrow(message);
  });

  test.each([[undefined], [null], ['map']])('is refused to %o in place of a map', (value) => {
    expect(() => initStrandHeader(new SharedArrayBuffer(8192), value as never)).toThrow(/computeStrandMap/);
  });

  test('is not touched by a refused attempt', () => {
    const sab = written({ kept: true });
    const before = Uint8Array.from(new Uint8Array(sab));
    expect(() => initStrandHeader(sab, { ...map, index_capacity: 5 })).toThrow();
    expect(() => initStrandHeader(sab, map, { text: 'x'.repeat(5000) })).toThrow();
    expect(new Uint8Array(sab)).toEqual(before);
  });
});

describe('meta', () => {
  test('comes back as JSON carries it', () => {
    const meta = { table: ['a', 'b'], nested: { n: 1.5, none: null }, gone: undefined, lone: '\ud800' };
    expect(readStrandHeader(written(meta)).meta).toStrictEqual({
      table: ['a', 'b'],
      nested: { n: 1.5, none: null },
      lone: '\ud800',
    });
  });

  test('may be empty, and may have no prototype', () => {
    expect(readStrandHeader(written({})).meta).toStrictEqual({});
    expect(readStrandHeader(written(Object.assign(Object.create(null), { a: 1 }))).meta).toEqual({ a: 1 });
  });

  test('keeps a member by the name of a prototype to itself', () => {
    const { meta } = readStrandHeader(written(JSON.parse('{"__proto__":{"polluted":true}}')));
    expect(Object.getOwnPropertyNames(meta)).toEqual(['__proto__']);
    expect(meta).not.toHaveProperty('polluted');
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'meta'],
    ['a list', [1, 2]],
    ['a map', new Map([['a', 1]])],
    [
      'an instance',
      new (class Meta {
        a = 1;
      })(),
    ],
    ['a date', new Date(0)],
    ['an object that is none as JSON', { toJSON: () => 'text' }],
  ])('is absent where %s is given', (_, meta) => {
    expect(readStrandHeader(written(meta))).not.toHaveProperty('meta');
  });

  test('that is no JSON is refused, and says why', () => {
    const cause = new Error('from a getter');
    const meta = {
      get broken() {
        throw cause;
      },
    };
    expect(() => written({ big: 1n })).toThrow(/meta cannot be written as JSON: .*BigInt/);
    expect(() => written(meta)).toThrow(expect.objectContaining({ cause, name: 'TypeError' }));
  });

  test('too large for the header says how much room there is and what makes more', () => {
    const meta = { text: 'x'.repeat(3000) };
    let message = '';
    try {
      written(meta);
    } catch (error) {
      expect(error).toBeInstanceOf(StrandHeaderError);
      message = (error as Error).message;
    }
    const [, room, capacity] = /room for (\d+): .*meta_capacity (\d+)/.exec(message) ?? [];
    expect(Number(room)).toBe(HEADER_SIZE - OFFSET_SCHEMA - encodeSchema(schema).length);
    const larger = computeStrandMap({
      schema,
      index_capacity: 8,
      heap_capacity: 64,
      meta_capacity: Number(capacity),
    });
    const sab = new SharedArrayBuffer(larger.total_bytes);
    initStrandHeader(sab, larger, meta);
    expect(readStrandHeader(sab)).toStrictEqual({ ...larger, meta });
  });

  test('fits exactly the meta_capacity that was asked for', () => {
    for (let length = 0; length < 600; length += 37) {
      const meta = { text: 'é'.repeat(2000 + length) };
      const meta_capacity = Buffer.byteLength(JSON.stringify(meta));
      const exact = computeStrandMap({ schema, index_capacity: 8, heap_capacity: 64, meta_capacity });
      const sab = new SharedArrayBuffer(exact.total_bytes);
      expect(() => initStrandHeader(sab, exact, meta)).not.toThrow();
    }
  });
});

describe('readStrandHeader', () => {
  test('refuses a buffer without a header', () => {
    expect(() => readStrandHeader(new SharedArrayBuffer(0))).toThrow(/at least 4096 bytes/);
    expect(() => readStrandHeader(new SharedArrayBuffer(8192))).toThrow(/initStrandHeader/);
  });

  test('refuses a header with any byte of its static part changed', () => {
    for (let at = 0; at < OFFSET_HEADER_CRC + 4; at++) {
      const sab = written();
      const bytes = new Uint8Array(sab);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      expect(() => readStrandHeader(sab)).toThrow(StrandHeaderError);
      if (at >= 4) expect(() => readStrandHeader(sab)).toThrow(/CRC/);
    }
  });

  test('refuses a forged checksum over a geometry that leads out of the buffer', () => {
    const sab = written();
    const data = new DataView(sab);
    data.setUint32(OFFSET_INDEX_CAPACITY, 2 ** 30, true);
    data.setUint32(
      OFFSET_HEADER_CRC,
      crc32(Uint8Array.from(new Uint8Array(sab, 0, OFFSET_HEADER_CRC))),
      true,
    );
    expect(() => readStrandHeader(sab)).toThrow(/the buffer has/);
  });

  test('refuses positions and a status that no producer leaves', () => {
    const past = written();
    new BigInt64Array(past)[CTRL_COMMIT_SEQ / 2] = 2n ** 53n + 1n;
    expect(() => readStrandHeader(past)).toThrow(/2\^53/);
    const unknown = written();
    new Int32Array(unknown)[CTRL_STATUS] = 9;
    expect(() => readStrandHeader(unknown)).toThrow(/status 9/);
  });

  test.each([
    ['no JSON', '{"columns":["id","label"],}'],
    ['no object', '["id","label"]'],
    ['no columns', '{"meta":{}}'],
    ['too few columns', '{"columns":["id"]}'],
    ['a column twice', '{"columns":["id","id"]}'],
    ['a column without a name', '{"columns":["id",""]}'],
    ['a column that is no string', '{"columns":["id",5]}'],
    ['columns twice', '{"columns":["id","label"],"columns":["id","label"]}'],
    ['a query that is no object', '{"columns":["id","label"],"query":5}'],
    ['a query of strings', '{"columns":["id","label"],"query":{"start":"1"}}'],
    ['a reversed query', '{"columns":["id","label"],"query":{"start":2,"end":1}}'],
    ['an estimate that is none', '{"columns":["id","label"],"estimated_records":"5"}'],
    ['a negative estimate', '{"columns":["id","label"],"estimated_records":-5}'],
    ['an infinite estimate', '{"columns":["id","label"],"estimated_records":1e999}'],
    ['meta that is no object', '{"columns":["id","label"],"meta":[1]}'],
  ])('refuses metadata with %s', (_, json) => {
    expect(() => readStrandHeader(withMetadata(json))).toThrow(StrandHeaderError);
  });

  test('takes metadata with members that it does not know', () => {
    const sab = withMetadata(' {"later":[{}], "columns":["id","l\\u0061bel"] , "meta":{"a":1}} ');
    expect(readStrandHeader(sab)).toStrictEqual({ ...map, schema, meta: { a: 1 } });
  });

  test('is not overwhelmed by metadata that is nested deeply', () => {
    const depth = 200_000;
    const text = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const deep = computeStrandMap({
      schema,
      index_capacity: 8,
      heap_capacity: 64,
      meta_capacity: text.length,
    });
    const sab = new SharedArrayBuffer(deep.total_bytes);
    initStrandHeader(sab, deep);
    const json = new TextEncoder().encode(`{"columns":["id","label"],"meta":${text}}`);
    new Uint8Array(sab).set(json, OFFSET_SCHEMA + encodeSchema(schema).length);
    new DataView(sab).setUint32(OFFSET_META_BYTE_LEN, json.length, true);
    expect(readStrandHeader(sab).meta).toHaveProperty('a');
  });

  test('takes a strand as well as its memory', () => {
    const strand = createStrand(schema, { indexCapacity: 8, heapCapacity: 64 });
    expect(readStrandHeader(strand)).toEqual(readStrandHeader(strand.sab));
  });
});

describe('asBytes', () => {
  test('covers the whole buffer', () => {
    const sab = new SharedArrayBuffer(24);
    const bytes = asBytes(sab);
    expect([bytes.buffer, bytes.byteOffset, bytes.byteLength]).toEqual([sab, 0, 24]);
    expect(asBytes({ sab, map } as never).buffer).toBe(sab);
  });

  test('reads the length of a growable buffer anew', () => {
    const sab = new (SharedArrayBuffer as unknown as Growable)(16, { maxByteLength: map.total_bytes });
    expect(() => initStrandHeader(sab, map)).toThrow(/has 16 bytes/);
    sab.grow(map.total_bytes);
    expect(asBytes(sab).byteLength).toBe(map.total_bytes);
    initStrandHeader(sab, map);
    expect(readStrandHeader(sab)).toEqual(map);
  });

  test.each([
    ['nothing', undefined, /openSharedStrand returns, got undefined/],
    ['an ArrayBuffer', new ArrayBuffer(8192), /got an object of class ArrayBuffer: .*not shared/],
    ['a view', new Uint8Array(new SharedArrayBuffer(8192)), /got an object of class Uint8Array/],
    ['an object around an ArrayBuffer', { sab: new ArrayBuffer(8192) }, /not shared/],
    ['a map', map, /got an object/],
  ])('refuses %s', (_, value, message) => {
    expect(() => asBytes(value as never)).toThrow(TypeError);
    expect(() => asBytes(value as never)).toThrow(message);
    expect(() => readStrandHeader(value as never)).toThrow(message);
  });
});

describe('internTableOf', () => {
  test('gives a list of strings', () => {
    expect(internTableOf(readStrandHeader(written({ internTable: ['a', ''] })))).toEqual(['a', '']);
    expect(internTableOf(readStrandHeader(written({ internTable: [] })))).toEqual([]);
  });

  test.each([[undefined], ['abc'], [['a', 1]], [{ 0: 'a' }], [null]])('ignores %o', (internTable) => {
    expect(internTableOf(readStrandHeader(written({ internTable })))).toBeUndefined();
  });

  test('gives nothing without meta', () => {
    expect(internTableOf(map)).toBeUndefined();
  });
});

describe('expectSchema', () => {
  const fields = [
    { name: 'id', type: 'u32' },
    { name: 'label', type: 'utf8' },
    { name: 'hash', type: 'fixed_bytes', length: 4 },
  ] as const;

  function headerOf(schema: Schema) {
    const { sab } = createStrand(schema, { indexCapacity: 4, heapCapacity: 64 });
    return unwrap(native.readHeader(asBytes(sab)));
  }

  test('is content with the schema of the buffer', () => {
    expect(() => expectSchema(headerOf(buildSchema(fields)), buildSchema(fields))).not.toThrow();
    expect(() => expectSchema(headerOf(schema), structuredClone(schema))).not.toThrow();
  });

  const [id, label, hash] = fields;
  const others: [string, FieldDescriptor[], string, RegExp][] = [
    ['a name', [id, { ...label, name: 'text' }, hash], 'text', /field 1 is "label" .*expected was "text"/],
    ['a type', [{ ...id, type: 'i32' }, label, hash], 'id', /field 0 is "id" u32 .*was "id" i32/],
    ['a flag', [{ ...id, sorted: 'asc' }, label, hash], 'id', /with flags 0.*with flags 2/],
    ['a place', [id, { ...label, nullable: true }, hash], 'id', /at byte 0 .*at byte 4/],
    ['a length', [id, label, { ...hash, length: 5 }], 'hash', /fixed_bytes\[4\].*fixed_bytes\[5\]/],
    ['the order', [label, id, hash], 'label', /field 0 is "id" .*was "label"/],
    ['a field more', [...fields, { name: 'more', type: 'u8' }], 'more', /field 3 is missing, .*"more"/],
    ['a field fewer', [id, label], 'hash', /field 2 is "hash" .*was missing/],
  ];
  test.each(others)('names the first difference: %s', (_, expected, field, message) => {
    const check = () => expectSchema(headerOf(buildSchema(fields)), buildSchema(expected));
    expect(check).toThrow(StrandHeaderError);
    expect(check).toThrow(expect.objectContaining({ field, message: expect.stringMatching(message) }));
  });

  test('notices another stride', () => {
    const wider = { ...buildSchema(fields), record_stride: 24 };
    expect(() => expectSchema(headerOf(buildSchema(fields)), wider)).toThrow(
      /record_stride is 16, expected was 24/,
    );
  });

  test('refuses an expectation that is no schema', () => {
    expect(() => expectSchema(headerOf(schema), fields as never)).toThrow(TypeError);
  });
});
