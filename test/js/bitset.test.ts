import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeIntersection, computeUnion, createBitset, forEachSet, popcount } from '../../dist/index.js';
import { seed } from './support/seed.js';
import { expectThrown } from './support/strands.js';

const OUT_OF_RANGE = { code: 'ERR_STRAND_OUT_OF_RANGE' };
const INVALID = { code: 'ERR_STRAND_INVALID_ARGUMENT' };

function bitsetOf(members: Iterable<number>, count: number, start = 0) {
  const bits = createBitset(count, start);
  for (const j of members) bits[j >> 5] = (bits[j >> 5] as number) | (1 << (j & 31));
  return bits;
}

function membersOf(bits: Uint32Array, limit = Number.POSITIVE_INFINITY): number[] {
  const members: number[] = [];
  forEachSet(bits, limit, (j) => members.push(j));
  return members;
}

describe('a bitset', () => {
  test.each([[{ count: 1e12 }], [{ count: Number.NaN }], [{ count: -5 }], [{ start: -5 }], [{ start: 1.5 }]])(
    'is refused with what it cannot have: %j',
    (own) => {
      const bits = Object.assign(new Uint32Array(2), own);
      for (const combine of [computeUnion, computeIntersection]) {
        expectThrown(() => combine([bits]), RangeError, OUT_OF_RANGE);
      }
    },
  );

  test.each([Object.create(Uint32Array.prototype), new Proxy(new Uint32Array(1), {})])(
    'is no object that only looks like one',
    (bits) => {
      expectThrown(() => popcount(bits as Uint32Array), TypeError, INVALID);
    },
  );

  test('may be one of very many', () => {
    const one = bitsetOf([1], 2);
    expect(popcount(computeUnion(Array(200_000).fill(one)))).toBe(1);
    expect(popcount(computeIntersection(Array(200_000).fill(one)))).toBe(1);
  });
});

describe('createBitset', () => {
  test('makes zeros, and says what they stand for', () => {
    const bits = createBitset(33, 7);
    expect(bits).toBeInstanceOf(Uint32Array);
    expect(bits).toEqual(new Uint32Array(2));
    expect([bits.start, bits.count]).toEqual([7, 33]);
    expect(createBitset(0)).toHaveLength(0);
    expect(createBitset(32)).toHaveLength(1);
    expect(createBitset(1).start).toBe(0);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 32, '3', undefined])('refuses a count of %s', (count) => {
    expectThrown(() => createBitset(count as number), RangeError, OUT_OF_RANGE);
  });

  test.each([-1, 0.5, Number.NaN, null])('refuses a start of %s', (start) => {
    expectThrown(() => createBitset(1, start as unknown as number), RangeError, OUT_OF_RANGE);
  });
});

/** Members, and a count above all of them; large ones are counted by the core. */
const sets = fc
  .tuple(fc.uniqueArray(fc.nat({ max: 400 }), { maxLength: 200, size: 'large' }), fc.nat({ max: 9000 }))
  .map(([members, extra]) => {
    const stretched = extra > 8500 ? members.map((j) => j * 20) : members;
    const count = Math.max(-1, ...stretched) + 1 + (extra % 70);
    return { members: new Set(stretched), count };
  });

const sorted = (members: Iterable<number>) => [...members].sort((a, b) => a - b);

describe('sets of records', () => {
  test('are intersected and united as sets are', () => {
    fc.assert(
      fc.property(fc.array(sets, { minLength: 1, maxLength: 4 }), fc.nat(), (list, start) => {
        const bitsets = list.map(({ members, count }) => bitsetOf(members, count, start));
        const before = bitsets.map((bits) => [...bits]);
        const intersection = computeIntersection(bitsets);
        const union = computeUnion(bitsets);
        const counts = list.map(({ count }) => count);
        const [first] = list as [(typeof list)[number]];
        const common = [...first.members].filter((j) => list.every(({ members }) => members.has(j)));
        expect(membersOf(intersection)).toEqual(sorted(common));
        expect(membersOf(union)).toEqual(sorted(new Set(list.flatMap(({ members }) => [...members]))));
        expect([intersection.start, intersection.count]).toEqual([start, Math.min(...counts)]);
        expect([union.start, union.count]).toEqual([start, Math.max(...counts)]);
        expect(bitsets.map((bits) => [...bits])).toEqual(before);
        expect(bitsets).not.toContain(intersection);
      }),
      { seed },
    );
  });

  test('with different starts do not go together', () => {
    const list = [createBitset(10, 1), createBitset(10, 2)];
    for (const combine of [computeIntersection, computeUnion]) {
      expectThrown(() => combine(list), RangeError, OUT_OF_RANGE);
      expectThrown(() => combine([createBitset(1, 3), new Uint32Array(1)]), RangeError, OUT_OF_RANGE);
    }
  });

  test('are taken from plain words, which begin at record 0', () => {
    const list = [new Uint32Array([0b1100]), bitsetOf([2, 3, 4], 40)];
    expect(computeIntersection(list)).toMatchObject({ start: 0, count: 32 });
    expect(membersOf(computeIntersection(list))).toEqual([2, 3]);
    expect(membersOf(computeUnion(list))).toEqual([2, 3, 4]);
  });

  test('never have bits past their count', () => {
    const dirty = createBitset(5).fill(0xffffffff);
    expect(membersOf(computeUnion([dirty]))).toEqual([0, 1, 2, 3, 4]);
    expect(membersOf(computeIntersection([dirty, createBitset(3).fill(0xffffffff)]))).toEqual([0, 1, 2]);
  });

  test.each([[[]], [null], ['text'], [[[1]]], [[new Int32Array(1)]]])('refuses %j', (list) => {
    for (const combine of [computeIntersection, computeUnion]) {
      expectThrown(() => combine(list as never), TypeError, INVALID);
    }
  });
});

describe('popcount and forEachSet', () => {
  test('see the bits below the limit, in ascending order', () => {
    fc.assert(
      fc.property(sets, fc.nat({ max: 9000 }), ({ members, count }, limit) => {
        const bits = bitsetOf(members, count);
        const below = sorted(members).filter((j) => j < limit);
        expect(popcount(bits, limit)).toBe(below.length);
        expect(membersOf(bits, limit)).toEqual(below);
        expect(popcount(bits)).toBe(members.size);
      }),
      { seed },
    );
  });

  test('see the highest bit of a word', () => {
    expect(membersOf(new Uint32Array([0x80000001, 0xffffffff]), 33)).toEqual([0, 31, 32]);
    expect(popcount(new Uint32Array(1000).fill(0xffffffff))).toBe(32_000);
    expect(popcount(new Uint32Array(1000).fill(0x80000000), 31_999)).toBe(999);
  });

  test.each([-1, Number.NaN, '1', null])('refuse a limit of %s', (limit) => {
    expectThrown(() => popcount(new Uint32Array(1), limit as number), RangeError, OUT_OF_RANGE);
    expectThrown(() => forEachSet(new Uint32Array(1), limit as number, () => {}), RangeError, OUT_OF_RANGE);
  });

  test('refuse what is no bitset, and no function', () => {
    expectThrown(() => popcount([1] as never), TypeError, INVALID);
    expectThrown(() => forEachSet(new Float64Array(1) as never, 1, () => {}), TypeError, INVALID);
    expectThrown(() => forEachSet(new Uint32Array(1), 1, null as never), TypeError, INVALID);
  });
});
