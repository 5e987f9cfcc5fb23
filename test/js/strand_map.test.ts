import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buildSchema,
  computeStrandMap,
  computeTotalBytes,
  type FieldDescriptor,
  HEADER_SIZE,
  heapStart,
  initStrandHeader,
  readStrandHeader,
  StrandHeaderError,
  type StrandMapOptions,
} from '../../dist/index.js';

const flat = buildSchema([{ name: 'id', type: 'u32' }]);
const text = buildSchema([
  { name: 'id', type: 'u32' },
  { name: 'label', type: 'utf8' },
]);

describe('computeStrandMap', () => {
  test('divides the memory into header, index, heap and the heap positions of each record', () => {
    const map = computeStrandMap({ schema: text, index_capacity: 8, heap_capacity: 101 });
    const beforePositions = HEADER_SIZE + 8 * 12 + 101;
    expect(map).toEqual({
      total_bytes: Math.ceil(beforePositions / 8) * 8 + 8 * 8,
      index_capacity: 8,
      heap_capacity: 101,
      record_stride: 12,
      header_size: HEADER_SIZE,
      schema: text,
    });
  });

  test('leaves no room behind the index where there is no heap', () => {
    const total = HEADER_SIZE + 8 * 4;
    expect(computeStrandMap({ schema: flat, index_capacity: 8 })).toMatchObject({
      total_bytes: total,
      heap_capacity: 0,
    });
    expect(computeStrandMap({ schema: flat, index_capacity: 8, heap_capacity: 0 }).total_bytes).toBe(total);
  });

  test('agrees with heapStart and computeTotalBytes', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 20 }),
        fc.integer({ min: 1, max: 0xffff_fffe }),
        fc.nat({ max: 10_000 }),
        (log, heap, room) => {
          const map = computeStrandMap({
            schema: text,
            index_capacity: 2 ** log,
            heap_capacity: heap,
            meta_capacity: room,
          });
          const at = [map.index_capacity, map.record_stride] as const;
          expect(heapStart(...at, map.header_size)).toBe(map.header_size + 2 ** log * 12);
          expect(computeTotalBytes(...at, heap, map.header_size)).toBe(map.total_bytes);
        },
      ),
    );
  });

  test('carries query and estimated_records as the header will', () => {
    const query = { assembly: 'v1', start: 0, end: 10, gone: undefined, at: new Date(0) };
    const map = computeStrandMap({ schema: flat, index_capacity: 8, query, estimated_records: 5 });
    expect(map.query).toStrictEqual({
      assembly: 'v1',
      start: 0,
      end: 10,
      at: '1970-01-01T00:00:00.000Z',
    });
    expect(map.estimated_records).toBe(5);
  });

  test('takes a query that starts where it ends, and one without ends', () => {
    for (const query of [{ start: 3, end: 3 }, { start: 3 }, { end: -3 }, { chrom: 'x' }, {}]) {
      expect(computeStrandMap({ schema: flat, index_capacity: 8, query }).query).toEqual(query);
    }
  });

  test('gives plain data that survives structured clone', () => {
    const map = computeStrandMap({ schema: text, index_capacity: 8, heap_capacity: 8, query: { start: 1 } });
    expect(structuredClone(map)).toStrictEqual(map);
  });

  test('makes a larger header for a schema that needs one', () => {
    const fields = Array.from(
      { length: 300 },
      (_, i): FieldDescriptor => ({ name: `column ${i}`, type: 'u8' }),
    );
    const map = computeStrandMap({ schema: buildSchema(fields), index_capacity: 4 });
    expect(map.header_size).toBeGreaterThan(HEADER_SIZE);
    expect(map.header_size % 128).toBe(0);
    const sab = new SharedArrayBuffer(map.total_bytes);
    initStrandHeader(sab, map);
    expect(readStrandHeader(sab)).toEqual(map);
  });

  test('makes room for names that take more bytes in JSON than in memory', () => {
    for (const character of ['\n', '\b', '\u0001', '"', '\\', '\u007f', '€', '🚀', '\u2028']) {
      const fields: FieldDescriptor[] = [1500, 1501].map((length) => ({
        name: character.repeat(length),
        type: 'u8',
      }));
      const map = computeStrandMap({
        schema: buildSchema(fields),
        index_capacity: 4,
        query: { note: character.repeat(300) },
      });
      const sab = new SharedArrayBuffer(map.total_bytes);
      initStrandHeader(sab, map);
      expect(readStrandHeader(sab)).toEqual(map);
    }
  });

  test.each([3, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, 2 ** 53])(
    'refuses %d records: no power of two within the limits',
    (index_capacity) => {
      const compute = () => computeStrandMap({ schema: flat, index_capacity });
      expect(compute).toThrow(StrandHeaderError);
      expect(compute).toThrow(/index_capacity/);
    },
  );

  test.each([-1, 0.5, Number.NaN, 2 ** 32, Number.POSITIVE_INFINITY])(
    'refuses %d bytes of heap, also where no field needs any',
    (heap_capacity) => {
      for (const schema of [flat, text]) {
        const compute = () => computeStrandMap({ schema, index_capacity: 8, heap_capacity });
        expect(compute).toThrow(StrandHeaderError);
        expect(compute).toThrow(/heap_capacity/);
      }
    },
  );

  test('refuses to go without a heap where a field needs one', () => {
    for (const heap_capacity of [0, undefined]) {
      const compute = () => computeStrandMap({ schema: text, index_capacity: 8, heap_capacity });
      expect(compute).toThrow(StrandHeaderError);
      expect(compute).toThrow(/heap_capacity is 0/);
    }
  });

  test('refuses a header past the largest', () => {
    const compute = () => computeStrandMap({ schema: flat, index_capacity: 8, meta_capacity: 2 ** 26 });
    expect(compute).toThrow(StrandHeaderError);
    expect(compute).toThrow(/header would take/);
    expect(() => computeStrandMap({ schema: flat, index_capacity: 8, meta_capacity: 2 ** 53 })).toThrow(
      StrandHeaderError,
    );
  });

  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const wrong: [string, object | undefined, new (...args: never[]) => Error, RegExp][] = [
    [
      'a reversed query',
      { query: { start: 2, end: 1 } },
      RangeError,
      /reversed: it starts at 2 and ends at 1/,
    ],
    [
      'a query that JSON reverses',
      { query: { start: 1, end: 2, toJSON: () => ({ start: 2, end: 1 }) } },
      RangeError,
      /reversed/,
    ],
    ['a query that JSON makes no object', { query: { toJSON: () => 5 } }, TypeError, /plain object, got 5/],
    ['a query that is no object', { query: 'chr1:1-2' }, TypeError, /plain object, got "chr1:1-2"/],
    ['a query that is null', { query: null }, TypeError, /plain object, got null/],
    ['a query with a start that is none', { query: { start: '1' } }, TypeError, /query.start .*got "1"/],
    [
      'a query with an infinite end',
      { query: { end: Number.POSITIVE_INFINITY } },
      TypeError,
      /query.end .*got Infinity/,
    ],
    [
      'a query that is no JSON',
      { query: { size: 1n } },
      TypeError,
      /query cannot be written as JSON: .*BigInt/,
    ],
    ['a query within itself', { query: cyclic }, TypeError, /query cannot be written as JSON/],
    ['a negative estimate', { estimated_records: -1 }, RangeError, /estimated_records .*got -1/],
    ['an estimate that is NaN', { estimated_records: Number.NaN }, RangeError, /estimated_records .*got NaN/],
    ['an estimate that is no number', { estimated_records: '5' }, TypeError, /estimated_records .*got "5"/],
    ['a missing capacity', { index_capacity: undefined }, TypeError, /index_capacity .*got undefined/],
    ['a capacity that is a bigint', { index_capacity: 8n }, TypeError, /index_capacity .*got 8n/],
    ['a heap that is no number', { heap_capacity: '1 MiB' }, TypeError, /heap_capacity .*got "1 MiB"/],
    ['a meta_capacity that is no number', { meta_capacity: {} }, TypeError, /meta_capacity .*got an object/],
    ['a missing schema', { schema: undefined }, TypeError, /buildSchema returns, got undefined/],
  ];
  test.each(wrong)('refuses %s', (_, changes, ErrorClass, message) => {
    const options = { schema: flat, index_capacity: 8, heap_capacity: 8, ...changes } as StrandMapOptions;
    const compute = () => computeStrandMap(options);
    expect(compute).toThrow(ErrorClass);
    expect(compute).toThrow(message);
    expect(compute).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_STRAND_/) }));
  });

  test('refuses to go without options', () => {
    expect(() => computeStrandMap(undefined as never)).toThrow(/takes an object of options, got undefined/);
  });
});

describe('heapStart and computeTotalBytes', () => {
  test('take the usual header unless told', () => {
    expect(heapStart(16, 12)).toBe(4096 + 16 * 12);
    expect(heapStart(16, 12, 8192)).toBe(8192 + 16 * 12);
    expect(computeTotalBytes(16, 12, 0)).toBe(4096 + 16 * 12);
    expect(computeTotalBytes(16, 12, 8)).toBe(4096 + 16 * 12 + 8 + 16 * 8);
    expect(computeTotalBytes(16, 12, 0, 8192)).toBe(8192 + 16 * 12);
  });

  test('compute in more than 32 bits', () => {
    expect(heapStart(2 ** 31, 65_532)).toBe(4096 + 2 ** 31 * 65_532);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 32])('refuse %d', (value) => {
    expect(() => heapStart(value, 4)).toThrow(RangeError);
    expect(() => heapStart(4, 4, value)).toThrow(RangeError);
    expect(() => computeTotalBytes(4, 4, value)).toThrow(RangeError);
  });

  test('refuse what is no number', () => {
    expect(() => heapStart('4' as never, 4)).toThrow(TypeError);
  });
});
