import { isMainThread } from 'node:worker_threads';
import { native } from './native.js';
import type { Waiter } from './native_types.js';

export type { Waiter };

/** Longest native sleep: a thread that is to be terminated, or a process that ends, waits this long at most. */
export const SLICE_MILLIS = 10;
/** A setTimeout of more overflows. */
export const LONGEST_TIMER_MILLIS = 0x7fffffff;

/** Those who wait on this thread. Kept at the addon, which the thread loads once, however often it loads this module. */
const waiters = native.waiters ?? attachLoop();

function attachLoop(): Set<Waiter> {
  const all = new Set<Waiter>();
  native.waiters = all;
  native.onWake(() => {
    for (const waiter of [...all]) waiter.woken();
  });
  // A blocked worker cannot be terminated, and a process waits for its workers. A worker's own exit ends only that one.
  if (isMainThread) process.once('exit', () => native.beginShutdown());
  return all;
}

/** Keeps the loop alive and tells the waiter of each wake-up, until `unpark`. */
export function park(waiter: Waiter): void {
  if (waiters.has(waiter)) return;
  waiters.add(waiter);
  holdLoop(1);
}

export function unpark(waiter: Waiter): void {
  if (waiters.delete(waiter)) holdLoop(-1);
}

/** The same for a waiter that keeps no loop alive. */
export function parkLightly(waiter: Waiter): void {
  waiters.add(waiter);
}

export function unparkLightly(waiter: Waiter): void {
  waiters.delete(waiter);
}

/** Adds to how many reasons there are to keep this thread's loop alive. */
export function holdLoop(reasons: 1 | -1): void {
  const before = native.loopHolds ?? 0;
  native.loopHolds = before + reasons;
  if (before === 0 || before + reasons === 0) native.holdLoop(reasons > 0);
}

/**
 * Does nothing. The engine looks for a termination request when a JavaScript function is called, not while a loop only
 * calls native ones; every loop over native waits calls this between them.
 */
export function breathe(): void {}
