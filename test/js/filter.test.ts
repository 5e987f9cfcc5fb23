import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bitset,
  computeIntersection,
  computeUnion,
  createBitset,
  type FieldDescriptor,
  type FieldType,
  forEachSet,
  type Predicate,
  popcount,
  StrandClosedError,
  StrandResetError,
} from '../../dist/index.js';
import { seed } from './support/seed.js';
import { expectThrown, NUMBERED, numbered, open, openNumbered } from './support/strands.js';

const OUT_OF_RANGE = { code: 'ERR_STRAND_OUT_OF_RANGE' };
const INVALID = { code: 'ERR_STRAND_INVALID_ARGUMENT' };

/** Positions of the records that a bitset names. */
function recordsOf(bits: Bitset): number[] {
  const records: number[] = [];
  forEachSet(bits, bits.count, (j) => records.push(bits.start + j));
  return records;
}

/** A strand with the values in a field `v` of a type, and what a predicate finds in it. */
function filled(type: FieldType, values: readonly unknown[], options: object = {}) {
  const field: FieldDescriptor = { name: 'v', type, nullable: true };
  const { writer, view } = open([field], { indexCapacity: 64, ...options });
  writer.writeRecordBatch(values.map((v) => ({ v })));
  return (predicate: unknown) => recordsOf(view.getFilterBitset('v', predicate as Predicate));
}

const between = (lo: unknown, hi: unknown) => ({ kind: 'between', lo, hi });
const eq = (value: unknown) => ({ kind: 'eq', value });
const anyOf = (...handles: unknown[]) => ({ kind: 'in', handles: new Set(handles) });

describe('one predicate', () => {
  test('gives one bit a record, and says which ones', () => {
    const { writer, view } = openNumbered(64);
    writer.writeRecordBatch(numbered(0, 40));
    const bits = view.getFilterBitset('n', { kind: 'between', lo: 3, hi: 34 });
    expect(bits).toBeInstanceOf(Uint32Array);
    expect([bits.length, bits.start, bits.count]).toEqual([2, 0, 40]);
    expect(bits).toEqual(new Uint32Array([0xfffffff8, 0b111]));
    expect(popcount(bits)).toBe(32);
  });

  test.each(['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64'] as const)(
    'compares %s as numbers',
    (type) => {
      const find = filled(type, [0, 1, null, 2, 3, 100]);
      expect(find(between(1, 3))).toEqual([1, 3, 4]);
      expect(find(between(0.5, 2.5))).toEqual([1, 3]);
      expect(find(between(-Infinity, Infinity))).toEqual([0, 1, 3, 4, 5]);
      expect(find(between(-1e300, 1e300))).toEqual([0, 1, 3, 4, 5]);
      expect(find(between(3, 1))).toEqual([]);
      expect(find(between(NaN, 5))).toEqual([]);
      expect(find(eq(0))).toEqual([0]);
      expect(find(eq(-0))).toEqual([0]);
      expect(find(eq(2.5))).toEqual([]);
      expect(find(eq(NaN))).toEqual([]);
      expect(find(eq(Infinity))).toEqual([]);
    },
  );

  test('sees NaN, infinities and what f32 rounds', () => {
    const find = filled('f32', [NaN, -0, Infinity, 0.1, -Infinity]);
    expect(find(between(-Infinity, Infinity))).toEqual([1, 2, 3, 4]);
    expect(find(eq(Infinity))).toEqual([2]);
    expect(find(eq(0))).toEqual([1]);
    expect(find(eq(0.1))).toEqual([]);
    expect(find(eq(Math.fround(0.1)))).toEqual([3]);
    expect(find(between(1e39, Infinity))).toEqual([2]);
  });

  test.each(['i64', 'u64'] as const)('takes bigints of any size for %s', (type) => {
    const find = filled(type, [0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n]);
    expect(find(eq(2n ** 53n + 1n))).toEqual([2]);
    expect(find(eq(2 ** 53))).toEqual([1]);
    expect(find(between(1, 2n ** 200n))).toEqual([1, 2, 3]);
    expect(find(between(-(2n ** 200n), 2 ** 53))).toEqual([0, 1]);
    expect(find(eq(2n ** 200n))).toEqual([]);
    expect(find(between(2n ** 64n, 2n ** 65n))).toEqual([]);
    expect(find(between(2 ** 53 + 2, 2n ** 63n - 1n))).toEqual([3]);
  });

  test('takes bigints of 64 bits for f64', () => {
    const find = filled('f64', [2 ** 53, 2 ** 53 + 2]);
    expect(find(eq(2n ** 53n))).toEqual([0]);
    expect(find(between(2n ** 53n + 1n, 2n ** 64n - 1n))).toEqual([1]);
    expectThrown(() => find(eq(2n ** 64n)), RangeError, { ...OUT_OF_RANGE, field: 'v' });
  });

  test('takes booleans, and 0 and 1 for them', () => {
    const find = filled('bool8', [true, false, null, true]);
    expect(find(eq(true))).toEqual([0, 3]);
    expect(find(eq(false))).toEqual([1]);
    expect(find(eq(1))).toEqual([0, 3]);
    expect(find(eq(7))).toEqual([]);
    expect(find(between(false, true))).toEqual([0, 1, 3]);
  });

  test('finds interned strings by handle and by what they say', () => {
    const find = filled('utf8_ref', ['a', 'b', null, 3, 9, 'a'], { internTable: ['a', 'b', 'c', 'a'] });
    expect(find(eq(1))).toEqual([1]);
    expect(find(eq('a'))).toEqual([0, 3, 5]);
    expect(find(eq('c'))).toEqual([]);
    expect(find(eq('unknown'))).toEqual([]);
    expect(find(anyOf('b', 9))).toEqual([1, 4]);
    expect(find(anyOf(0, 1, 2 ** 40, -1, 0.5, NaN))).toEqual([0, 1, 5]);
    expect(find(anyOf())).toEqual([]);
  });

  test('finds handles that lie far apart', () => {
    const find = filled('utf8_ref', [0, 2 ** 32 - 1, 12_345_678, null]);
    expect(find(anyOf(0, 2 ** 32 - 1))).toEqual([0, 1]);
    expect(find(anyOf(2 ** 31, 12_345_678))).toEqual([2]);
    expectThrown(() => find(eq('a')), TypeError, { ...INVALID, field: 'v' });
  });

  test.each([
    ['u32', eq('1')],
    ['u32', eq(1n)],
    ['u32', eq(null)],
    ['u32', eq(true)],
    ['u32', between(1, undefined)],
    ['u32', anyOf(1)],
    ['u32', { kind: 'like', value: 1 }],
    ['u32', {}],
    ['u32', null],
    ['u32', 5],
    ['f32', eq(1n)],
    ['i64', eq('1')],
    ['bool8', eq('true')],
    ['bool8', anyOf(1)],
    ['utf8_ref', between(0, 1)],
    ['utf8_ref', eq(1n)],
    ['utf8_ref', { kind: 'in', handles: 5 }],
    ['utf8_ref', { kind: 'in', handles: 'text' }],
    ['utf8_ref', anyOf({})],
    ['utf8', eq('a')],
    ['json', eq(1)],
    ['bytes', between(0, 1)],
  ] as const)('of %s refuses %o with the field named', (type, predicate) => {
    const needsHeap = ['utf8', 'json', 'bytes'].includes(type);
    const find = filled(type, [], needsHeap ? { heapCapacity: 64 } : {});
    const error = expectThrown(() => find(predicate), TypeError, { ...INVALID, field: 'v' });
    expect(error.message).toContain("'v'");
  });

  test.each(['w', undefined, 7, Symbol('v')])('of no field is refused: %s', (name) => {
    const { view } = openNumbered();
    expectThrown(() => view.getFilterBitset(name as 'n', { kind: 'eq', value: 1 }), TypeError, INVALID);
  });
});

describe('several predicates', () => {
  test('are a plain object: a Map would select every record', () => {
    const { view } = openNumbered();
    const predicates = new Map([['n', { kind: 'eq', value: 1 }]]);
    expectThrown(() => view.getFilterBitset(predicates as never), TypeError, {
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
  });

  const FIELDS = [
    { name: 'score', type: 'f32' },
    { name: 'chrom', type: 'utf8_ref' },
    { name: '__proto__', type: 'i64' },
  ] as const;

  test('are all fulfilled', () => {
    const { writer, view } = open(FIELDS, { indexCapacity: 128, internTable: ['x', 'y'] });
    writer.writeRecordBatch(
      Array.from({ length: 100 }, (_, n) =>
        JSON.parse(`{ "score": ${n}, "chrom": ${n % 2}, "__proto__": ${n % 3} }`),
      ),
    );
    const score = { kind: 'between', lo: 10, hi: 50 } as const;
    const chrom = { kind: 'in', handles: new Set(['y']) } as const;
    const bits = view.getFilterBitset({ score, chrom, ['__proto__']: { kind: 'eq', value: 1n } });
    expect(recordsOf(bits)).toEqual([13, 19, 25, 31, 37, 43, 49]);
    const singly = [
      view.getFilterBitset('score', score),
      view.getFilterBitset('chrom', chrom),
      view.getFilterBitset('__proto__', { kind: 'eq', value: 1 }),
    ];
    expect(computeIntersection(singly)).toEqual(bits);
    expect(recordsOf(computeUnion(singly)).length).toBeGreaterThan(50);
    expect(popcount(view.getFilterBitset({}))).toBe(100);
    expect(popcount(view.getFilterBitset({ score: undefined }))).toBe(100);
  });

  test('name an unknown field', () => {
    const { view } = open(FIELDS);
    expectThrown(() => view.getFilterBitset({ other: eq(1) } as never), TypeError, {
      ...INVALID,
      field: 'other',
    });
  });
});

describe('the window', () => {
  test('may be empty', () => {
    const { writer, view } = openNumbered();
    const bits = view.getFilterBitset('n', { kind: 'eq', value: 0 });
    expect([bits.length, bits.start, bits.count]).toEqual([0, 0, 0]);
    expect(view.getConstrainedRanges(bits)).toEqual({});
    writer.reset();
    expectThrown(() => view.getFilterBitset('n', { kind: 'eq', value: 0 }), StrandResetError);
  });

  test('holds what was acknowledged and is still there, around the end of the ring', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.nat({ max: 200 }),
        fc.nat({ max: 60 }),
        (total, lo, width) => {
          const { writer, view } = openNumbered(64);
          for (let n = 0; n < total; n++) {
            writer.write({ n });
            view.acknowledgeRead(n + 1);
          }
          const bits = view.getFilterBitset('n', { kind: 'between', lo, hi: lo + width });
          expect(bits.start).toBe(view.windowStart);
          expect(bits.count).toBe(Math.min(total, 64));
          const expected = numbered(bits.start, total).map(({ n }) => n);
          expect(recordsOf(bits)).toEqual(expected.filter((n) => n >= lo && n <= lo + width));
        },
      ),
      { seed, numRuns: 200 },
    );
  });

  test('ends with the view', () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    const bits = view.getFilterBitset({});
    view.close();
    expectThrown(() => view.getFilterBitset({}), StrandClosedError);
    expectThrown(() => view.getConstrainedRanges(bits), StrandClosedError);
  });
});

describe('constrained ranges', () => {
  test.each([1, 2, 8, 64, 128, 256, 1024])(
    'of bits that begin long before the window are those of the window, in a ring of %d',
    (indexCapacity) => {
      const { writer, view } = open(
        [
          { name: 'n', type: 'u32', nullable: true },
          { name: 'rest', type: 'fixed_bytes', length: 5000 },
        ],
        { indexCapacity },
      );
      for (let n = 0; n < 3000; n++) {
        writer.write({ n } as never);
        view.acknowledgeRead(n + 1);
      }
      const ranges = { n: { min: view.windowStart, max: 2999 } };
      expect(view.getConstrainedRanges(createBitset(3000).fill(~0 >>> 0, 0, 93))).toEqual(
        view.windowStart < 93 * 32 ? { n: { ...ranges.n, max: 93 * 32 - 1 } } : {},
      );
      const all = createBitset(view.committedCount).fill(~0 >>> 0);
      all[93] = (2 ** (3000 % 32) - 1) >>> 0;
      expect(view.getConstrainedRanges(all)).toEqual(ranges);
    },
  );

  const FIELDS = [
    { name: 'u', type: 'u8' },
    { name: 'i', type: 'i64' },
    { name: 'x', type: 'f64' },
    { name: 'f', type: 'f32', nullable: true },
    { name: 'b', type: 'bool8' },
    { name: '__proto__', type: 'i16' },
  ] as const;

  test('are of every numeric field over the set bits', () => {
    const { writer, view } = open(FIELDS, { indexCapacity: 16 });
    writer.writeRecordBatch([
      { u: 200, i: -5n, x: NaN, f: null, b: true },
      { u: 7, i: 2n ** 62n, x: 1.5, f: null, b: true },
      { u: 9, i: 0n, x: -Infinity, f: 1, b: false },
      { u: 255, i: -(2n ** 63n), x: -0, f: Infinity },
    ]);
    const some = view.getFilterBitset('u', { kind: 'between', lo: 0, hi: 200 });
    const ranges = view.getConstrainedRanges(some);
    expect(Object.keys(ranges).sort()).toEqual(['__proto__', 'f', 'i', 'u', 'x']);
    expect(ranges).toMatchObject({
      u: { min: 7, max: 200 },
      i: { min: -5n, max: 2n ** 62n },
      x: { min: 1.5, max: 1.5 },
      f: { min: 1, max: 1 },
    });
    expect(Object.getOwnPropertyDescriptor(ranges, '__proto__')?.value).toEqual({ min: 0, max: 0 });
    const last = view.getConstrainedRanges(view.getFilterBitset('u', { kind: 'eq', value: 255 }));
    expect(last.x).toEqual({ min: 0, max: 0 });
    expect('f' in last).toBe(false);
    expect(view.getConstrainedRanges(createBitset(4))).toEqual({});
  });

  test('leave out records that were overwritten since', () => {
    const { writer, view } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 8));
    const all = view.getFilterBitset({});
    expect(view.getConstrainedRanges(all)).toEqual({ n: { min: 0, max: 7 } });
    view.acknowledgeRead(8);
    writer.writeRecordBatch(numbered(8, 11));
    expect(view.getConstrainedRanges(all)).toEqual({ n: { min: 3, max: 7 } });
    view.acknowledgeRead(11);
    writer.writeRecordBatch(numbered(11, 19));
    expect(view.getConstrainedRanges(all)).toEqual({});
  });

  test('refuse bits of records that there are not', () => {
    const { writer, view } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 5));
    const bits = createBitset(100);
    bits[0] = 0b11111;
    expect(view.getConstrainedRanges(bits)).toEqual({ n: { min: 0, max: 4 } });
    expect(view.getConstrainedRanges(new Uint32Array([0b110]))).toEqual({ n: { min: 1, max: 2 } });
    bits[0] = 0b100000;
    expectThrown(() => view.getConstrainedRanges(bits), RangeError, OUT_OF_RANGE);
    expectThrown(() => view.getConstrainedRanges([1] as never), TypeError, INVALID);
  });

  test('refuse a bitset of a stream that was reset, also through a union', () => {
    const { writer, view } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 5));
    const old = view.getFilterBitset({});
    writer.reset();
    expectThrown(() => view.getConstrainedRanges(old), StrandResetError);
    return view.waitForCommit(0, 0).then(() => {
      writer.writeRecordBatch(numbered(0, 5));
      const united = computeUnion([createBitset(5), old]);
      for (const bits of [old, united]) {
        expectThrown(() => view.getConstrainedRanges(bits), RangeError, OUT_OF_RANGE);
      }
      expectThrown(() => computeIntersection([old, view.getFilterBitset({})]), RangeError, OUT_OF_RANGE);
    });
  });
});

test('user code that a predicate runs may close the view', () => {
  const { writer, view } = open([...NUMBERED], { indexCapacity: 8 });
  writer.writeRecordBatch(numbered(0, 3));
  const predicate = {
    kind: 'eq' as const,
    get value() {
      view.close();
      return 1;
    },
  };
  expectThrown(() => view.getFilterBitset('n', predicate), StrandClosedError);
});

describe('STRAND_KERNELS', () => {
  const script = `
    import { createStrand, StrandView, StrandWriter } from ${JSON.stringify(
      fileURLToPath(new URL('../../dist/index.js', import.meta.url)),
    )};
    const strand = createStrand([{ name: 'n', type: 'f32' }, { name: 'm', type: 'i64' }], { indexCapacity: 1024 });
    const writer = new StrandWriter(strand);
    writer.writeRecordBatch(Array.from({ length: 1000 }, (_, n) => ({ n: n / 7, m: n * 5 })));
    const view = new StrandView(strand);
    const bits = view.getFilterBitset({ n: { kind: 'between', lo: 1, hi: 99 }, m: { kind: 'between', lo: 9, hi: 3000n } });
    console.log([...bits].join(), JSON.stringify(view.getConstrainedRanges(bits).n));`;

  test('names a version; all give the same, and a name that means none is ignored', () => {
    const outputs = ['generic', 'avx2', 'avx512', 'none', ''].map((kernels) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        env: { ...process.env, STRAND_KERNELS: kernels },
        encoding: 'utf8',
      }),
    );
    expect(outputs[0]).toMatch(/^\d+,/);
    expect(new Set(outputs).size).toBe(1);
  });
});
