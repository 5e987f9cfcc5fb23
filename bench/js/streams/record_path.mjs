/**
 *   main thread ── arrays of records ──▶ worker, which reads every field
 *
 * As a stream of records (`../channels/stream.mjs`) in the other direction.
 */

import { BATCH, workloads } from '../records.mjs';
import { startReader } from './remote_reader.mjs';

const modules = {
  strand: './strand_records.mjs',
  postMessage: './post_records.mjs',
};

/**
 * @typedef {import('../channels/channel.mjs').Workload} Workload
 *
 * @typedef {object} RecordPath
 * @property {Workload} workload
 * @property {(records: number) => Promise<number>} sum sends records, reads every field and adds them up
 * @property {(records: number) => Promise<object[]>} collect
 * @property {() => Promise<void>} close
 *
 * @param {string} contender
 * @param {{ workloadName: keyof typeof workloads, workloadOptions?: object,
 *   geometry: import('../channels/channel.mjs').Geometry }} options
 * @returns {Promise<RecordPath>}
 */
export async function openRecordPath(contender, options) {
  const { workloadName, workloadOptions, geometry } = options;
  const workload = workloads[workloadName](workloadOptions);
  if (contender === 'thread-stream, NDJSON') {
    const { openThreadStream } = await import('../channels/thread_stream.mjs');
    return openThreadStream(workload, options);
  }
  if (contender === 'node streams alone') {
    const { openPlainRecords } = await import('./plain_records.mjs');
    return openPlainRecords(workload);
  }
  const { createChannel, openProducer } = await import(modules[contender]);
  const { handle, mainSide = handle, transferList } = createChannel(workload, geometry);
  const reader = startReader('./record_reader.mjs', {
    workerData: { module: modules[contender], handle, workloadName, workloadOptions },
    transferList,
  });
  const producer = openProducer(mainSide);
  const ask = (request) =>
    reader.read(request, () => producer.produce(workload.batches, request.records / BATCH));

  return {
    workload,
    sum: (records) => ask({ records, how: 'sum' }),
    collect: (records) => ask({ records, how: 'collect' }),
    async close() {
      producer.close();
      await reader.close();
    },
  };
}
