import { isMainThread } from 'node:worker_threads';
import { native } from './native.js';

/** Something with pending asynchronous waits, which it tests again whenever this thread's loop is woken. */
export interface Waiter {
  settle(): void;
}

/** Longest native sleep: a thread that is to be terminated, or a process that ends, waits this long at most. */
export const SLICE_MILLIS = 10;

const waiters = new Set<Waiter>();

native.onWake(() => {
  for (const waiter of [...waiters]) waiter.settle();
});

// A blocked worker cannot be terminated, and a process waits for its workers. A worker's own exit ends only that worker.
if (isMainThread) process.once('exit', () => native.beginShutdown());

/** Keeps the loop alive and has the waiter settled at each wake-up, until `unpark`. */
export function park(waiter: Waiter): void {
  if (waiters.size === 0) native.holdLoop(true);
  waiters.add(waiter);
}

export function unpark(waiter: Waiter): void {
  if (waiters.delete(waiter) && waiters.size === 0) native.holdLoop(false);
}

/**
 * Does nothing. The engine looks for a termination request when a JavaScript function is called, not while a loop only
 * calls native ones; every loop over native waits calls this between them.
 */
export function breathe(): void {}
