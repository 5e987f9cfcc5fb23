/** Several threads tell one that they have seen a value, through shared memory. */

const WANTED = 0;
const SEEN = 1;
/** A thread that has not seen a value by then has failed. */
const PATIENCE_MS = 10_000;

export class Acknowledgement {
  #threads;
  #numbers;

  /**
   * @param {number} threads that have to see a value
   * @param {SharedArrayBuffer} [memory] of the thread that waits
   */
  constructor(threads, memory = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#threads = threads;
    this.#numbers = new Int32Array(memory);
  }

  /** @param {number} number of the value that is to be seen, not sent yet */
  want(number) {
    Atomics.store(this.#numbers, SEEN, 0);
    Atomics.store(this.#numbers, WANTED, number);
  }

  /** Sleeps until all have seen it: to wake an event loop would cost more, the same for all contenders. */
  wait() {
    for (let seen = 0; seen < this.#threads; seen = Atomics.load(this.#numbers, SEEN)) {
      if (Atomics.wait(this.#numbers, SEEN, seen, PATIENCE_MS) === 'timed-out') {
        throw new Error(`only ${seen} of ${this.#threads} threads have seen the value`);
      }
    }
  }

  /** @param {number} number of a value that this thread has seen */
  saw(number) {
    if (number !== Atomics.load(this.#numbers, WANTED)) return;
    if (Atomics.add(this.#numbers, SEEN, 1) === this.#threads - 1) Atomics.notify(this.#numbers, SEEN);
  }
}
