/** Compares every value that it gets, whichever way, until it is told to end. */

import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
import { Acknowledgement } from './acknowledgement.mjs';
import { CHANNEL, kinds, VALUES } from './values.mjs';

const { contender, kind, keep, threads, memory, registryData } = workerData;
const { make, numberOf, isEqual, recordOf } = kinds[kind];
const wanted = make();
const acknowledgement = new Acknowledgement(threads, memory);
/** By the value's number: a registry keeps the order of one key's values only. */
const kept = [];
let received = 0;
let different = 0;

const receivers = {
  strand: receiveChanges,
  postMessage: receiveMessages,
  'BroadcastChannel alone': receiveFromChannel,
};
await receivers[contender]();

async function receiveChanges() {
  const { bind, Registry } = await import('@strand/core/registry');
  const registry = new Registry(registryData);
  const changes = registry.watch('*');
  await bind(registry);
  parentPort.once('message', async () => {
    // What the watch left out for something newer must be there all the same.
    for (let number = 0; number < VALUES; number++) compare(number, await registry.get(1 + number));
    registry.close();
    report();
  });
  parentPort.postMessage('begun');
  for await (const { value } of changes) take(value);
}

function receiveMessages() {
  parentPort.on('message', (message) => {
    if (message !== 'end') {
      take(message);
      return;
    }
    report();
    parentPort.close();
  });
  parentPort.postMessage('begun');
}

function receiveFromChannel() {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => take(data);
  parentPort.once('message', () => {
    channel.close();
    report();
  });
  parentPort.postMessage('begun');
}

function take(value) {
  const number = numberOf(value);
  received++;
  compare(number, value);
  acknowledgement.saw(number);
}

function compare(number, value) {
  if (!isEqual(value, wanted[number])) different++;
  if (keep) kept[number] = recordOf(value);
}

function report() {
  parentPort.postMessage({ received, different, kept });
}
