import { createStrand, StrandView, StrandWriter } from '@strand/core';

const FIELDS = [{ name: 'chunk', type: 'large_bytes' }];

/** @type {import('./chunk_path.mjs').ChunkPathModule['createPath']} */
export function createPath({ chunkBytes, underWay }) {
  return {
    handle: createStrand(FIELDS, { indexCapacity: underWay, heapCapacity: underWay * chunkBytes }),
  };
}

/** @type {import('./chunk_path.mjs').ChunkPathModule['openProducer']} */
export function openProducer(strand) {
  const writer = new StrandWriter(strand);
  writer.begin();
  return {
    produce(chunks, count) {
      for (let i = 0; i < count; i++) writer.write({ chunk: chunks[i % chunks.length] });
    },
    close() {
      writer.finalize();
      writer.close();
    },
  };
}

/** @type {import('./chunk_path.mjs').ChunkPathModule['openConsumer']} */
export function openConsumer(strand) {
  const view = new StrandView(strand);
  const cursor = view.allocateCursor();
  /** Half of the ring at once keeps a slow reader's producer from waiting for a whole one. */
  const stretch = Math.max(1, view.map.index_capacity >> 1);
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
    close() {
      view.close();
    },
  };
}
