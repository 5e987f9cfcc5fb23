import { MAX_POSITION } from './constants.js';

/** Whether a value is a position in a stream. The last one, 2^53, is no safe integer any more. */
export function isPosition(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_POSITION;
}
