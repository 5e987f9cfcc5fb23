import { StrandBusyError, StrandClosedError, StrandError } from '../errors.js';
import { native } from '../native.js';

export const RegistryStatus = native.registryStatus;

export function closedError(): StrandClosedError {
  return new StrandClosedError('this registry was closed in this thread: make another one of its data');
}

export function lostError(key: number): StrandError {
  return new StrandError(
    'ERR_STRAND_REGISTRY_LOST',
    `the value of key ${key} died with the last thread that had it: set another one, or delete the key`,
  );
}

export function deadlockError(key: number): StrandError {
  return new StrandError(
    'ERR_STRAND_DEADLOCK',
    `key ${key} is locked by a section that waits, itself or through others, for the one that asks for it here: return ` +
      'the new value from the section, or lock keys in the same order everywhere',
  );
}

export function timeoutError(key: number, timeoutMs: number): StrandError {
  return new StrandError('ERR_STRAND_TIMEOUT', `the lock of key ${key} was not free within ${timeoutMs} ms`);
}

export function notHeldError(key: number): StrandError {
  return new StrandError(
    'ERR_STRAND_NOT_HELD',
    `this registry has no lease of key ${key}: acquire() gives one, and release() ends it`,
  );
}

/** The error of a status that is about the table as a whole. */
export function tableError(status: number): Error {
  switch (status) {
    case RegistryStatus.NOT_HELD:
      return closedError();
    case RegistryStatus.BUSY:
      return new StrandBusyError('a lock inside the table was not to be had for ten seconds');
    default:
      return new StrandError(
        'ERR_STRAND_REGISTRY_CORRUPT',
        "the registry's memory holds something else: nobody but registries may write to data.table",
      );
  }
}
