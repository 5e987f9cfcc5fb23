import { StrandCapacityError, StrandClosedError, StrandError } from '../errors.js';
import { native } from '../native.js';

/** Answers of a log's native calls. */
export const LogStatus = native.logStatus;

/** What the messages of a log's errors need to know. */
export interface LogPlace {
  readonly path: string;
  /** Byte of the file at which a call went wrong. */
  readonly address: number;
}

/** The error of an answer that is neither OK nor NONE. */
export function logError(status: number, { path, address }: LogPlace): Error {
  switch (status) {
    case LogStatus.GONE:
      return new StrandError(
        'ERR_SHM_MAPPING_GONE',
        `'${path}' has been truncated while it was open: its frames are lost. Close it and begin another file`,
      );
    case LogStatus.CORRUPT:
      return new StrandError(
        'ERR_SHM_FRAME_CORRUPT',
        `ERR_SHM_FRAME_CORRUPT: '${path}' has no sound frame at byte ${address}`,
      );
    case LogStatus.CURSOR:
      return new StrandError(
        'ERR_SHM_CURSOR',
        `'${path}' has no frame that begins at byte ${address}: cursors come from cursor() of an iterator of this log`,
      );
    case LogStatus.CLOSED:
      return new StrandClosedError(`the log '${path}', or its writer, was closed`);
    default:
      return new StrandError('ERR_STRAND_FILE', `'${path}' cannot be used: status ${status}`);
  }
}

export function iteratorClosedError(path: string): StrandError {
  return new StrandError(
    'ERR_SHM_ITERATOR_CLOSED',
    `this iterator of '${path}' was closed: create another one`,
  );
}

/** @param limit what a frame may hold, with the remedy */
export function frameTooLargeError(path: string, bytes: number, limit: string): StrandCapacityError {
  return new StrandCapacityError(
    `a frame of ${bytes} bytes is too large for '${path}', the limit is ${limit}`,
  );
}
