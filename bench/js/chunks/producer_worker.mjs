/** Waits for `{ count }`, sends that many chunks, and waits again, until `{ close: true }`. */

import { parentPort, workerData } from 'node:worker_threads';
import { makeChunks } from './chunks.mjs';

const { module, handle, chunkBytes } = workerData;
const chunks = makeChunks(chunkBytes);
const { openProducer } = await import(module);
const producer = openProducer(handle);

parentPort.on('message', async (message) => {
  if (message.close) {
    producer.close();
    parentPort.close();
    return;
  }
  await producer.produce(chunks, message.count);
});
