import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';

/**
 * A message for each chunk, cloned, or transferred: then the producer makes a copy that it can part
 * with. The consumer reports what it has read once every quarter of what may be under way.
 *
 * @type {import('./chunk_path.mjs').ChunkPathModule['createPath']}
 */
export function createPath({ underWay, contender }) {
  const { port1, port2 } = new MessageChannel();
  return {
    handle: { port: port2, underWay, transfers: contender === 'postMessage, transfer' },
    transferList: [port2],
    mainSide: { port: port1, reportEvery: Math.max(1, underWay >> 2) },
  };
}

/** @type {import('./chunk_path.mjs').ChunkPathModule['openProducer']} */
export function openProducer({ port, underWay, transfers }) {
  let credit = underWay;
  port.on('message', (read) => {
    credit += read;
  });
  function post(chunk) {
    if (!transfers) {
      port.postMessage(chunk);
      return;
    }
    const own = new Uint8Array(chunk);
    port.postMessage(own, [own.buffer]);
  }
  return {
    async produce(chunks, count) {
      for (let i = 0; i < count; i++) {
        while (credit === 0) await once(port, 'message');
        credit--;
        post(chunks[i % chunks.length]);
      }
    },
    close() {
      port.close();
    },
  };
}

/** @type {import('./chunk_path.mjs').ChunkPathModule['openConsumer']} */
export function openConsumer({ port, reportEvery }) {
  let unreported = 0;
  return {
    consume(count, visit) {
      let received = 0;
      return new Promise((resolve) => {
        port.on('message', function onMessage(chunk) {
          visit(chunk);
          if (++unreported === reportEvery) {
            port.postMessage(unreported);
            unreported = 0;
          }
          if (++received < count) return;
          port.off('message', onMessage);
          resolve();
        });
      });
    },
    close() {
      port.close();
    },
  };
}
