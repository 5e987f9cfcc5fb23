import { describeValue } from './describe_value.js';

/** Characters of a field's name in a message. */
const MAX_NAME = 64;

/** Codes of the package's errors. A code never changes its meaning; messages may. */
export type StrandErrorCode =
  | 'ERR_STRAND_HEADER'
  | 'ERR_STRAND_CAPACITY'
  | 'ERR_STRAND_ABORTED'
  | 'ERR_STRAND_FENCED'
  | 'ERR_STRAND_BUSY'
  | 'ERR_STRAND_RESET'
  | 'ERR_STRAND_CLOSED'
  | 'ERR_STRAND_REENTRANT'
  | 'ERR_STRAND_CLAIMS_OPEN'
  | 'ERR_STRAND_WORKER'
  | 'ERR_STRAND_LOG_FORMAT'
  | 'ERR_STRAND_LOG_LOCKED'
  | 'ERR_STRAND_FILE'
  | 'ERR_SHM_ITERATOR_CLOSED'
  | 'ERR_SHM_CURSOR'
  | 'ERR_SHM_FRAME_CORRUPT'
  | 'ERR_SHM_MAPPING_GONE'
  | 'ERR_STRAND_DEADLOCK'
  | 'ERR_STRAND_TIMEOUT'
  | 'ERR_STRAND_NOT_HELD'
  | 'ERR_STRAND_REGISTRY_LOST'
  | 'ERR_STRAND_REGISTRY_CORRUPT'
  | 'ERR_STRAND_NATIVE'
  | 'ERR_STRAND_ANSWER'
  | 'ERR_STRAND_PEER_MISSING'
  | 'ERR_STRAND_INVALID_ARGUMENT'
  | 'ERR_STRAND_OUT_OF_RANGE';

/** What an error may say besides its message. */
export interface StrandErrorDetails {
  /** Name of the field whose value or declaration was refused. */
  readonly field?: string;
  /** Index of the record in the batch. */
  readonly record?: number;
  /** Records of a large batch that had become visible before the error. */
  readonly recordsWritten?: number;
  /** What the side that ended the stream gave as its reason. */
  readonly reason?: string;
}

export interface StrandErrorOptions extends StrandErrorDetails, ErrorOptions {}

/** Only what was given becomes a property, so that `'field' in error` tells. */
function assignDetails(error: Error, { field, record, recordsWritten, reason }: StrandErrorDetails): void {
  if (field !== undefined) Object.assign(error, { field });
  if (record !== undefined) Object.assign(error, { record });
  if (recordsWritten !== undefined) Object.assign(error, { recordsWritten });
  if (reason !== undefined) Object.assign(error, { reason });
}

/** The name belongs to the prototype: there it is already in place when the stack is captured. */
function nameClass(type: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(type.prototype, 'name', { value: name, writable: true, configurable: true });
}

/** What every error of this package is, save argument errors, which are `TypeError` and `RangeError` with a `code`. */
export class StrandError extends Error {
  readonly code: StrandErrorCode;
  declare readonly field?: string;
  declare readonly record?: number;
  declare readonly recordsWritten?: number;
  declare readonly reason?: string;

  static {
    nameClass(StrandError, 'StrandError');
  }

  constructor(code: StrandErrorCode, message: string, options: StrandErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    assignDetails(this, options);
  }
}

/** A buffer that holds no valid strand, a geometry that makes none, or another schema than was expected. */
export class StrandHeaderError extends StrandError {
  declare readonly code: 'ERR_STRAND_HEADER';

  static {
    nameClass(StrandHeaderError, 'StrandHeaderError');
  }

  constructor(message: string, options?: StrandErrorOptions) {
    super('ERR_STRAND_HEADER', message, options);
  }
}

/** Something that can never fit: a value in its field, a record in the heap, one consumer more. */
export class StrandCapacityError extends StrandError {
  declare readonly code: 'ERR_STRAND_CAPACITY';

  static {
    nameClass(StrandCapacityError, 'StrandCapacityError');
  }

  constructor(message: string, options?: StrandErrorOptions) {
    super('ERR_STRAND_CAPACITY', message, options);
  }
}

/** The other side ended the stream; `reason` says why, where a reason was given. */
export class StrandAbortError extends StrandError {
  declare readonly code: 'ERR_STRAND_ABORTED';

  static {
    nameClass(StrandAbortError, 'StrandAbortError');
  }

  constructor(message: string, options?: StrandErrorOptions) {
    super('ERR_STRAND_ABORTED', message, options);
  }
}

/** A newer writer has taken the strand over; this one changes nothing any more. */
export class StrandFencedError extends StrandError {
  declare readonly code: 'ERR_STRAND_FENCED';

  static {
    nameClass(StrandFencedError, 'StrandFencedError');
  }

  constructor(message: string, options?: StrandErrorOptions) {
    super('ERR_STRAND_FENCED', message, options);
  }
}

/** The strand's writer was filling slots for as long as the attempt to take over lasted. Nothing has changed. */
export class StrandBusyError extends StrandError {
  declare readonly code: 'ERR_STRAND_BUSY';

  static {
    nameClass(StrandBusyError, 'StrandBusyError');
  }

  constructor(message: string, options?: StrandErrorOptions) {
    super('ERR_STRAND_BUSY', message, options);
  }
}

/** The stream that a call or a wait belongs to is gone: the writer has called `reset()`. */
export class StrandResetError extends StrandError {
  declare readonly code: 'ERR_STRAND_RESET';

  static {
    nameClass(StrandResetError, 'StrandResetError');
  }

  constructor(message: string, options?: StrandErrorOptions) {
    super('ERR_STRAND_RESET', message, options);
  }
}

/** A writer or view that was closed, or a stream that has ended. */
export class StrandClosedError extends StrandError {
  declare readonly code: 'ERR_STRAND_CLOSED';

  static {
    nameClass(StrandClosedError, 'StrandClosedError');
  }

  constructor(message: string, options?: StrandErrorOptions) {
    super('ERR_STRAND_CLOSED', message, options);
  }
}

/** A `TypeError` of this package: an argument or a value of the wrong kind. */
export type StrandTypeError = TypeError &
  StrandErrorDetails & { readonly code: 'ERR_STRAND_INVALID_ARGUMENT' };

/** A `RangeError` of this package: an argument or a value outside its limits. */
export type StrandRangeError = RangeError & StrandErrorDetails & { readonly code: 'ERR_STRAND_OUT_OF_RANGE' };

/** An argument of the wrong kind. */
export function argumentError(message: string, options: StrandErrorOptions = {}): StrandTypeError {
  const error = new TypeError(message, 'cause' in options ? { cause: options.cause } : undefined);
  assignDetails(error, options);
  return Object.assign(error, { code: 'ERR_STRAND_INVALID_ARGUMENT' as const });
}

/** An argument outside its limits. */
export function rangeError(message: string, options: StrandErrorOptions = {}): StrandRangeError {
  const error = new RangeError(message, 'cause' in options ? { cause: options.cause } : undefined);
  assignDetails(error, options);
  return Object.assign(error, { code: 'ERR_STRAND_OUT_OF_RANGE' as const });
}

/** A field as messages name it. Names come from buffers too and may be of any length. */
export function fieldLabel(name: string): string {
  return `field '${name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME)}…`}'`;
}

function valueMessage(field: string, record: number, expected: string, got: unknown): string {
  return `${fieldLabel(field)} of record ${record} takes ${expected}, got ${describeValue(got)}`;
}

/**
 * A value of the wrong kind in a record.
 *
 * @param record index in the batch
 * @param expected what the field takes, with its article: `'an integer from 0 to 255'`
 */
export function valueTypeError(
  field: string,
  record: number,
  expected: string,
  got: unknown,
): StrandTypeError {
  return argumentError(valueMessage(field, record, expected, got), { field, record });
}

/** A value outside its field's limits; parameters as of {@link valueTypeError}. */
export function valueRangeError(
  field: string,
  record: number,
  expected: string,
  got: unknown,
): StrandRangeError {
  return rangeError(valueMessage(field, record, expected, got), { field, record });
}

/**
 * A value too long for its field or for the heap.
 *
 * @param bytes what the value takes
 * @param limit what there is, with the remedy: `'65,535 bytes: use large_utf8'`
 */
export function valueCapacityError(
  field: string,
  record: number,
  bytes: number,
  limit: string,
): StrandCapacityError {
  const message = `${fieldLabel(field)} of record ${record} takes ${bytes} bytes, the limit is ${limit}`;
  return new StrandCapacityError(message, { field, record });
}

/**
 * Adds `recordsWritten` to the error that ended a large batch. User code may throw anything: what is no object or
 * takes no property stays as it is.
 */
export function noteRecordsWritten(error: unknown, recordsWritten: number): void {
  if (typeof error !== 'object' || error === null) return;
  try {
    Object.assign(error, { recordsWritten });
  } catch {
    // Frozen, or a proxy that refuses. The error itself matters more.
  }
}
