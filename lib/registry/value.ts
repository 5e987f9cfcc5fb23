import { argumentError } from '../errors.js';

/**
 * A clone of a value that nobody else can change; what cannot be changed is itself. Memory that threads share stays shared.
 *
 * @throws TypeError of what cannot be cloned
 */
export function cloneOf(key: number, value: unknown): unknown {
  const isFixed = typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
  if (isFixed || value === null) return value;
  try {
    return structuredClone(value);
  } catch (cause) {
    if (!(cause instanceof DOMException && cause.name === 'DataCloneError')) throw cause;
    throw argumentError(`the value of key ${key} is not one for structuredClone: ${cause.message}`, {
      cause,
    });
  }
}
