/** Waits for `{ count, collect }`, reads that many chunks and answers, and waits again, until `{ close: true }`. */

import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { makeChunks } from '../chunks/chunks.mjs';
import { chunksOf, openComparison } from './compare_stretch.mjs';

const { module, handle, chunkBytes, slow } = workerData;
const comparison = openComparison(makeChunks(chunkBytes));
const { openConsumer } = await import(module);
const consumer = openConsumer(handle);
const hash = createHash('sha256');

parentPort.on('message', async ({ close, count, collect }) => {
  if (close) {
    consumer.close();
    parentPort.close();
    return;
  }
  const kept = [];
  await consumer.consume(count, (stretch) => {
    if (slow) hash.update(stretch);
    if (collect) kept.push(Buffer.from(stretch));
    comparison.compare(stretch);
  });
  parentPort.postMessage({ wrong: comparison.takeWrong(), collected: chunksOf(kept, chunkBytes) });
});
