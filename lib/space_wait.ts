import type { NativeWriter } from './native_types.js';
import { park, unpark, type Waiter } from './waits.js';

/** A writer's wait for room that does not block its thread. One at a time. */
export class SpaceWait {
  readonly #native: NativeWriter;
  #lookAgain: (() => void) | undefined;

  constructor(writer: NativeWriter) {
    this.#native = writer;
  }

  get isPending(): boolean {
    return this.#lookAgain !== undefined;
  }

  /** Settles a pending wait if there is room, or if the writer's state lets there be none. */
  lookAgain(): void {
    this.#lookAgain?.();
  }

  /** Settles when there may be room, or when `signal` aborts. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      // Aborted by user code in the batch, or between two waits: the event is over.
      signal?.throwIfAborted();
      const end = (): void => {
        this.#native.disarm();
        unpark(waiter);
        this.#lookAgain = undefined;
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        end();
        reject(signal?.reason);
      };
      const settle = (): void => {
        // Announced between two looks, so that room that comes behind them wakes the loop.
        if (!this.#native.hasSpace()) {
          this.#native.arm();
          if (!this.#native.hasSpace()) return;
        }
        end();
        resolve();
      };
      const waiter: Waiter = {
        woken: () => {
          if (this.#native.fired()) settle();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#lookAgain = settle;
      park(waiter);
      settle();
    });
  }
}
