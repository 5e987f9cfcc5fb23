import {
  rangeError,
  StrandAbortError,
  StrandBusyError,
  StrandCapacityError,
  StrandClosedError,
  StrandError,
  StrandFencedError,
  StrandResetError,
} from './errors.js';
import { native } from './native.js';

/** Answers of hot native calls. */
export const Status = native.status;

export function resetError(): StrandResetError {
  return new StrandResetError('the stream was reset: enter the new one with waitForCommit(0)');
}

/** A strand's file that somebody has cut. */
export function goneError(): StrandError {
  return new StrandError(
    'ERR_SHM_MAPPING_GONE',
    'the file of this strand was truncated while it was open: its records are lost. Remove it and begin another',
  );
}

/** The error of a view whose stream is no more: RESET, or GONE. */
export function lostError(status: number): StrandError {
  return status === Status.GONE ? goneError() : resetError();
}

export function reentrantError(): StrandError {
  return new StrandError(
    'ERR_STRAND_REENTRANT',
    'this writer is in the middle of a batch: neither code that the batch runs (getters, proxies, toJSON) nor anybody ' +
      'else may call it before the batch is over; await writeRecordBatchAsync() before the next call',
  );
}

export function abortError(side: 'a consumer' | 'the producer', reason: string): StrandAbortError {
  const message = `${side} ended the stream${reason === '' ? '' : `: ${reason}`}`;
  return reason === '' ? new StrandAbortError(message) : new StrandAbortError(message, { reason });
}

/** The error of a status that is not about one argument of one call. `abortReason` is asked only for an abort. */
export function statusError(status: number, abortReason: () => string): Error {
  switch (status) {
    case Status.ABORTED:
      return abortError('a consumer', abortReason());
    case Status.FENCED:
      return new StrandFencedError('a newer writer has taken this strand over: write with that one');
    case Status.CLOSED:
      return new StrandClosedError(
        'this writer or view was closed, or the process is ending: make a new one',
      );
    case Status.ENDED:
      return new StrandClosedError('the stream has ended: reset() starts a new one');
    case Status.CLAIMS_OPEN:
      return new StrandError(
        'ERR_STRAND_CLAIMS_OPEN',
        'claimed slots or heap bytes are not committed yet: call commitSlot(s) first',
      );
    case Status.BATCH_OPEN:
      return reentrantError();
    case Status.POSITION_LIMIT:
      return new StrandCapacityError('positions would pass 2^53, where numbers end: create a new strand');
    case Status.BUSY:
      return new StrandBusyError('another thread kept the strand busy for a second; nothing has changed');
    case Status.RESET:
      return resetError();
    case Status.GONE:
      return goneError();
    case Status.BAD_TOKEN:
      return rangeError(
        'the token is not live in this thread: it was released, made void by reset(), or registered elsewhere: use one that registerConsumer() returned here',
      );
    default:
      return new Error(`unexpected status ${status} of the native core`);
  }
}
