/**
 * A channel carries records from a worker to the main thread. One module for each contender, used
 * by both threads.
 *
 * @typedef {import('../records.mjs').Workload} Workload
 * @typedef {{ slots: number, heapBytes: number }} Geometry what may be under way: a ring's sizes; for
 *   messages, which have none, as many whole batches as fit the slots
 *
 * @typedef {object} Channel
 * @property {unknown} handle goes to the worker as workerData
 * @property {import('node:worker_threads').TransferListItem[]} [transferList]
 *
 * @typedef {object} Producer
 * @property {(batches: object[][], count: number) => void | Promise<void>} produce writes `count` batches in rotation
 * @property {() => void} close
 *
 * @typedef {object} Consumer
 * @property {(records: number, onStretch?: () => void) => Promise<number>} sum reads every field of that many
 *   records, releasing them as it goes, and returns their sum; `onStretch` is called after each release
 * @property {(records: number) => Promise<object[]>} collect reads whole records, for comparing contenders
 * @property {() => void} close
 *
 * @typedef {object} ChannelModule
 * @property {(workload: Workload, geometry: Geometry) => Channel} createChannel
 * @property {(handle: any) => Producer} openProducer
 * @property {(handle: any, workload: Workload, readBy?: 'accessor' | 'property') => Consumer} openConsumer
 */

/** @type {Record<string, { module: string, readBy?: 'accessor' | 'property' }>} */
const modules = {
  strand: { module: './strand.mjs', readBy: 'accessor' },
  'strand, accessors': { module: './strand.mjs', readBy: 'accessor' },
  'strand, properties': { module: './strand.mjs', readBy: 'property' },
  'plain ring': { module: './plain_ring.mjs' },
  postMessage: { module: './post_message.mjs' },
  'postMessage, JSON transferred': { module: './post_json.mjs' },
};

/**
 * @param {string} contender
 * @returns {Promise<ChannelModule>}
 */
export async function channelOf(contender) {
  const { module, readBy } = modules[contender];
  const { createChannel, openProducer, openConsumer } = await import(module);
  return {
    createChannel,
    openProducer,
    openConsumer: (handle, workload) =>
      readBy === undefined ? openConsumer(handle, workload) : openConsumer(handle, workload, readBy),
  };
}
