import { figuresOf } from './summary.mjs';

/**
 * A difference has to be less likely than this by chance alone: with seven runs on each side, one of them may
 * have met other work on the machine …
 */
export const SIGNIFICANCE = 0.03;
/** … and at least this large, or it is none that anybody would notice. */
export const LEAST_DIFFERENCE = 0.02;
/** With fewer runs on a side not even the clearest difference is significant. */
export const LEAST_RUNS = 4;

/**
 * @typedef {'better' | 'worse' | 'no difference' | 'too few runs'} Verdict
 * @typedef {object} Comparison
 * @property {number} now
 * @property {number} base
 * @property {number} ratio now / base: below 1 is better
 * @property {number} spread the larger of both sides'
 * @property {Verdict} verdict
 */

/**
 * Judges by the ranks of the single runs, so that one run that met other work on the machine weighs no
 * more than any other. All metrics are costs and sizes: less is better.
 *
 * @param {number[]} now
 * @param {number[]} base
 * @param {'minimum' | 'median'} over
 * @returns {Comparison}
 */
export function compareRuns(now, base, over) {
  const ours = figuresOf(now, over);
  const theirs = figuresOf(base, over);
  const ratio = ours.figure === theirs.figure ? 1 : ours.figure / theirs.figure;
  return {
    now: ours.figure,
    base: theirs.figure,
    ratio,
    spread: Math.max(ours.spread, theirs.spread),
    verdict: judge(now, base, ratio),
  };
}

/** @returns {Verdict} */
function judge(now, base, ratio) {
  if (Math.min(now.length, base.length) < LEAST_RUNS) return 'too few runs';
  const { smaller, probability } = rankTest(now, base);
  const noticeable = Math.abs(ratio - 1) >= LEAST_DIFFERENCE;
  // Ranks and figures may point different ways; then nothing is known.
  const agree = smaller === ratio < 1;
  if (probability >= SIGNIFICANCE || !noticeable || !agree) return 'no difference';
  return ratio < 1 ? 'better' : 'worse';
}

/**
 * The two-sided test of Mann and Whitney with its exact distribution ("On a Test of Whether one of Two
 * Random Variables is Stochastically Larger than the Other", 1947).
 *
 * @param {number[]} a
 * @param {number[]} b
 * @returns {{ smaller: boolean, probability: number }} whether `a` tends to be smaller, and how likely a
 *   difference as clear is where there is none
 */
export function rankTest(a, b) {
  let below = 0;
  for (const x of a) for (const y of b) below += x < y ? 1 : x === y ? 0.5 : 0;
  const pairs = a.length * b.length;
  // Ties leave halves; rounding up makes the difference less clear, never clearer.
  const extreme = Math.ceil(Math.min(below, pairs - below));
  const ways = arrangements(a.length, b.length);
  const all = ways.reduce((sum, count) => sum + count, 0);
  const tail = ways.slice(0, extreme + 1).reduce((sum, count) => sum + count, 0);
  return { smaller: below > pairs / 2, probability: Math.min(1, (2 * tail) / all) };
}

/**
 * In how many orders of n and m values exactly u pairs are in order, for every u.
 *
 * @param {number} n
 * @param {number} m
 * @returns {number[]}
 */
function arrangements(n, m) {
  // The Gaussian binomial coefficient: the product of (1 - q^(m+i)) / (1 - q^i).
  const counts = new Array(n * m + 1).fill(0);
  counts[0] = 1;
  for (let i = 1; i <= n; i++) {
    for (let u = n * m; u >= m + i; u--) counts[u] -= counts[u - m - i];
    for (let u = i; u <= n * m; u++) counts[u] += counts[u - i];
  }
  return counts;
}
