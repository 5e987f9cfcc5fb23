import type { NewValue } from './membership.js';
import { notHeldError } from './registry_error.js';

/** What a lease does with its registry. */
export interface LeaseActions {
  clone(value: unknown): unknown;
  /** Publishes a value, or that there is none. */
  write(value: NewValue): Promise<void>;
  release(): void;
}

/**
 * The lock of a key, from `acquire` to `release`. While it lasts nobody else changes the key's value.
 *
 * With `await using` it is released at the end of its block.
 */
export class Lease<T> implements AsyncDisposable {
  readonly key: number;
  /** The key's value: a clone of one's own when it was acquired, then what was set by this lease. */
  value: T | undefined;
  readonly #actions: LeaseActions;
  /** The last of the writes that are under way. */
  #writing: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  /** @internal */
  constructor(key: number, value: T | undefined, actions: LeaseActions) {
    this.key = key;
    this.value = value;
    this.#actions = actions;
  }

  /** Sets the key's value, which is cloned at the call, and keeps the lock. */
  async set(value: T): Promise<void> {
    this.#check();
    await this.#write({ of: this.#actions.clone(value) });
    this.value = value;
  }

  /** Deletes the key, and keeps the lock. */
  async delete(): Promise<void> {
    this.#check();
    await this.#write(undefined);
    this.value = undefined;
  }

  /** Lets the next one in, behind what was set. A lease is released once; more often does nothing. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #release(): Promise<void> {
    if (this.#writing !== undefined) await this.#writing.catch(() => {});
    this.#actions.release();
  }

  /** One behind the other: a later value has a later version. */
  #write(value: NewValue): Promise<void> {
    const before = this.#writing;
    const written =
      before === undefined
        ? this.#actions.write(value)
        : before.catch(() => {}).then(() => this.#actions.write(value));
    this.#writing = written;
    const end = (): void => {
      if (this.#writing === written) this.#writing = undefined;
    };
    written.then(end, end);
    return written;
  }

  #check(): void {
    if (this.#released !== undefined) throw notHeldError(this.key);
  }
}
