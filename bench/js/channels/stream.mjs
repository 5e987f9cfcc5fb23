import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BATCH, workloads } from '../records.mjs';
import { channelOf } from './channel.mjs';

/**
 * A worker that produces on demand, and the consumer of what it produces on this thread.
 *
 * @param {string} contender
 * @param {{ workloadName: keyof typeof workloads, workloadOptions?: object, geometry: import('./channel.mjs').Geometry }} options
 */
export async function openStream(contender, options) {
  const { workloadName, workloadOptions, geometry } = options;
  const workload = workloads[workloadName](workloadOptions);
  if (contender === 'thread-stream, NDJSON') {
    const { openThreadStream } = await import('./thread_stream.mjs');
    return openThreadStream(workload, options);
  }
  const { createChannel, openConsumer } = await channelOf(contender);
  const { handle, transferList, mainSide = handle } = createChannel(workload, geometry);
  const worker = new Worker(new URL('./producer_worker.mjs', import.meta.url), {
    workerData: { contender, handle, workloadName, workloadOptions },
    transferList,
  });
  const failed = once(worker, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => {});
  const consumer = openConsumer(mainSide, workload);
  const request = (records) => worker.postMessage({ batches: records / BATCH });

  return {
    workload,
    /** @type {(records: number, onStretch?: () => void) => Promise<number>} */
    sum(records, onStretch) {
      request(records);
      return Promise.race([consumer.sum(records, onStretch), failed]);
    },
    /** @type {(records: number) => Promise<object[]>} */
    collect(records) {
      request(records);
      return Promise.race([consumer.collect(records), failed]);
    },
    async close() {
      worker.postMessage({ close: true });
      await once(worker, 'exit');
      consumer.close();
    },
  };
}
