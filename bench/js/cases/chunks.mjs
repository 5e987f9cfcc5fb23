/** Bytes from one thread to another in chunks, each sent by itself, all of them read by the receiver. */

import { performance } from 'node:perf_hooks';
import { openChunkPath } from '../chunks/chunk_path.mjs';
import { DISTINCT_CHUNKS } from '../chunks/chunks.mjs';

const KIB = 1024;
/** Of every contender. */
const BYTES_UNDER_WAY = 2 * 1024 * KIB;
const CHECKED_CHUNKS = 10 * DISTINCT_CHUNKS;

const peers = {
  'postMessage, clone': {},
  'postMessage, transfer': {},
  'ringbuf.js': {},
  'thread-stream': {},
};

/**
 * @param {string} name
 * @param {number} kibibytes
 * @param {Record<string, import('./case.mjs').Contender>} contenders
 * @returns {import('./case.mjs').JsCase}
 */
function chunkCase(name, kibibytes, contenders) {
  const chunkBytes = kibibytes * KIB;
  const path = { chunkBytes, underWay: BYTES_UNDER_WAY / chunkBytes };
  return {
    name,
    title: `chunks of ${kibibytes} KiB, worker to main through large_bytes, every byte read`,
    threads: 2,
    metrics: {
      cost: {
        unit: 'µs',
        over: 'minimum',
        bytes: chunkBytes,
        // What is under way is more than a second-level cache holds, and goes from one core to another.
        limit: { contender: 'copy L3', bytesPerRecord: chunkBytes },
      },
    },
    replaced: {},
    contenders,

    async check(contender) {
      const opened = await openChunkPath(contender, path);
      const collected = await opened.collect(CHECKED_CHUNKS);
      await opened.close();
      return collected;
    },

    async measure(contender, { quick }) {
      const opened = await openChunkPath(contender, path);
      const count = Math.ceil((quick ? 16 : 64) * (KIB / kibibytes) * (kibibytes > 1 ? 1 : 0.25));
      const warmUpPasses = 2;
      const passes = quick ? 3 : 6;
      let cost = Number.POSITIVE_INFINITY;
      for (let pass = 0; pass < warmUpPasses + passes; pass++) {
        const start = performance.now();
        await opened.transfer(count);
        const microseconds = (performance.now() - start) * 1e3;
        if (pass >= warmUpPasses) cost = Math.min(cost, microseconds / count);
      }
      await opened.close();
      return { cost };
    },
  };
}

export const chunkCases = [
  chunkCase('chunks-64k', 64, { strand: { needsBuild: true }, ...peers }),
  // The plain ring's values end at 65,535 bytes.
  chunkCase('chunks-1k', 1, { strand: { needsBuild: true }, 'plain ring': {}, ...peers }),
];
