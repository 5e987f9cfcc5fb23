import type { NativeWriter } from './native_types.js';
import { Status } from './status_error.js';
import { park, parkLightly, unpark, unparkLightly, type Waiter } from './waits.js';

/**
 * A writer's wait for room that does not block its thread, one at a time; and, between such waits, a watch for the end of
 * writing that nobody here has asked for.
 */
export class SpaceWait {
  readonly #native: NativeWriter;
  #lookAgain: (() => void) | undefined;
  #onOver: (() => void) | undefined;
  #announcement: NodeJS.Immediate | undefined;
  readonly #watcher: Waiter = {
    // A pending wait hears of the end itself.
    woken: () => {
      if (!this.isPending && this.#native.fired()) this.#announceWatch();
    },
  };

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
      // What comes within a moment is not worth a sleep.
      if (this.#native.spin()) {
        resolve();
        return;
      }
      const end = (): void => {
        this.#native.disarm();
        unpark(waiter);
        this.#lookAgain = undefined;
        signal?.removeEventListener('abort', onAbort);
        this.#announceWatchSoon();
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

  /** Calls `onOver` once writing has come to an end: by an abort or a newer writer. Keeps no loop alive. */
  watch(onOver: () => void): void {
    this.#onOver = onOver;
    parkLightly(this.#watcher);
    this.#announceWatch();
  }

  unwatch(): void {
    if (this.#onOver === undefined) return;
    this.#onOver = undefined;
    clearImmediate(this.#announcement);
    this.#announcement = undefined;
    unparkLightly(this.#watcher);
    if (!this.isPending) this.#native.disarm();
  }

  /** A stream that is busy writes at once and waits again: then the announcement, a heavy fence, is spared. */
  #announceWatchSoon(): void {
    if (this.#onOver === undefined) return;
    this.#announcement ??= setImmediate(() => {
      this.#announcement = undefined;
      this.#announceWatch();
    }).unref();
  }

  /** Announced before the look, so that an end that comes behind it wakes the loop. */
  #announceWatch(): void {
    if (this.#onOver === undefined || this.isPending) return;
    this.#native.watch();
    if (this.#native.state() === Status.OK) return;
    const onOver = this.#onOver;
    this.unwatch();
    onOver();
  }
}
