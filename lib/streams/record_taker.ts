import type { RecordCursor } from '../cursor.js';
import type { StrandView } from '../view.js';
import { namesOfViews, ownRecord } from './owned.js';
import type { Taker } from './taker.js';

/** Each record is a chunk. */
export class RecordTaker implements Taker<object> {
  next = 0;
  readonly #cursor: RecordCursor;
  readonly #views: readonly string[];

  constructor(view: StrandView, zeroCopy: boolean) {
    this.#cursor = view.allocateCursor();
    this.#views = zeroCopy ? [] : namesOfViews(view.map.schema.fields);
  }

  take(): object {
    this.#cursor.seek(this.next++);
    return ownRecord(this.#cursor.toObject(), this.#views);
  }
}
