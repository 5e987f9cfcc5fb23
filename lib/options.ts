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

/** An option that is true or false. @param usual what it is unless given */
export function checkFlag(name: string, value: unknown, usual = false): boolean {
  if (value === undefined) return usual;
  if (typeof value !== 'boolean')
    throw argumentError(`${name} is true or false, got ${describeValue(value)}`);
  return value;
}

/**
 * Refuses what is no option: a slip of the pen would go unnoticed.
 *
 * @param what has the options, for the message
 * @param names of the options that it has
 * @param passed names that are let pass besides
 */
export function checkNames(
  options: object,
  what: string,
  names: readonly string[],
  passed: readonly string[] = [],
): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name) && !passed.includes(name));
  if (unknown !== undefined) {
    throw argumentError(`${what} has no option '${unknown}'; it takes ${names.join(', ')}`);
  }
}
