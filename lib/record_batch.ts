import type { RecordCursor } from './cursor.js';
import type { Schema } from './schema_types.js';

/** Committed records that a draining loop was given together. Good until the loop asks for the next batch. */
export class RecordBatch<S extends Schema = Schema> implements Iterable<RecordCursor<S>> {
  readonly #cursor: RecordCursor<S>;
  /** Position of the first record, and behind the last. */
  readonly from: number;
  readonly to: number;

  /** @internal */
  constructor(cursor: RecordCursor<S>, from: number, to: number) {
    this.#cursor = cursor;
    this.from = from;
    this.to = to;
  }

  /** Number of records. */
  get length(): number {
    return this.to - this.from;
  }

  /** Goes through the records with one cursor, which stands on the record at hand. */
  *[Symbol.iterator](): Generator<RecordCursor<S>, void, undefined> {
    for (let seq = this.from; seq < this.to; seq++) {
      this.#cursor.seek(seq);
      yield this.#cursor;
    }
  }
}
