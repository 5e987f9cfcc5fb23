/** Asynchronous writes, one behind the other. */
export class WriteQueue {
  #length = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Writes that are not through. */
  get length(): number {
    return this.#length;
  }

  /** Runs `write` once those before it are over, unless `signal` aborts earlier. */
  add(write: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const before = this.#length++ === 0 ? undefined : this.#last;
    const written = this.#run(before, write, signal);
    // One that gives up in the queue leaves those before it where they are.
    this.#last = Promise.allSettled([before, written]);
    return written;
  }

  async #run(
    before: Promise<unknown> | undefined,
    write: () => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      if (before !== undefined) await orAborted(before, signal);
      await write();
    } finally {
      this.#length--;
    }
  }
}

/** Settles with `before`, or rejects when `signal` aborts. */
function orAborted(before: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    void before.then(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
