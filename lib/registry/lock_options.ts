import { describeValue } from '../describe_value.js';
import { rangeError } from '../errors.js';
import { checkNames, checkSignal, optionsOf } from '../options.js';

/** How long to wait for a lock. */
export interface LockOptions {
  /** Milliseconds; left out: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @param call what took the options, for messages */
export function checkLockOptions(options: LockOptions | undefined, call: string): LockOptions {
  if (options === undefined) return {};
  const given = optionsOf(options, call, '{ timeoutMs, signal }');
  checkNames(given, call, ['timeoutMs', 'signal']);
  const { timeoutMs } = given;
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw rangeError(`timeoutMs is a number of milliseconds of at least 0, got ${describeValue(timeoutMs)}`);
  }
  return { timeoutMs, signal: checkSignal(given.signal) };
}
