// Says which number it was given and, of number 0, settles only when it is told to.

import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';

export default async function (batch) {
  if (batch.some(({ n }) => n === 0)) {
    parentPort.postMessage('stalled');
    await once(parentPort, 'message');
  }
  return batch;
}
