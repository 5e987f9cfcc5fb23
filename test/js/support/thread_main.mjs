// The main module of a test's thread: runs the function whose source came with workerData.

import { parentPort, workerData } from 'node:worker_threads';
import { inside } from './inside.mjs';

const { source, data, index } = workerData;

const messages = [];
let asking;
parentPort.on('message', (message) => {
  if (asking) asking(message);
  else messages.push(message);
});
// Only a body that listens stays alive for it.
parentPort.unref();

async function hear() {
  if (messages.length > 0) return messages.shift();
  parentPort.ref();
  const message = await new Promise((resolve) => {
    asking = resolve;
  });
  asking = undefined;
  parentPort.unref();
  return message;
}

await inside(source, data, index, { say: (message) => parentPort.postMessage(message), hear });
