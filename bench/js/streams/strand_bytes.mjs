import { createStrand } from '@strand/core';
import { createReadStream, createWriteStream } from '@strand/core/streams';
import { readSome, writeAll } from './drive.mjs';

const FIELDS = [{ name: 'chunk', type: 'large_bytes' }];

/** @type {import('../chunks/chunk_path.mjs').ChunkPathModule['createPath']} */
export function createPath({ chunkBytes, underWay, contender }) {
  const strand = createStrand(FIELDS, { indexCapacity: underWay, heapCapacity: underWay * chunkBytes });
  return { handle: { strand, chunkBytes, zeroCopy: contender === 'strand, zero copy' } };
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
export function openConsumer({ strand, chunkBytes, zeroCopy }) {
  const stream = createReadStream(strand, { binary: true, zeroCopy });
  return {
    consume: (count, visit) => readSome(stream, count * chunkBytes, visit),
    close() {
      stream.resume();
    },
  };
}
