import { performance } from 'node:perf_hooks';
import { DISTINCT_CHUNKS } from './chunks.mjs';

const KIB = 1024;
const CHECKED_CHUNKS = 10 * DISTINCT_CHUNKS;

/**
 * @typedef {object} OpenPath
 * @property {(count: number) => Promise<void>} transfer sends chunks and reads them; throws where one differs from
 *   what was sent
 * @property {(count: number) => Promise<{ chunk: string }[]>} collect
 * @property {() => Promise<void>} close
 */

/** @param {OpenPath} path */
export async function checkPath(path) {
  const collected = await path.collect(CHECKED_CHUNKS);
  await path.close();
  return collected;
}

/**
 * @param {OpenPath} path
 * @param {{ kibibytes: number, quick: boolean }} options
 * @returns {Promise<number>} microseconds per chunk
 */
export async function costOfChunk(path, { kibibytes, quick }) {
  const count = Math.ceil((quick ? 16 : 64) * (KIB / kibibytes) * (kibibytes > 1 ? 1 : 0.25));
  const warmUpPasses = 2;
  const passes = quick ? 3 : 6;
  let cost = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < warmUpPasses + passes; pass++) {
    const start = performance.now();
    await path.transfer(count);
    const microseconds = (performance.now() - start) * 1e3;
    if (pass >= warmUpPasses) cost = Math.min(cost, microseconds / count);
  }
  await path.close();
  return cost;
}
