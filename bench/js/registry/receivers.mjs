/** Three workers that see what the main thread sets or posts. */

import { once } from 'node:events';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { expectEqual } from '../measure.mjs';
import { Acknowledgement } from './acknowledgement.mjs';
import { CHANNEL, kinds } from './values.mjs';

const RECEIVERS = 3;

/**
 * @typedef {object} Sender
 * @property {object} [registryData] for the receivers
 * @property {number} leastShare of the values sent that must arrive
 * @property {(number: number, value: unknown, workers: Worker[]) => Promise<void> | void} put
 * @property {() => void} close
 *
 * @typedef {object} Receivers
 * @property {(from: number, to: number) => Promise<void>} send the values with these numbers, one after the other;
 *   resolves when all receivers have seen the last
 * @property {() => Promise<object[]>} close compares what arrived with what was sent → what the receivers kept
 *
 * @param {string} contender
 * @param {string} kind of the values
 * @param {{ keep: boolean }} options whether the receivers keep what they get
 * @returns {Promise<Receivers>}
 */
export async function openReceivers(contender, kind, { keep }) {
  const values = kinds[kind].make();
  const acknowledgement = new Acknowledgement(RECEIVERS);
  const { memory } = acknowledgement;
  const sender = await openers[contender]();
  const workerData = { contender, kind, keep, threads: RECEIVERS, memory, registryData: sender.registryData };
  const workers = Array.from(
    { length: RECEIVERS },
    () => new Worker(new URL('receiver_worker.mjs', import.meta.url), { workerData }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  let sent = 0;
  return {
    async send(from, to) {
      acknowledgement.want(to - 1);
      for (let number = from; number < to; number++) {
        const setting = sender.put(number, values[number], workers);
        if (setting !== undefined) await setting;
      }
      acknowledgement.wait();
      sent += to - from;
    },
    async close() {
      const reports = workers.map((worker) => once(worker, 'message'));
      for (const worker of workers) worker.postMessage('end');
      const records = [];
      for (const [{ received, different, kept }] of await Promise.all(reports)) {
        if (received > sent || received < sent * sender.leastShare) {
          throw new Error(`${received} of ${sent} values arrived`);
        }
        expectEqual(different, 0, 'values other than what was sent');
        records.push(...kept);
      }
      sender.close();
      return records;
    },
  };
}

const openers = {
  strand: openRegistry,
  postMessage: openPorts,
  'BroadcastChannel alone': openChannel,
};

/** @returns {Sender} */
function openChannel() {
  const channel = new BroadcastChannel(CHANNEL);
  return {
    leastShare: 1,
    put: (_, value) => channel.postMessage(value),
    close: () => channel.close(),
  };
}

/** @returns {Sender} */
function openPorts() {
  return {
    leastShare: 1,
    put(_, value, workers) {
      for (const worker of workers) worker.postMessage(value);
    },
    close() {},
  };
}

/** @returns {Promise<Sender>} */
async function openRegistry() {
  const { Registry } = await import('@strand/core/registry');
  const registry = new Registry();
  return {
    registryData: registry.data,
    // Of values that a key has had between two looks, a receiver gets the newest.
    leastShare: 0.99,
    put: (number, value) => registry.set(1 + number, value),
    close: () => registry.close(),
  };
}
