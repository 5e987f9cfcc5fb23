import { types } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { checkNames, checkSignal, optionsOf } from '../options.js';
import { holdLoop } from '../waits.js';
import { isKey, keyError } from './key.js';
import { Lease } from './lease.js';
import { checkLockOptions, type LockOptions } from './lock_options.js';
import { Locks } from './locks.js';
import { Membership } from './membership.js';
import type { RegistryData } from './registry_data.js';
import { closedError, notHeldError } from './registry_error.js';
import type { Cell, RegistryChange } from './replica.js';
import { noteWait, presentSection, runSection } from './sections.js';
import type { Table } from './table.js';
import { TableMemory } from './table_memory.js';
import { nextTurn } from './turn.js';
import { cloneOf } from './value.js';
import { Watch } from './watch.js';

const DEFAULT_CAPACITY = 1000;
/** Keys that `clear` deletes in one turn of the event loop. */
const DELETIONS_A_TURN = 256;

/** What a section of `lock` returns: the key's new value, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function without a return may be a section
export type SectionResult<T> = T | undefined | void;

export interface WatchOptions {
  /** Ends the watch: its next `next()` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A map that threads share, with a lock for each key.
 *
 * Keys are integers from 1 to 2^53 − 1, values anything that `structuredClone` takes; each thread has a clone of its own,
 * and `SharedArrayBuffer`s in it are shared. What a thread does is a promise; what it has received it can read at once.
 *
 * @typeParam T values
 */
export class Registry<T = unknown> {
  readonly #memory: TableMemory;
  readonly #membership: Membership;
  readonly #table: Table;
  readonly #cells: ReadonlyMap<number, Cell>;
  readonly #locks: Locks;
  readonly #leases = new Map<number, Lease<T>>();
  readonly #watches = new Set<Watch<T>>();
  /** Why it is over. */
  #end: unknown;
  #isClosed = false;

  /**
   * Makes a registry, or takes part in one. From here on this thread receives what is set, until it ends or `close` is
   * called; a registry that is not closed stays in memory.
   *
   * @param source how many keys to make room for at first, or `registry.data` of another thread
   * @throws TypeError, RangeError of anything else
   */
  constructor(source: number | RegistryData = DEFAULT_CAPACITY) {
    this.#memory = typeof source === 'number' ? TableMemory.create(source) : TableMemory.of(source);
    this.#membership = new Membership(this.#memory, {
      onChange: (change) => this.#changed(change as RegistryChange<T>),
      onGrants: () => this.#locks.granted(),
      onFailure: (reason) => this.#finish(reason, { reason }),
    });
    this.#table = this.#membership.table;
    this.#cells = this.#membership.cells;
    this.#locks = new Locks(this.#table, (work) => this.#membership.guarded(work));
  }

  /** What another thread needs to take part: plain, and the same at any time. */
  get data(): RegistryData {
    return this.#memory.data;
  }

  /**
   * The value of a key; undefined if it has none. A `get` that begins after a `set` has resolved, in whatever thread, gives
   * that value or a newer one.
   *
   * All that this thread gets for a version is one object: clone it before you change it, or change it in `lock`.
   *
   * @throws StrandError `ERR_STRAND_REGISTRY_LOST` when all threads that had the value are gone
   */
  get(key: number): Promise<T | undefined> {
    try {
      this.#check(key);
      return Promise.resolve(this.#membership.current(key) as T | undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Whether a key has a value. */
  has(key: number): Promise<boolean> {
    try {
      this.#check(key);
      return Promise.resolve(this.#table.look(key) !== 0);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sets the value of a key, once nobody has it locked. The value is cloned at once.
   *
   * @throws TypeError of what cannot be cloned; nothing has changed
   * @throws StrandError `ERR_STRAND_DEADLOCK` in a section that has the key locked
   */
  set(key: number, value: T, options?: LockOptions): Promise<void> {
    try {
      const checked = this.#lockOptions(key, options, 'set');
      const clone = cloneOf(key, value);
      return this.#change(key, checked, (ticket) => this.#membership.write(ticket, key, { of: clone }));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Deletes a key, once nobody has it locked. → whether it had a value */
  delete(key: number, options?: LockOptions): Promise<boolean> {
    try {
      const checked = this.#lockOptions(key, options, 'delete');
      return this.#change(key, checked, (ticket) => {
        if (this.#table.look(key) === 0) return false;
        const written = this.#membership.write(ticket, key, undefined);
        return written === undefined ? true : written.then(() => true);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Deletes every key that has a value now, each as `delete` does.
   *
   * @throws what the first `delete` that failed threw, once all are over
   */
  async clear(options?: LockOptions): Promise<void> {
    this.#checkOpen();
    const checked = checkLockOptions(options, 'clear');
    const results: Promise<boolean>[] = [];
    let looked = 0;
    for (const { key } of this.#table.scan()) {
      results.push(this.delete(key, checked));
      // What rejects is asked for below.
      results.at(-1)?.catch(() => {});
      if (++looked % DELETIONS_A_TURN === 0) await nextTurn();
    }
    await Promise.allSettled(results);
    await Promise.all(results);
  }

  /**
   * Runs a section while nobody else, here or in another thread, changes the key or has it locked. What the section
   * returns becomes the key's value; `undefined` leaves it as it is, as does an error, which the call rejects with.
   *
   * @param section gets a clone of the value of its own, which it may change and return; undefined if the key has none
   * @returns what the section returned, or the value that it left
   * @throws StrandError `ERR_STRAND_DEADLOCK` in a section for which a section that has the lock waits; `ERR_STRAND_TIMEOUT`
   */
  lock(
    key: number,
    section: (value: T | undefined) => SectionResult<T> | Promise<SectionResult<T>>,
    options?: LockOptions,
  ): Promise<T | undefined> {
    try {
      const checked = this.#lockOptions(key, options, 'lock');
      if (typeof section !== 'function') {
        throw argumentError(`lock takes a function of the key's value, got ${describeValue(section)}`);
      }
      const outer = presentSection();
      return this.#change(key, checked, (ticket) =>
        runSection(this.#memory.id, key, outer, async () => {
          const known = this.#membership.current(key);
          const value = cloneOf(key, types.isPromise(known) ? await known : known) as T | undefined;
          this.#checkOpen();
          const next = await section(value);
          if (next === undefined) return value;
          const written = this.#membership.write(ticket, key, { of: cloneOf(key, next) });
          if (written !== undefined) await written;
          return next;
        }),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Locks a key until the lease is released, by itself or by `release(key)`.
   *
   * @throws StrandError `ERR_STRAND_TIMEOUT`, `ERR_STRAND_DEADLOCK` as of `lock`; `ERR_STRAND_REGISTRY_LOST` as of `get`
   */
  async acquire(key: number, options?: LockOptions): Promise<Lease<T>> {
    const checked = this.#lockOptions(key, options, 'acquire');
    const ticket = await this.#take(key, checked);
    let value: T | undefined;
    try {
      value = cloneOf(key, await this.#membership.current(key)) as T | undefined;
      this.#checkOpen();
    } catch (error) {
      this.#giveBack(ticket);
      throw error;
    }
    const lease = new Lease<T>(key, value, {
      clone: (given) => cloneOf(key, given),
      write: async (given) => {
        this.#checkOpen();
        await this.#membership.write(ticket, key, given);
      },
      release: () => {
        this.#leases.delete(key);
        this.#giveBack(ticket);
      },
    });
    this.#leases.set(key, lease);
    return lease;
  }

  /**
   * Ends the lease that `acquire` of this registry gave.
   *
   * @throws StrandError `ERR_STRAND_NOT_HELD` where there is none
   */
  async release(key: number): Promise<void> {
    this.#check(key);
    const lease = this.#leases.get(key);
    if (lease === undefined) throw notHeldError(key);
    await lease.release();
  }

  /** The value that this thread has received last, at once; undefined if it has none. */
  peek(key: number): T | undefined {
    if (!isKey(key)) throw keyError(key);
    return this.#cells.get(key)?.value as T | undefined;
  }

  /** Keys that this thread has values of. */
  get size(): number {
    return this.#cells.size;
  }

  /** The keys that are there when it begins, each once; one that has gone when its turn comes is left out. */
  *keys(): Generator<number, undefined> {
    for (const [key] of this.entries()) yield key;
  }

  /** The values of {@link keys}, each as it is when its turn comes. */
  *values(): Generator<T, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Pairs of a key and its value, as {@link keys} and {@link values} give them. */
  *entries(): Generator<[number, T], undefined> {
    const cells = this.#cells;
    for (const key of [...cells.keys()]) {
      const cell = cells.get(key);
      if (cell !== undefined) yield [key, cell.value as T];
    }
  }

  [Symbol.iterator](): Generator<[number, T], undefined> {
    return this.entries();
  }

  /**
   * Calls `visit` for each of {@link entries}.
   *
   * @param thisArg what `visit` has as `this`
   * @throws TypeError if `visit` is no function
   */
  forEach(visit: (value: T, key: number, registry: this) => void, thisArg?: unknown): void {
    if (typeof visit !== 'function') {
      throw argumentError(`forEach takes a function, got ${describeValue(visit)}`);
    }
    for (const [key, value] of this.entries()) visit.call(thisArg, value, key, this);
  }

  /**
   * The changes of a key, or with `'*'` of all, as this thread receives them, its own included. Of several changes of a key
   * that come between two looks, the newest. Leaving the loop, `signal` and `close` end it.
   *
   * @throws TypeError of what is neither a key nor `'*'`; StrandClosedError
   */
  watch(key: number | '*', options?: WatchOptions): AsyncIterableIterator<RegistryChange<T>, undefined> {
    if (key !== '*' && !isKey(key)) throw keyError(key);
    this.#checkOpen();
    const given = optionsOf(options, 'watch', '{ signal }');
    checkNames(given, 'watch', ['signal']);
    const watch = new Watch<T>(key, checkSignal(given.signal), (ended) => this.#watches.delete(ended));
    if (!watch.isOver) this.#watches.add(watch);
    return watch;
  }

  /**
   * This thread takes part no longer: its locks are free, its waits reject, its watches end. What was received can still be
   * read. Values that no other thread has received are lost.
   */
  close(): void {
    this.#finish(closedError());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return 'Registry';
  }

  /** @internal Resolves when this thread, or a worker, has received what there was. */
  async bound(worker?: Worker): Promise<void> {
    if (worker === undefined) {
      holdLoop(1);
      await this.#membership.ready;
      holdLoop(-1);
      return;
    }
    // A worker that has ended has no number.
    if (worker.threadId < 0 || this.#isClosed) return;
    const { done, end } = this.#membership.threadReady(worker.threadId);
    worker.once('exit', end);
    holdLoop(1);
    await done;
    holdLoop(-1);
    worker.off('exit', end);
  }

  #check(key: number): void {
    if (!isKey(key)) throw keyError(key);
    this.#checkOpen();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#end;
  }

  #lockOptions(key: number, options: LockOptions | undefined, call: string): LockOptions {
    this.#check(key);
    return checkLockOptions(options, call);
  }

  /** Takes the key's lock. A section that would wait for itself is refused. */
  #take(key: number, options: LockOptions): number | Promise<number> {
    const section = presentSection();
    if (section === undefined) return this.#locks.take(key, options);
    const forget = noteWait(this.#memory.id, key, section);
    let taken: number | Promise<number>;
    try {
      taken = this.#locks.take(key, options);
    } catch (error) {
      forget();
      throw error;
    }
    if (typeof taken === 'number') forget();
    else void taken.then(forget, forget);
    return taken;
  }

  /** Does something while the key's lock is held. */
  #change<R>(key: number, options: LockOptions, work: (ticket: number) => R | Promise<R>): Promise<R> {
    const taken = this.#take(key, options);
    return typeof taken === 'number'
      ? this.#during(taken, work)
      : taken.then((ticket) => this.#during(ticket, work));
  }

  #during<R>(ticket: number, work: (ticket: number) => R | Promise<R>): Promise<R> {
    let done: R | Promise<R>;
    try {
      // A lock that was given, and a registry that was closed before this thread came to it.
      this.#checkOpen();
      done = work(ticket);
    } catch (error) {
      this.#giveBack(ticket);
      return Promise.reject(error);
    }
    if (types.isPromise(done)) return (done as Promise<R>).finally(() => this.#giveBack(ticket));
    this.#giveBack(ticket);
    return Promise.resolve(done);
  }

  #giveBack(ticket: number): void {
    // A registry that was closed has given back everything.
    if (!this.#isClosed) this.#locks.give(ticket);
  }

  #finish(reason: unknown, failure?: { readonly reason: unknown }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end = reason;
    for (const watch of [...this.#watches]) watch.close(failure);
    this.#locks.close(reason);
    this.#leases.clear();
    this.#membership.close(reason);
  }

  #changed(change: RegistryChange<T>): void {
    for (const watch of this.#watches) watch.put(change);
  }
}
