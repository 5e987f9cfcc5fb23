/** Bytes from one thread to another in chunks, each sent by itself, all of them read by the receiver. */

import { openChunkPath } from '../chunks/chunk_path.mjs';
import { checkPath, costOfChunk } from '../chunks/measure_path.mjs';

const KIB = 1024;
/** Of every contender. */
const BYTES_UNDER_WAY = 2 * 1024 * KIB;

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
      return checkPath(await openChunkPath(contender, path));
    },

    async measure(contender, { quick }) {
      return { cost: await costOfChunk(await openChunkPath(contender, path), { kibibytes, quick }) };
    },
  };
}

export const chunkCases = [
  chunkCase('chunks-64k', 64, { strand: { needsBuild: true }, ...peers }),
  // The plain ring's values end at 65,535 bytes.
  chunkCase('chunks-1k', 1, { strand: { needsBuild: true }, 'plain ring': {}, ...peers }),
];
