import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import {
  buildSchema,
  computeStrandMap,
  createStrand,
  HEADER_SIZE,
  MAX_INDEX_CAPACITY,
  readStrandHeader,
  StrandCapacityError,
  StrandHeaderError,
  type StrandOptions,
} from '../../dist/index.js';

const fields = [
  { name: 'id', type: 'u32' },
  { name: 'label', type: 'utf8' },
] as const;

describe('createStrand', () => {
  test('does what buildSchema, computeStrandMap and initStrandHeader do', () => {
    const schema = buildSchema(fields);
    const { sab, map } = createStrand(fields, {
      indexCapacity: 16,
      heapCapacity: 100,
      query: { start: 1, end: 2 },
      estimatedRecords: 50,
      meta: { source: 'test' },
    });
    const computed = computeStrandMap({
      schema,
      index_capacity: 16,
      heap_capacity: 100,
      query: { start: 1, end: 2 },
      estimated_records: 50,
    });
    expect(map).toStrictEqual({ ...computed, meta: { source: 'test' } });
    expect(sab.byteLength).toBe(map.total_bytes);
    expect(readStrandHeader(sab)).toStrictEqual(map);
  });

  test('takes a schema as well as fields', () => {
    const options = { indexCapacity: 16, heapCapacity: 100 };
    expect(createStrand(buildSchema(fields), options).map).toEqual(createStrand(fields, options).map);
  });

  test('has capacities of its own', () => {
    expect(createStrand(fields).map).toMatchObject({
      index_capacity: 16_384,
      heap_capacity: 16 * 1024 * 1024,
    });
    const { map } = createStrand([{ name: 'page', type: 'fixed_bytes', length: 60_000 }]);
    expect(map).toMatchObject({ index_capacity: 256, heap_capacity: 0 });
  });

  test('makes the header as large as meta needs', () => {
    const internTable = Array.from({ length: 1000 }, (_, i) => `category ${i}`);
    const { map } = createStrand(fields, { indexCapacity: 4, heapCapacity: 64, internTable });
    expect(map.header_size).toBeGreaterThan(HEADER_SIZE);
    expect(map.meta).toStrictEqual({ internTable });
  });

  test('lets the intern table travel beside other meta', () => {
    const { map } = createStrand(fields, {
      indexCapacity: 4,
      heapCapacity: 64,
      meta: { a: 1 },
      internTable: ['x'],
    });
    expect(map.meta).toStrictEqual({ a: 1, internTable: ['x'] });
  });

  test.each([
    ['an intern table that is no list', { internTable: 'abc' }, TypeError, /internTable .*got "abc"/],
    ['an intern table of other things', { internTable: ['a', 1] }, TypeError, /internTable/],
    ['two intern tables', { internTable: ['a'], meta: { internTable: ['b'] } }, TypeError, /choose one/],
    ['a capacity that is no power of two', { indexCapacity: 3 }, StrandHeaderError, /index_capacity 3/],
    ['no heap', { heapCapacity: 0 }, StrandHeaderError, /heap_capacity is 0/],
    ['a reversed query', { query: { start: 2, end: 1 } }, RangeError, /reversed/],
    ['a meta that is no JSON', { meta: { big: 1n } }, TypeError, /meta cannot be written as JSON/],
    ['options that are none', 16, TypeError, /object of options, got 16/],
  ])('refuses %s', (_, options, ErrorClass, message) => {
    const create = () => createStrand(fields, options as StrandOptions);
    expect(create).toThrow(ErrorClass);
    expect(create).toThrow(message);
  });

  test('refuses fields that are none', () => {
    expect(() => createStrand(undefined as never)).toThrow(/list of fields, got undefined/);
    expect(() => createStrand([])).toThrow(/at least one field/);
  });

  test('says so when there is not as much memory', () => {
    const page = [{ name: 'page', type: 'fixed_bytes', length: 65_532 }] as const;
    const create = () => createStrand(page, { indexCapacity: MAX_INDEX_CAPACITY });
    expect(create).toThrow(StrandCapacityError);
    expect(create).toThrow(/\d+ bytes .*smaller indexCapacity/);
  });
});

describe('a strand between threads', () => {
  test('is shared by structured clone, and the map is equal', () => {
    const strand = createStrand(fields, { indexCapacity: 4, heapCapacity: 64, meta: { a: 1 } });
    expect(structuredClone(strand.map)).toStrictEqual(strand.map);
    expect(Object.getPrototypeOf(strand)).toBe(Object.prototype);
  });

  test('goes through workerData and postMessage', async () => {
    const strand = createStrand(fields, { indexCapacity: 4, heapCapacity: 64, meta: { a: 1 } });
    const index = new URL('../../dist/index.js', import.meta.url).href;
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(${JSON.stringify(index)}).then(({ readStrandHeader }) => {
        parentPort.once('message', (posted) => {
          parentPort.postMessage([readStrandHeader(workerData), readStrandHeader(posted), posted]);
        });
      });`;
    const worker = new Worker(code, { eval: true, workerData: strand });
    worker.postMessage(strand);
    const [[fromData, fromMessage, back]] = await once(worker, 'message');
    expect(fromData).toStrictEqual(strand.map);
    expect(fromMessage).toStrictEqual(strand.map);
    expect(back.map).toStrictEqual(strand.map);
    new Uint8Array(strand.sab)[strand.map.total_bytes - 1] = 77;
    expect(new Uint8Array(back.sab)[strand.map.total_bytes - 1]).toBe(77);
    await once(worker, 'exit');
  });
});
