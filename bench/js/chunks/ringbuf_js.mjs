import { setImmediate as nextTurn } from 'node:timers/promises';
import { RingBuffer } from 'ringbuf.js';

/**
 * ringbuf.js never waits: where it is full the producer sleeps for a moment on a word of its own, and where
 * it is empty the main thread, which must not sleep, looks again in its event loop's next turn. The consumer pops into
 * a private buffer, as its interface wants it.
 *
 * @type {import('./chunk_path.mjs').ChunkPathModule['createPath']}
 */
export function createPath({ chunkBytes, underWay }) {
  const storage = RingBuffer.getStorageForCapacity(chunkBytes * underWay, Uint8Array);
  return { handle: { storage, chunkBytes } };
}

const MOMENT_MS = 0.05;

/** @type {import('./chunk_path.mjs').ChunkPathModule['openProducer']} */
export function openProducer({ storage }) {
  const ring = new RingBuffer(storage, Uint8Array);
  const neverChanged = new Int32Array(new SharedArrayBuffer(4));
  return {
    produce(chunks, count) {
      for (let i = 0; i < count; i++) {
        const chunk = chunks[i % chunks.length];
        while (ring.availableWrite() < chunk.length) Atomics.wait(neverChanged, 0, 0, MOMENT_MS);
        ring.push(chunk);
      }
    },
    close() {},
  };
}

/** @type {import('./chunk_path.mjs').ChunkPathModule['openConsumer']} */
export function openConsumer({ storage, chunkBytes }) {
  const ring = new RingBuffer(storage, Uint8Array);
  const chunk = new Uint8Array(chunkBytes);
  return {
    async consume(count, visit) {
      for (let read = 0; read < count; ) {
        if (ring.availableRead() < chunkBytes) {
          await nextTurn();
          continue;
        }
        ring.pop(chunk);
        visit(chunk);
        read++;
      }
    },
    close() {},
  };
}
