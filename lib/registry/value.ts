import { argumentError } from '../errors.js';

/** Whether the engine refuses the value; everything else was thrown by a getter of the value. */
function isRefusal(cause: unknown): cause is Error {
  if (cause instanceof DOMException) return cause.name === 'DataCloneError';
  // A MessagePort, which could only be transferred.
  return (
    cause instanceof TypeError &&
    'code' in cause &&
    cause.code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST'
  );
}

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
    if (!isRefusal(cause)) throw cause;
    throw argumentError(`the value of key ${key} is not one for structuredClone: ${cause.message}`, {
      cause,
    });
  }
}
