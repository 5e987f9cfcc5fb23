import { describeValue } from '../describe_value.js';
import { argumentError, rangeError } from '../errors.js';

/** Words of the header, as Int32Array indices. */
export const WRITE_INDEX = 0;
export const READ_INDEX = 1;
export const PRODUCED = 2;
export const CONSUMED = 3;
export const PRODUCER_WAITS = 4;
export const CONSUMER_WAITS = 5;
const HEADER_WORDS = 6;

/** One slot stays empty, which tells a full ring from an empty one. */
const LEAST_CAPACITY = 2;

/**
 * A ring of 32-bit integers as one writes it in plain JavaScript: six header words (write and read index, values produced
 * and consumed, waits of producer and consumer), then the values. Both sides sleep on each other's index. It has no
 * end of stream.
 */
export interface PlainRing {
  readonly header: Int32Array;
  readonly data: Int32Array;
  /** Values that `data` has room for; the ring holds one less. */
  readonly capacity: number;
}

export function isRing(options: object): options is PlainRing {
  return 'header' in options || 'data' in options || 'capacity' in options;
}

/** @throws TypeError, RangeError what is no such ring */
export function checkRing({ header, data, capacity }: PlainRing): PlainRing {
  for (const [name, words] of Object.entries({ header, data })) {
    if (!(words instanceof Int32Array) || !(words.buffer instanceof SharedArrayBuffer)) {
      throw argumentError(`${name} is an Int32Array over a SharedArrayBuffer, got ${describeValue(words)}`);
    }
  }
  if (header.length < HEADER_WORDS) {
    throw rangeError(`a ring's header has ${HEADER_WORDS} words, got ${header.length}`);
  }
  if (!Number.isSafeInteger(capacity) || capacity < LEAST_CAPACITY || capacity > data.length) {
    throw rangeError(
      `a ring's capacity is a whole number from ${LEAST_CAPACITY} to data.length, ${data.length}, got ${describeValue(capacity)}`,
    );
  }
  return { header, data, capacity };
}
