import { describeValue } from './describe_value.js';
import { argumentError, rangeError, StrandClosedError } from './errors.js';
import { native } from './native.js';
import type { NativeView } from './native_types.js';
import { checkSignal, optionsOf } from './options.js';
import { isPosition } from './position.js';
import { goneError, resetError } from './status_error.js';
import { breathe, LONGEST_TIMER_MILLIS, park, SLICE_MILLIS, unpark, type Waiter } from './waits.js';

const { IN_AFTER, IN_MILLIS, IN_AGAIN, OUT_COMMITTED, OUT_EPOCH } = native.box;

const Progress = native.progress;

export interface WaitOptions {
  /** Resolves with the present count after this time; without it the wait has no end of its own. */
  readonly timeoutMs?: number;
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

interface PendingWait {
  readonly after: number;
  readonly epoch: number;
  readonly end: () => void;
  readonly resolve: (committed: number) => void;
  readonly reject: (error: unknown) => void;
}

const closedError = () => new StrandClosedError('the view was closed, or the process is ending');

/** Why a wait can come to nothing any more. */
function overError(progress: number): Error | undefined {
  if (progress === Progress.RESET) return resetError();
  if (progress === Progress.CLOSED) return closedError();
  return progress === Progress.GONE ? goneError() : undefined;
}

/** The waits of one view: pending ones are tested whenever the loop is woken. */
export class ViewWaits implements Waiter {
  readonly #native: NativeView;
  // Hot calls by themselves: the engine looks properties of the native object up in a dictionary.
  readonly #check: () => number;
  readonly #wait: () => number;
  readonly #fired: () => boolean;
  readonly #box: Float64Array;
  readonly #takeWindow: () => void;
  readonly #pending = new Set<PendingWait>();

  /** @param takeWindow has the view take over what the core has left in the mailbox */
  constructor(view: NativeView, takeWindow: () => void) {
    this.#native = view;
    ({ box: this.#box, check: this.#check, wait: this.#wait, fired: this.#fired } = view);
    this.#takeWindow = takeWindow;
  }

  wait(after: number, options: number | WaitOptions | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      checkPosition(after);
      const given = typeof options === 'number' ? { timeoutMs: options } : options;
      const { timeoutMs, signal: wanted } = optionsOf(given, 'waitForCommit', '{ timeoutMs, signal }');
      const limit = checkTimeout(timeoutMs);
      const signal = checkSignal(wanted);
      signal?.throwIfAborted();
      this.#enter(after);
      this.#box[IN_AFTER] = after;
      let progress = this.#check();
      // What comes within a moment is not worth a sleep.
      if (progress === Progress.PENDING && limit !== 0) progress = this.#native.spin();
      if (progress !== Progress.PENDING || limit === 0) {
        this.#conclude(progress, resolve, reject);
        return;
      }
      this.#park(after, limit, signal, resolve, reject);
    });
  }

  /** One look past `after`, which is 0 to enter a stream that was begun by `reset()`. → whether a wait would be over */
  look(after: number): boolean {
    this.#enter(after);
    this.#box[IN_AFTER] = after;
    const progress = this.#check();
    this.#takeWindow();
    const over = overError(progress);
    if (over !== undefined) throw over;
    return progress !== Progress.PENDING;
  }

  waitSync(after: number, timeoutMs: number): number {
    checkPosition(after);
    const limit = checkTimeout(timeoutMs);
    this.#enter(after);
    const box = this.#box;
    const deadline = limit === Number.POSITIVE_INFINITY ? limit : performance.now() + limit;
    let rest = limit;
    for (let slice = 0; ; slice++) {
      box[IN_AFTER] = after;
      box[IN_AGAIN] = Math.min(slice, 1);
      box[IN_MILLIS] = Math.min(SLICE_MILLIS, Math.ceil(rest));
      const progress = this.#wait();
      if (progress === Progress.PENDING) {
        breathe();
        rest = deadline - performance.now();
        if (rest > 0) continue;
      }
      this.#takeWindow();
      const over = overError(progress);
      if (over !== undefined) throw over;
      return box[OUT_COMMITTED] as number;
    }
  }

  /** Most often every wait is over, and announcing again (a heavy fence) is spared. */
  woken(): void {
    if (this.#fired() && !this.#test()) this.#announce();
  }

  /** Announced before the test, so that what happens behind it wakes the loop. */
  #announce(): void {
    this.#native.arm();
    this.#test();
  }

  /** Tests every pending wait. → whether none is left */
  #test(): boolean {
    this.#refresh();
    for (const wait of [...this.#pending]) {
      const progress = this.#progressOf(wait);
      if (progress === Progress.PENDING) continue;
      this.#remove(wait);
      this.#conclude(progress, wait.resolve, wait.reject);
    }
    return this.#pending.size === 0;
  }

  /** Tests a wait behind `#refresh`. One of an older stream must not be told of this one's end. */
  #progressOf(wait: PendingWait): number {
    if (wait.epoch !== this.#box[OUT_EPOCH]) return Progress.RESET;
    this.#box[IN_AFTER] = wait.after;
    return this.#check();
  }

  close(): void {
    for (const wait of [...this.#pending]) {
      this.#remove(wait);
      wait.reject(closedError());
    }
  }

  #enter(after: number): void {
    if (after !== 0) return;
    this.#native.enter();
  }

  #conclude(progress: number, resolve: (committed: number) => void, reject: (error: unknown) => void): void {
    this.#takeWindow();
    const over = overError(progress);
    if (over !== undefined) reject(over);
    else resolve(this.#box[OUT_COMMITTED] as number);
  }

  #park(
    after: number,
    limit: number,
    signal: AbortSignal | undefined,
    resolve: (committed: number) => void,
    reject: (error: unknown) => void,
  ): void {
    const timer =
      limit === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(() => {
            this.#remove(wait);
            this.#refresh();
            this.#conclude(this.#progressOf(wait), resolve, reject);
          }, limit);
    const onAbort = (): void => {
      this.#remove(wait);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const wait: PendingWait = {
      after,
      epoch: this.#box[OUT_EPOCH] as number,
      end: () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      },
      resolve,
      reject,
    };
    this.#pending.add(wait);
    park(this);
    this.#announce();
  }

  #refresh(): void {
    this.#native.refresh();
    this.#takeWindow();
  }

  #remove(wait: PendingWait): void {
    wait.end();
    this.#pending.delete(wait);
    if (this.#pending.size > 0) return;
    this.#native.disarm();
    unpark(this);
  }
}

function checkPosition(after: unknown): void {
  if (isPosition(after)) return;
  throw rangeError(`a wait starts from a position, got ${describeValue(after)}`);
}

/** Milliseconds; a setTimeout that would overflow waits as long as it can. */
function checkTimeout(timeoutMs: unknown): number {
  if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
    throw argumentError(`a timeout is a number of milliseconds, got ${describeValue(timeoutMs)}`);
  }
  return Math.min(Math.max(timeoutMs, 0), LONGEST_TIMER_MILLIS);
}
