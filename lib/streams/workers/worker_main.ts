import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { runWorker } from './run_worker.js';
import type { WorkerSetup } from './setup.js';

// What the threads of worker streams run. The setup is the first message, so that `workerData` and the messages behind it
// are all the user's.
if (parentPort !== null) {
  const [setup] = (await once(parentPort, 'message')) as [WorkerSetup];
  await runWorker(setup);
}
