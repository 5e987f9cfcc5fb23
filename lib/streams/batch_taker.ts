import type { RecordCursor } from '../cursor.js';
import type { StrandView } from '../view.js';
import { namesOfViews, ownRecord } from './owned.js';
import type { Taker } from './taker.js';

/** The records that are there together, up to a limit, are a chunk. */
export class BatchTaker implements Taker<object[]> {
  next = 0;
  readonly #cursor: RecordCursor;
  readonly #views: readonly string[];
  readonly #maxRecords: number;

  constructor(view: StrandView, maxRecords: number, zeroCopy: boolean) {
    this.#cursor = view.allocateCursor();
    this.#views = zeroCopy ? [] : namesOfViews(view.map.schema.fields);
    this.#maxRecords = maxRecords;
  }

  take(end: number): object[] {
    const to = Math.min(end, this.next + this.#maxRecords);
    const cursor = this.#cursor;
    const views = this.#views;
    const batch: object[] = [];
    for (; this.next < to; this.next++) {
      cursor.seek(this.next);
      const record = cursor.toObject();
      batch.push(views.length === 0 ? record : ownRecord(record, views));
    }
    return batch;
  }
}
