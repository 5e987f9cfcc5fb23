// @ts-check

/** @import { Done, Message, Order, Ready } from './messages.mjs' */

import { Worker } from 'node:worker_threads';
import { DemoError } from './demo_error.mjs';

/** The thread that reads the file, as the main thread sees it. */
export class IngestWorker {
  #worker;
  /** @type {Promise<Ready>} */
  ready;
  /** @type {Promise<Done>} */
  done;

  /** @param {Order} order */
  constructor(order) {
    this.#worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: order });
    this.ready = this.#message('ready');
    this.done = this.#message('done');
    // Both fail together, and perhaps nobody waits for the second any more.
    this.ready.catch(() => {});
    this.done.catch(() => {});
  }

  /** Ends the thread wherever it is. */
  async terminate() {
    await this.#worker.terminate();
  }

  /**
   * @template {'ready' | 'done'} K
   * @param {K} kind
   * @returns {Promise<Extract<Message, { kind: K }>>}
   */
  #message(kind) {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (/** @type {Message} */ message) => {
        if (message.kind === kind) resolve(/** @type {Extract<Message, { kind: K }>} */ (message));
        else if (message.kind === 'failed') reject(new DemoError(message.message));
      });
      this.#worker.on('error', reject);
      this.#worker.on('exit', () => reject(new DemoError('the reading thread ended early')));
    });
  }
}
