import { holdLoop } from '../waits.js';
import type { RegistryChange } from './replica.js';

interface Pending<T> {
  readonly resolve: (result: IteratorResult<RegistryChange<T>, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** The changes of a key, or of all, from the call of `watch` on. Who is slow gets the newest of each key. */
export class Watch<T> implements AsyncIterableIterator<RegistryChange<T>, undefined> {
  readonly #key: number | '*';
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: (watch: Watch<T>) => void;
  readonly #changes = new Map<number, RegistryChange<T>>();
  readonly #pending: Pending<T>[] = [];
  readonly #onAbort = (): void => this.#end({ reason: this.#signal?.reason });
  #isOver = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(key: number | '*', signal: AbortSignal | undefined, onEnd: (watch: Watch<T>) => void) {
    this.#key = key;
    this.#signal = signal;
    this.#onEnd = onEnd;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @internal */
  get isOver(): boolean {
    return this.#isOver;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next change. A wait for it keeps the process alive. */
  next(): Promise<IteratorResult<RegistryChange<T>, undefined>> {
    const [first] = this.#changes;
    if (first !== undefined) {
      this.#changes.delete(first[0]);
      return Promise.resolve({ done: false, value: first[1] });
    }
    if (this.#failure !== undefined) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(reason);
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    holdLoop(1);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<RegistryChange<T>, undefined>> {
    this.#changes.clear();
    this.#failure = undefined;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** @internal */
  put(change: RegistryChange<T>): void {
    if (this.#key !== '*' && this.#key !== change.key) return;
    const pending = this.#pending.shift();
    if (pending === undefined) {
      // Behind the others, as the newest.
      this.#changes.delete(change.key);
      this.#changes.set(change.key, change);
      return;
    }
    holdLoop(-1);
    pending.resolve({ done: false, value: change });
  }

  /** @internal The registry was closed, or has failed. */
  close(failure?: { readonly reason: unknown }): void {
    this.#end(failure);
  }

  /** A failure is told once, behind the changes that came before. */
  #end(failure?: { readonly reason: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onEnd(this);
    this.#failure = failure;
    for (const { resolve, reject } of this.#pending.splice(0)) {
      holdLoop(-1);
      if (this.#failure === undefined) {
        resolve({ done: true, value: undefined });
      } else {
        reject(this.#failure.reason);
        this.#failure = undefined;
      }
    }
  }
}
