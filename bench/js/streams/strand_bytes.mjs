import { createStrand } from '@strand/core';
import { createReadStream, createWriteStream } from '@strand/core/streams';
import { readSome, writeAll } from './drive.mjs';

const FIELDS = [{ name: 'chunk', type: 'large_bytes' }];

/** @type {import('../chunks/chunk_path.mjs').ChunkPathModule['createPath']} */
export function createPath({ chunkBytes, underWay }) {
  const strand = createStrand(FIELDS, { indexCapacity: underWay, heapCapacity: underWay * chunkBytes });
  return { handle: { strand, chunkBytes } };
}

/** @type {import('../chunks/chunk_path.mjs').ChunkPathModule['openProducer']} */
export function openProducer({ strand }) {
  const stream = createWriteStream(strand, { binary: true });
  return {
    produce: (chunks, count) => writeAll(stream, chunks, count),
    close() {
      stream.end();
    },
  };
}

/** @type {import('../chunks/chunk_path.mjs').ChunkPathModule['openConsumer']} */
export function openConsumer({ strand, chunkBytes }) {
  const stream = createReadStream(strand, { binary: true });
  return {
    consume: (count, visit) => readSome(stream, count * chunkBytes, visit),
    close() {
      stream.resume();
    },
  };
}
