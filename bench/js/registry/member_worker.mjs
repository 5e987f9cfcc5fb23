/** Takes part in a registry; answers each key with its value, until it is told null. */

import { parentPort, workerData } from 'node:worker_threads';
import { bind, Registry } from '@strand/core/registry';

const registry = new Registry(workerData.data);
parentPort.on('message', async (key) => {
  if (key === null) {
    registry.close();
    parentPort.close();
  } else {
    parentPort.postMessage(await registry.get(key));
  }
});
await bind(registry);
