import { makeChunks } from '../chunks/chunks.mjs';
import { chunksOf, openComparison } from './compare_stretch.mjs';
import { openPlainStreams } from './plain_streams.mjs';

/**
 * @param {import('./byte_path.mjs').ByteOptions} options
 * @returns {import('../chunks/measure_path.mjs').OpenPath}
 */
export function openPlainBytes({ chunkBytes }) {
  const streams = openPlainStreams(makeChunks(chunkBytes), {});
  const comparison = openComparison(makeChunks(chunkBytes));
  return {
    async transfer(count) {
      await streams.transfer(count, count * chunkBytes, comparison.compare);
      const wrong = comparison.takeWrong();
      if (wrong > 0) throw new Error(`${wrong} stretches arrived changed`);
    },
    async collect(count) {
      const kept = [];
      await streams.transfer(count, count * chunkBytes, (chunk) => kept.push(chunk));
      return chunksOf(kept, chunkBytes);
    },
    async close() {},
  };
}
