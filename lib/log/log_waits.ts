import { StrandError } from '../errors.js';
import type { NativeLogReader } from '../native_types.js';
import { LONGEST_TIMER_MILLIS, park, unpark, type Waiter } from '../waits.js';

interface PendingWait {
  readonly settle: (isReady: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/** The waits of one iterator for frames behind its cursor. */
export class LogWaits implements Waiter {
  readonly #native: NativeLogReader;
  readonly #closedError: () => Error;
  readonly #pending = new Set<PendingWait>();

  constructor(reader: NativeLogReader, closedError: () => Error) {
    this.#native = reader;
    this.#closedError = closedError;
  }

  wait(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#isReady || timeoutMs === 0) {
        resolve(this.#isReady);
        return;
      }
      const timer =
        timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => wait.settle(this.#isReady), Math.min(timeoutMs, LONGEST_TIMER_MILLIS));
      const onAbort = (): void => wait.fail(signal?.reason);
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(wait);
        if (this.#pending.size > 0) return;
        this.#native.disarm();
        unpark(this);
      };
      const wait: PendingWait = {
        settle: (isReady) => {
          end();
          resolve(isReady);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.add(wait);
      park(this);
      if (this.#native.arm() === 0) {
        wait.fail(
          new StrandError('ERR_STRAND_FILE', 'the system has no thread left that could watch the log'),
        );
        return;
      }
      // Armed before the look, so that what is committed behind it wakes the loop.
      this.#test();
    });
  }

  woken(): void {
    if (this.#native.fired()) this.#test();
  }

  close(): void {
    for (const wait of [...this.#pending]) wait.fail(this.#closedError());
  }

  /** What keeps the cursor from moving is an error of the next read. */
  get #isReady(): boolean {
    return this.#native.look() !== 0;
  }

  #test(): void {
    if (!this.#isReady) return;
    for (const wait of [...this.#pending]) wait.settle(true);
  }
}
