/**
 *   producer ── chunk ──▶ consumer, which compares all its bytes with what was sent
 *
 * A chunk path carries chunks of bytes of one length from one thread to another, each sent by itself. One
 * module for each contender, used by both threads.
 *
 * @typedef {{ chunkBytes: number, underWay: number }} ChunkOptions `underWay`: chunks that the path holds, or
 *   for messages, which nothing holds back, as many as the producer lets be unread
 *
 * @typedef {object} ChunkProducer
 * @property {(chunks: Uint8Array[], count: number) => void | Promise<void>} produce sends `count` chunks in rotation
 * @property {() => void} close
 *
 * @typedef {object} ChunkConsumer
 * @property {(count: number, visit: (chunk: Uint8Array) => void) => Promise<void>} consume a chunk is valid
 *   during its visit
 * @property {() => void} close
 *
 * @typedef {object} ChunkPathModule
 * @property {(options: ChunkOptions) => { handle: unknown, mainSide?: unknown,
 *   transferList?: import('node:worker_threads').TransferListItem[] }} createPath
 * @property {(handle: any) => ChunkProducer} openProducer
 * @property {(handle: any) => ChunkConsumer} openConsumer
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { makeChunks } from './chunks.mjs';

const modules = {
  strand: './strand.mjs',
  'plain ring': './plain_ring.mjs',
  'postMessage, clone': './post_message.mjs',
  'postMessage, transfer': './post_message.mjs',
  'ringbuf.js': './ringbuf_js.mjs',
};

/**
 * @param {string} contender
 * @param {ChunkOptions} options
 */
export async function openChunkPath(contender, options) {
  if (contender === 'thread-stream') {
    const { openThreadStreamPath } = await import('./thread_stream.mjs');
    return openThreadStreamPath(options);
  }
  const { createPath, openConsumer } = await import(modules[contender]);
  const { handle, mainSide = handle, transferList } = createPath({ ...options, contender });
  const worker = new Worker(new URL('./producer_worker.mjs', import.meta.url), {
    workerData: { module: modules[contender], handle, chunkBytes: options.chunkBytes },
    transferList,
  });
  const failed = once(worker, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => {});
  const consumer = openConsumer(mainSide);
  const chunks = makeChunks(options.chunkBytes);

  return {
    /**
     * Sends chunks and reads them; throws where one differs from what was sent.
     *
     * @param {number} count a multiple of the chunks in rotation
     */
    async transfer(count) {
      worker.postMessage({ count });
      let next = 0;
      let wrong = 0;
      const compare = (chunk) => {
        if (Buffer.compare(chunk, chunks[next++ % chunks.length]) !== 0) wrong++;
      };
      await Promise.race([consumer.consume(count, compare), failed]);
      if (wrong > 0) throw new Error(`${wrong} of ${count} chunks arrived changed`);
    },
    /** @param {number} count */
    async collect(count) {
      worker.postMessage({ count });
      const collected = [];
      const keep = (chunk) => collected.push({ chunk: Buffer.from(chunk).toString('latin1') });
      await Promise.race([consumer.consume(count, keep), failed]);
      return collected;
    },
    async close() {
      worker.postMessage({ close: true });
      await once(worker, 'exit');
      consumer.close();
    },
  };
}
