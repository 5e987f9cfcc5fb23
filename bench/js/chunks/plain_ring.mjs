import { createPlainRing, PlainView, PlainWriter } from '../plain_ring.mjs';

/**
 * Its values end at 65,535 bytes.
 *
 * @type {import('./chunk_path.mjs').ChunkPathModule['createPath']}
 */
export function createPath({ chunkBytes, underWay }) {
  const fields = [{ name: 'chunk', type: 'bytes' }];
  return { handle: createPlainRing(fields, { slots: underWay, heapBytes: underWay * chunkBytes }) };
}

/** @type {import('./chunk_path.mjs').ChunkPathModule['openProducer']} */
export function openProducer(ring) {
  const writer = new PlainWriter(ring);
  return {
    produce(chunks, count) {
      for (let i = 0; i < count; i++) writer.write({ chunk: chunks[i % chunks.length] });
    },
    close() {},
  };
}

/** @type {import('./chunk_path.mjs').ChunkPathModule['openConsumer']} */
export function openConsumer(ring) {
  const view = new PlainView(ring);
  const cursor = view.allocateCursor();
  const stretch = Math.max(1, ring.slots >> 1);
  let next = 0;
  return {
    async consume(count, visit) {
      const last = next + count;
      while (next < last) {
        const committed = Math.min(await view.waitForCommit(next), next + stretch);
        for (; next < committed; next++) {
          cursor.seek(next);
          visit(cursor.getBytes('chunk'));
        }
        view.acknowledgeRead(committed);
      }
    },
    close() {},
  };
}
