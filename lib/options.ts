import { describeValue } from './describe_value.js';
import { argumentError } from './errors.js';

/**
 * The options of a call: an object, or nothing.
 *
 * @param call what took them, for the message
 * @param members what they may hold, likewise
 */
export function optionsOf<O extends object>(
  options: O | undefined,
  call: string,
  members: string,
): Partial<O> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) {
    throw argumentError(`${call} takes options as an object ${members}, got ${describeValue(options)}`);
  }
  return options;
}

/** An AbortSignal, or nothing. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (!(signal instanceof AbortSignal)) {
    throw argumentError(`signal is an AbortSignal, got ${describeValue(signal)}`);
  }
  return signal;
}
