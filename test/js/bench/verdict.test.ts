import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareRuns, rankTest } from '../../../bench/harness/verdict.mjs';

const base = [100, 101, 102, 103, 104];
const shifted = (by: number) => base.map((run) => run * by);

describe('rankTest', () => {
  // Table of the exact distribution in Mann and Whitney's paper, doubled for two sides.
  test.each([
    [[1, 2, 3], [4, 5, 6], 2 / 20],
    [[1, 2, 4], [3, 5, 6], 4 / 20],
    [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 2 / 252],
    [[1, 2, 3, 4, 6], [5, 7, 8, 9, 10], 4 / 252],
  ])('finds %j and %j to differ by chance with probability %d', (a, b, probability) => {
    expect(rankTest(a, b).probability).toBeCloseTo(probability, 12);
  });

  test('finds no difference between runs that are all the same', () => {
    expect(rankTest([1, 1, 1, 1, 1], [1, 1, 1, 1, 1]).probability).toBe(1);
  });

  test('does not depend on which side is which, nor on the order of the runs', () => {
    const list = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const forth = rankTest(a, b).probability;
        expect(rankTest(b, a).probability).toBe(forth);
        expect(rankTest([...a].reverse(), b).probability).toBe(forth);
        expect(forth).toBeGreaterThan(0);
        expect(forth).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('compareRuns', () => {
  test.each([
    ['better', shifted(0.8)],
    ['worse', shifted(1.25)],
    ['no difference', shifted(1)],
    ['no difference', [102, 99, 104, 105, 101]],
  ])('says %s of %j against 100 to 104', (verdict, now) => {
    expect(compareRuns(now, base, 'minimum').verdict).toBe(verdict);
  });

  test('says nothing of a clear difference that nobody would notice', () => {
    const fine = [100, 100.01, 100.02, 100.03, 100.04];
    const barely = fine.map((run) => run * 1.01);
    expect(compareRuns(barely, fine, 'minimum').verdict).toBe('no difference');
  });

  test('is not led astray by one run that met other work', () => {
    const seven = [...base, 105, 106];
    const quicker = seven.map((run) => run * 0.8);
    expect(compareRuns([500, ...quicker.slice(1)], seven, 'minimum').verdict).toBe('better');
    expect(compareRuns([500, ...seven.slice(1)], seven, 'minimum').verdict).toBe('no difference');
  });

  test('gives no verdict on fewer runs than could ever be significant', () => {
    expect(compareRuns([1, 1, 1], [9, 9, 9], 'minimum').verdict).toBe('too few runs');
  });

  test('gives the ratio of the figures and the larger spread', () => {
    expect(compareRuns([2, 3, 4], [4, 4, 4], 'minimum')).toMatchObject({
      now: 2,
      base: 4,
      ratio: 0.5,
      spread: 2 / 3,
    });
  });

  test('compares sizes of zero', () => {
    expect(compareRuns([0, 0, 0, 0, 0], [0, 0, 0, 0, 0], 'median')).toMatchObject({
      ratio: 1,
      verdict: 'no difference',
    });
  });
});
