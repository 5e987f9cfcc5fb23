import { argumentError, rangeError, StrandBusyError, StrandError, StrandHeaderError } from './errors.js';
import type { NativeFault } from './native_types.js';

function isFault(answer: unknown): answer is NativeFault {
  return typeof answer === 'object' && answer !== null && 'fault' in answer;
}

function toError({ fault, message }: NativeFault): Error {
  switch (fault) {
    case 'type':
      return argumentError(message);
    case 'range':
      return rangeError(message);
    case 'header':
      return new StrandHeaderError(message);
    case 'file':
      return new StrandError('ERR_STRAND_FILE', message);
    case 'format':
      return new StrandError('ERR_STRAND_LOG_FORMAT', message);
    case 'locked':
      return new StrandError('ERR_STRAND_LOG_LOCKED', message);
    case 'busy':
      return new StrandBusyError(message);
  }
}

/** The answer of a cold native function, or the error that its refusal stands for. */
export function unwrap<T>(answer: T | NativeFault): Exclude<T, NativeFault> {
  if (isFault(answer)) throw toError(answer);
  return answer as Exclude<T, NativeFault>;
}
