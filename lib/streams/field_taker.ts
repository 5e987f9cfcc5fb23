import type { RecordCursor } from '../cursor.js';
import type { StrandView } from '../view.js';
import { ownedValue } from './owned.js';
import type { Taker } from './taker.js';

/** Each record's value of one field is a chunk. Absent values are undefined, since a stream takes null for its end. */
export class FieldTaker implements Taker<unknown> {
  next = 0;
  readonly #cursor: RecordCursor;
  readonly #name: string;
  readonly #zeroCopy: boolean;

  constructor(view: StrandView, name: string, zeroCopy: boolean) {
    this.#cursor = view.allocateCursor();
    this.#name = name;
    this.#zeroCopy = zeroCopy;
  }

  take(): unknown {
    this.#cursor.seek(this.next++);
    const value = this.#cursor.get(this.#name) ?? undefined;
    return this.#zeroCopy ? value : ownedValue(value);
  }
}
