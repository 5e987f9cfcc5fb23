import type { NONE } from './chunk_source.js';

/** Makes chunks of committed records. */
export interface Taker<T> {
  /** The first record that no chunk holds yet, or not to its end. */
  next: number;
  /** A chunk of records from `next` to before `end`, of which there is one at least. NONE where they hold nothing. */
  take(end: number): T | typeof NONE;
}
