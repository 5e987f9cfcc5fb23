import { holdLoop, LONGEST_TIMER_MILLIS } from '../waits.js';
import { Aborts } from './aborts.js';
import type { LockOptions } from './lock_options.js';
import { timeoutError } from './registry_error.js';
import type { Table } from './table.js';

interface Waiter {
  readonly grant: () => void;
  readonly fail: (error: unknown) => void;
}

/** This thread's waits for locks. */
export class Locks {
  readonly #table: Table;
  /** By ticket. */
  readonly #waiters = new Map<number, Waiter>();
  readonly #aborts = new Aborts();
  readonly #guarded: (work: () => void) => void;

  /** @param guarded runs work of which nobody awaits an error */
  constructor(table: Table, guarded: (work: () => void) => void) {
    this.#table = table;
    this.#guarded = guarded;
  }

  /** → the ticket that holds the key's lock: at once where it is free, else a promise of it */
  take(key: number, options: LockOptions): number | Promise<number> {
    options.signal?.throwIfAborted();
    const { ticket, isHeld } = this.#table.claim(key);
    return isHeld ? ticket : this.#wait(key, ticket, options);
  }

  give(ticket: number): void {
    this.#table.release(ticket);
  }

  /** To be called when a grant rings. */
  granted(): void {
    for (let ticket = this.#table.nextGrant(); ticket !== 0; ticket = this.#table.nextGrant()) {
      const waiter = this.#waiters.get(ticket);
      if (waiter === undefined) this.#table.release(ticket);
      else waiter.grant();
    }
  }

  close(reason: unknown): void {
    for (const waiter of [...this.#waiters.values()]) waiter.fail(reason);
  }

  #wait(key: number, ticket: number, { timeoutMs, signal }: LockOptions): Promise<number> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        if (signal !== undefined) this.#aborts.remove(signal, onAbort);
        this.#waiters.delete(ticket);
        holdLoop(-1);
      };
      const fail = (error: unknown): void => {
        end();
        reject(error);
      };
      const giveUp = (error: unknown): void => {
        fail(error);
        // Too late to withdraw, it is among the grants, where nobody waits for it any more.
        this.#guarded(() => {
          if (!this.#table.withdraw(ticket)) this.granted();
        });
      };
      const onAbort = (): void => giveUp(signal?.reason);
      const timer =
        timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => giveUp(timeoutError(key, timeoutMs)), Math.min(timeoutMs, LONGEST_TIMER_MILLIS));
      if (signal !== undefined) this.#aborts.add(signal, onAbort);
      holdLoop(1);
      this.#waiters.set(ticket, {
        grant: () => {
          end();
          resolve(ticket);
        },
        fail,
      });
    });
  }
}
