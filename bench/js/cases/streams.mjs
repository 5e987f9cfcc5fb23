/** Node streams over a strand, from the main thread to a worker: bytes, records, and what a long stream holds. */

import { performance } from 'node:perf_hooks';
import { DISTINCT_CHUNKS } from '../chunks/chunks.mjs';
import { checkPath, costOfChunk } from '../chunks/measure_path.mjs';
import { expectEqual } from '../measure.mjs';
import { BATCH, expectedSum } from '../records.mjs';
import { openBytePath } from '../streams/byte_path.mjs';
import { openRecordPath } from '../streams/record_path.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Of every contender. */
const BYTES_UNDER_WAY = 2 * MIB;

/**
 * @param {string} name
 * @param {number} kibibytes
 * @param {number} timesBest of the best peer's throughput
 * @returns {import('./case.mjs').JsCase}
 */
function byteCase(name, kibibytes, timesBest) {
  const chunkBytes = kibibytes * KIB;
  const path = { chunkBytes, underWay: BYTES_UNDER_WAY / chunkBytes };
  return {
    name,
    title: `a writable of ${kibibytes} KiB chunks to a readable, main to worker, every byte read`,
    threads: 2,
    metrics: { cost: { unit: 'µs', over: 'minimum', bytes: chunkBytes } },
    replaced: {},
    contenders: {
      strand: { needsBuild: true, peerTargets: { cost: 1 / timesBest } },
      'strand, zero copy': { needsBuild: true, peerTargets: { cost: 1 / timesBest } },
      'postMessage, clone': {},
      'postMessage, transfer': {},
      'thread-stream': {},
      'node streams alone': { part: true },
    },

    async check(contender) {
      return checkPath(await openBytePath(contender, path));
    },

    async measure(contender, { quick }) {
      return { cost: await costOfChunk(await openBytePath(contender, path), { kibibytes, quick }) };
    },
  };
}

const GEOMETRY = { slots: 65_536, heapBytes: 4 * MIB };

/** @type {import('./case.mjs').JsCase} */
const streamRecords = {
  name: 'stream-records',
  title: 'a writable of 1,000 records at once to a readable, main to worker, all five fields read',
  threads: 2,
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  replaced: {},
  contenders: {
    strand: { needsBuild: true, peerTargets: { cost: 1 / 2.5 } },
    postMessage: {},
    'thread-stream, NDJSON': {},
    'node streams alone': { part: true },
  },

  async check(contender) {
    const path = await openRecordPath(contender, {
      workloadName: 'fiveFields',
      workloadOptions: { ascii: false },
      geometry: GEOMETRY,
    });
    const collected = await path.collect(100 * BATCH);
    await path.close();
    return collected;
  },

  async measure(contender, { quick }) {
    const path = await openRecordPath(contender, { workloadName: 'fiveFields', geometry: GEOMETRY });
    const records = (quick ? 200 : 500) * BATCH;
    const expected = expectedSum(path.workload, records);
    const warmUpPasses = quick ? 2 : 3;
    const passes = quick ? 4 : 8;
    let cost = Number.POSITIVE_INFINITY;
    for (let pass = 0; pass < warmUpPasses + passes; pass++) {
      const start = performance.now();
      const sum = await path.sum(records);
      const milliseconds = performance.now() - start;
      expectEqual(sum, expected, 'sum of the records read');
      if (pass >= warmUpPasses) cost = Math.min(cost, (milliseconds * 1e6) / records);
    }
    await path.close();
    return { cost };
  },
};

const LONG_CHUNK_BYTES = 64 * KIB;
const LONG_PATH = { chunkBytes: LONG_CHUNK_BYTES, underWay: MIB / LONG_CHUNK_BYTES, slow: true };
const SAMPLE_MS = 2;
/** V8 lets 32 MiB of buffers come together before it looks which of them are garbage. */
const LONG_WARM_UP = 100e6;

/** @type {import('./case.mjs').JsCase} */
const streamMemory = {
  name: 'stream-memory',
  title: '2 GB through a ring of 1 MiB to a worker that is slower than the writer: growth of the process',
  threads: 2,
  metrics: { rssGrowth: { unit: 'MB', over: 'median' }, later: { unit: 'MB', over: 'median' } },
  replaced: {},
  contenders: {
    strand: { needsBuild: true, targets: { rssGrowth: 32 } },
    'strand, zero copy': { needsBuild: true, targets: { rssGrowth: 32 } },
    'postMessage, clone': {},
    'postMessage, transfer': {},
  },

  async check(contender) {
    return checkPath(await openBytePath(contender, LONG_PATH));
  },

  async measure(contender, { quick }) {
    const path = await openBytePath(contender, LONG_PATH);
    const chunksOf = (bytes) => (bytes / LONG_CHUNK_BYTES) & ~(DISTINCT_CHUNKS - 1);
    // Both threads are there, and one rotation has gone.
    await path.transfer(DISTINCT_CHUNKS);
    const start = process.memoryUsage.rss();
    let peak = start;
    const sampling = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, SAMPLE_MS);
    await path.transfer(chunksOf(LONG_WARM_UP));
    const early = peak;
    await path.transfer(chunksOf((quick ? 200e6 : 2e9) - LONG_WARM_UP));
    clearInterval(sampling);
    await path.close();
    return { rssGrowth: (peak - start) / 1e6, later: (peak - early) / 1e6 };
  },
};

export const streamCases = [
  byteCase('stream-64k', 64, 1.5),
  byteCase('stream-1k', 1, 4),
  streamRecords,
  streamMemory,
];
