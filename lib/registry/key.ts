import { describeValue } from '../describe_value.js';
import { argumentError, type StrandTypeError } from '../errors.js';

/** Whether a value is a key: an integer from 1 to 2^53 − 1. */
export function isKey(key: unknown): key is number {
  return typeof key === 'number' && Number.isSafeInteger(key) && key > 0;
}

export function keyError(key: unknown): StrandTypeError {
  return argumentError(`a key is an integer from 1 to 2^53 − 1, got ${describeValue(key)}`);
}
