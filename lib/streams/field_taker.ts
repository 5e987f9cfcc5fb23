import type { RecordCursor } from '../cursor.js';
import type { StrandView } from '../view.js';
import { ownedValue } from './owned.js';
import type { Taker } from './taker.js';

const RELEASE_AFTER = 64;

/** Each record's value of one field is a chunk. Absent values are undefined, since a stream takes null for its end. */
export class FieldTaker implements Taker<unknown> {
  next = 0;
  readonly releaseAfter: number;
  readonly #cursor: RecordCursor;
  readonly #name: string;
  readonly #zeroCopy: boolean;

  constructor(view: StrandView, name: string, zeroCopy: boolean) {
    this.#cursor = view.allocateCursor();
    this.#name = name;
    this.#zeroCopy = zeroCopy;
    this.releaseAfter = Math.min(RELEASE_AFTER, Math.ceil(view.map.index_capacity / 8));
  }

  take(): unknown {
    this.#cursor.seek(this.next++);
    const value = this.#cursor.get(this.#name) ?? undefined;
    return this.#zeroCopy ? value : ownedValue(value);
  }
}
