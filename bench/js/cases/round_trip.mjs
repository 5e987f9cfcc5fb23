/**
 *   initiator (worker) ── record ──▶ echo (worker)
 *                      ◀── record ──
 *
 * One record there, read, and one back, read: the time until the initiator has read the answer.
 * Both threads wait synchronously where the contender can; the main thread sleeps.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createEchoPair } from '../echo/endpoint.mjs';
import { percentile } from '../measure.mjs';

const CHECKED_TRIPS = 500;

/** @type {import('./case.mjs').JsCase} */
export const roundTrip = {
  name: 'round-trip',
  title: 'round trip of one record between two threads, synchronous waits',
  threads: 2,
  metrics: {
    median: { unit: 'µs', over: 'median' },
    p99: { unit: 'µs', over: 'median' },
  },
  replaced: { median: 43, p99: 71 },
  contenders: {
    strand: { needsBuild: true, targets: { median: 0.6, p99: 5 } },
    'plain ring': {},
    'ringbuf.js, polling': {},
    postMessage: {},
  },

  async check(contender) {
    const { answers } = await runTrips(contender, { warmUp: 0, trips: CHECKED_TRIPS });
    return answers;
  },

  async measure(contender, { quick }) {
    const counts = quick ? { warmUp: 2000, trips: 5000 } : { warmUp: 10_000, trips: 30_000 };
    const { microseconds } = await runTrips(contender, counts);
    return { median: percentile(microseconds, 0.5), p99: percentile(microseconds, 0.99) };
  },
};

/**
 * @param {string} contender
 * @param {{ warmUp: number, trips: number }} counts
 * @returns {Promise<{ microseconds: Float64Array, answers: object[] }>}
 */
async function runTrips(contender, counts) {
  const { initiatorEnd, echoEnd } = await createEchoPair(contender);
  const start = (role, { handle, transferList }) =>
    new Worker(new URL('../echo/trip_worker.mjs', import.meta.url), {
      workerData: { role, contender, handle, ...counts },
      transferList,
    });
  const echo = start('echo', echoEnd);
  const initiator = start('initiator', initiatorEnd);
  // `once` rejects on the 'error' of either worker.
  const [[result]] = await Promise.all([
    once(initiator, 'message'),
    once(initiator, 'exit'),
    once(echo, 'exit'),
  ]);
  return result;
}
