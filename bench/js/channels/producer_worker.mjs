/** Waits for `{ batches: count }`, produces that many, and waits again, until `{ close: true }`. */

import { parentPort, workerData } from 'node:worker_threads';
import { workloads } from '../records.mjs';
import { channelOf } from './channel.mjs';

const { contender, handle, workloadName, workloadOptions } = workerData;
const workload = workloads[workloadName](workloadOptions);
const { openProducer } = await channelOf(contender);
const producer = openProducer(handle);

parentPort.on('message', async (message) => {
  if (message.close) {
    producer.close();
    parentPort.close();
    return;
  }
  await producer.produce(workload.batches, message.batches);
});
