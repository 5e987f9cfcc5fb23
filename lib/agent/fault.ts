import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import type { PromptFault } from './types.js';

const MAX_REASON = 300;

/** What an error says of the next attempt. It may be anything at all. */
export function faultOf(error: unknown): PromptFault {
  if (typeof error !== 'object' || error === null) return {};
  try {
    const { retryable, retryAfterMs, inDoubt, unsent, fatal } = error as PromptFault;
    const isTime = typeof retryAfterMs === 'number' && retryAfterMs > 0 && Number.isFinite(retryAfterMs);
    return {
      retryable: retryable !== false,
      ...(isTime && { retryAfterMs }),
      inDoubt: inDoubt === true,
      unsent: unsent === true,
      fatal: fatal === true,
    };
  } catch {
    // Its getters throw.
    return {};
  }
}

/** An error as a checkpoint keeps it. It may be anything at all. */
export function reasonOf(error: unknown): string {
  const text = messageOf(error) ?? describeValue(error);
  return text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON)}…`;
}

function messageOf(error: unknown): string | undefined {
  try {
    const message: unknown = error instanceof Error ? error.message : undefined;
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Refuses a promise in place of a value. No frame is to blame for it, so the error is fatal.
 *
 * @param name of the function that returned it
 */
export function refusePromise(name: string, value: unknown): void {
  if (!isThenable(value)) return;
  // Its own error is not told: what is wrong is that it is a promise.
  value.then(undefined, () => {});
  const error = argumentError(`${name} returned a promise, and has to give its result at once`);
  throw Object.assign(error, { fatal: true } satisfies PromptFault);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
