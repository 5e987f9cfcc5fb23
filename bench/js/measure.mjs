/** What a trial process measures, and nothing about which contender it measures. */

import { performance } from 'node:perf_hooks';

/**
 * @typedef {{ quick: boolean }} TrialOptions
 * @typedef {Record<string, number>} Metrics
 */

/**
 * The cost of one record in nanoseconds: many rounds are warmed up, then grouped into passes; a pass
 * is long enough to hold its share of garbage collection, and the quickest pass counts.
 * Only `timed` is on the clock.
 *
 * @param {{ before?: () => void, timed: () => void, after?: () => void, records: number }} round
 * @param {TrialOptions} options
 * @returns {number} nanoseconds per record
 */
export function measureCost(round, options) {
  const { warmUpMs, passes, passMs } = planOf(options);
  runFor(round, warmUpMs, 20);
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < passes; pass++) {
    const { milliseconds, rounds } = runFor(round, passMs, 2);
    best = Math.min(best, (milliseconds * 1e6) / (rounds * round.records));
  }
  return best;
}

/**
 * The same for work that is awaited.
 *
 * @param {{ timed: () => Promise<void>, after?: () => void | Promise<void>, records: number }} round
 * @param {TrialOptions} options
 * @returns {Promise<number>} nanoseconds per record
 */
export async function measureAwaitedCost(round, options) {
  const { warmUpMs, passes, passMs } = planOf(options);
  await runAwaitedFor(round, warmUpMs, 20);
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < passes; pass++) {
    const { milliseconds, rounds } = await runAwaitedFor(round, passMs, 2);
    best = Math.min(best, (milliseconds * 1e6) / (rounds * round.records));
  }
  return best;
}

/** @param {TrialOptions} options */
function planOf({ quick }) {
  return { warmUpMs: quick ? 200 : 400, passes: quick ? 4 : 10, passMs: quick ? 30 : 40 };
}

/**
 * @param {{ before?: () => void, timed: () => void, after?: () => void }} round
 * @param {number} leastMs time on the clock
 * @param {number} leastRounds
 */
function runFor({ before, timed, after }, leastMs, leastRounds) {
  let milliseconds = 0;
  let rounds = 0;
  while (milliseconds < leastMs || rounds < leastRounds) {
    before?.();
    const start = performance.now();
    timed();
    milliseconds += performance.now() - start;
    rounds++;
    after?.();
  }
  return { milliseconds, rounds };
}

/**
 * @param {{ timed: () => Promise<void>, after?: () => void | Promise<void> }} round
 * @param {number} leastMs time on the clock
 * @param {number} leastRounds
 */
async function runAwaitedFor({ timed, after }, leastMs, leastRounds) {
  let milliseconds = 0;
  let rounds = 0;
  while (milliseconds < leastMs || rounds < leastRounds) {
    const start = performance.now();
    await timed();
    milliseconds += performance.now() - start;
    rounds++;
    await after?.();
  }
  return { milliseconds, rounds };
}

/**
 * @param {Float64Array} samples sorted in place
 * @param {number} fraction 0 to 1
 */
export function percentile(samples, fraction) {
  samples.sort();
  return samples[Math.min(samples.length - 1, Math.floor(fraction * samples.length))];
}

/**
 * @param {number} actual
 * @param {number} expected
 * @param {string} what
 */
export function expectEqual(actual, expected, what) {
  if (!Object.is(actual, expected)) {
    throw new Error(`${what}: got ${actual}, expected ${expected}`);
  }
}
