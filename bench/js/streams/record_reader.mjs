/** Waits for `{ records, how }`, reads that many records and answers, and waits again, until `{ close: true }`. */

import { parentPort, workerData } from 'node:worker_threads';
import { workloads } from '../records.mjs';

const { module, handle, workloadName, workloadOptions } = workerData;
const { openConsumer } = await import(module);
const consumer = openConsumer(handle, workloads[workloadName](workloadOptions));

parentPort.on('message', async ({ close, records, how }) => {
  if (close) {
    consumer.close();
    parentPort.close();
    return;
  }
  parentPort.postMessage(await consumer[how](records));
});
