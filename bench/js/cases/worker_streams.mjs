/** Streams through workers: how much another core is worth. As times, so that less is better here as well. */

import { performance } from 'node:perf_hooks';
import { gzipHere, PIECE_BYTES, textPieces } from '../streams/gzip_pieces.mjs';

const CHECKED_PIECES = 50;
const PIECES_PER_MIB = (1024 * 1024) / PIECE_BYTES;

/** Of a piece of 64 KiB. */
const time = { unit: 'µs', over: 'minimum', bytes: PIECE_BYTES };
/** Both of its times are noisy: the least ratio would be luck. */
const ratio = { unit: '×', over: 'median' };

/**
 * @typedef {object} Gzipper whose workers are at work already
 * @property {(count: number) => Promise<void>} gzip once
 * @property {(count: number) => Promise<object[]>} collect once, in place of `gzip`
 * @property {() => Promise<void>} close
 *
 * @param {string} contender
 * @param {number} workers
 * @returns {Promise<Gzipper>}
 */
async function openGzipper(contender, workers) {
  if (contender === 'threads alone') {
    const { openGzipThreads } = await import('../streams/gzip_threads.mjs');
    return openGzipThreads(workers);
  }
  const { openGzipStream } = await import('../streams/gzip_stream.mjs');
  return openGzipStream(workers);
}

/**
 * @param {string} contender
 * @param {number} workers
 */
async function collectFrom(contender, workers) {
  const gzipper = await openGzipper(contender, workers);
  const collected = await gzipper.collect(CHECKED_PIECES);
  await gzipper.close();
  return collected;
}

/**
 * @param {string} contender
 * @param {number} workers
 * @param {(gzipper: Gzipper) => Promise<unknown>} work
 * @returns {Promise<number>} microseconds
 */
async function timeOf(contender, workers, work) {
  const gzipper = await openGzipper(contender, workers);
  const microseconds = await clock(() => work(gzipper));
  await gzipper.close();
  return microseconds;
}

/** @param {() => Promise<unknown>} work */
async function clock(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1e3;
}

/**
 * The least time of each; they take turns.
 *
 * @param {(() => Promise<number>)[]} timed
 * @param {number} passes
 */
async function leastOfEach(timed, passes) {
  const least = timed.map(() => Number.POSITIVE_INFINITY);
  for (let pass = 0; pass < passes; pass++) {
    for (const [i, take] of timed.entries()) least[i] = Math.min(least[i], await take());
  }
  return least;
}

/** @param {boolean} quick */
const amountOf = (quick) => ({ count: (quick ? 8 : 32) * PIECES_PER_MIB, passes: quick ? 2 : 3 });

/** @type {import('./case.mjs').JsCase} */
const streamGzip = {
  name: 'stream-gzip',
  title:
    'text gzipped by a stream of one worker while the main thread gzips as much, beside one thread alone',
  threads: 2,
  metrics: { alone: time, together: time, ratio },
  replaced: {},
  contenders: {
    // 1.8 times the throughput.
    strand: { needsBuild: true, targets: { ratio: 1 / 1.8 } },
    'threads alone': { part: true },
  },

  check: (contender) => collectFrom(contender, 1),

  async measure(contender, { quick }) {
    const { count, passes } = amountOf(quick);
    const pieces = textPieces();
    const both = (gzipper) => Promise.all([gzipper.gzip(count), gzipHere(pieces, count)]);
    const [alone, together] = await leastOfEach(
      [() => clock(() => gzipHere(pieces, count)), () => timeOf(contender, 1, both)],
      passes,
    );
    return { alone: alone / count, together: together / (2 * count), ratio: together / (2 * alone) };
  },
};

/** @type {import('./case.mjs').JsCase} */
const streamWorkers = {
  name: 'stream-workers',
  title: 'text gzipped by a stream of two workers, in order, beside a stream of one',
  threads: 2,
  metrics: { one: time, two: time, ratio },
  replaced: {},
  contenders: {
    // 1.7 times the throughput.
    strand: { needsBuild: true, targets: { ratio: 1 / 1.7 } },
    'threads alone': { part: true },
  },

  check: (contender) => collectFrom(contender, 2),

  async measure(contender, { quick }) {
    const { count, passes } = amountOf(quick);
    const by = (workers) => timeOf(contender, workers, (gzipper) => gzipper.gzip(count));
    const [one, two] = await leastOfEach([() => by(1), () => by(2)], passes);
    return { one: one / count, two: two / count, ratio: two / one };
  },
};

export const workerStreamCases = [streamGzip, streamWorkers];
