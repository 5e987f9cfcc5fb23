/**
 *   main thread ── chunks ──▶ worker, which compares all bytes with what was sent
 *
 * As a chunk path (`../chunks/chunk_path.mjs`) in the other direction, and streams of bytes keep no boundaries: a consumer
 * of `count` chunks visits as many bytes, in stretches of any length.
 *
 * @typedef {import('../chunks/chunk_path.mjs').ChunkOptions & { slow?: boolean }} ByteOptions `slow`: the reader has
 *   more to do with the bytes than to compare them
 */

import { makeChunks } from '../chunks/chunks.mjs';
import { startReader } from './remote_reader.mjs';

const modules = {
  strand: './strand_bytes.mjs',
  'strand, zero copy': './strand_bytes.mjs',
  'postMessage, clone': './post_chunks.mjs',
  'postMessage, transfer': './post_chunks.mjs',
};

/**
 * @param {string} contender
 * @param {ByteOptions} options
 * @returns {Promise<import('../chunks/measure_path.mjs').OpenPath>}
 */
export async function openBytePath(contender, options) {
  if (contender === 'thread-stream') {
    const { openThreadStreamPath } = await import('../chunks/thread_stream.mjs');
    return openThreadStreamPath(options);
  }
  if (contender === 'node streams alone') {
    const { openPlainBytes } = await import('./plain_bytes.mjs');
    return openPlainBytes(options);
  }
  const { chunkBytes, slow = false } = options;
  const { createPath, openProducer } = await import(modules[contender]);
  const { handle, mainSide = handle, transferList } = createPath({ ...options, contender });
  const reader = startReader('./byte_reader.mjs', {
    workerData: { module: modules[contender], handle, chunkBytes, slow },
    transferList,
  });
  const producer = openProducer(mainSide);
  const chunks = makeChunks(chunkBytes);
  const ask = (request) => reader.read(request, () => producer.produce(chunks, request.count));

  return {
    async transfer(count) {
      const { wrong } = await ask({ count, collect: false });
      if (wrong > 0) throw new Error(`${wrong} stretches arrived changed`);
    },
    async collect(count) {
      return (await ask({ count, collect: true })).collected;
    },
    async close() {
      producer.close();
      await reader.close();
    },
  };
}
