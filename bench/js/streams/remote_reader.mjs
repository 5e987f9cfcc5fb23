import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * A worker that reads, and answers each request once it has read what that asks for.
 *
 * @param {string} file of this folder
 * @param {{ workerData: object, transferList?: import('node:worker_threads').TransferListItem[] }} options
 */
export function startReader(file, options) {
  const worker = new Worker(new URL(file, import.meta.url), options);
  const failed = once(worker, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => {});

  return {
    /**
     * @param {object} request
     * @param {() => Promise<void>} send what is to be read
     */
    async read(request, send) {
      const answered = once(worker, 'message');
      worker.postMessage(request);
      await Promise.race([send(), failed]);
      const [answer] = await Promise.race([answered, failed]);
      return answer;
    },
    /** The writer has ended its stream, or closes its port. */
    async close() {
      worker.postMessage({ close: true });
      await once(worker, 'exit');
    },
  };
}
