import type { RecordCursor } from '../cursor.js';
import type { StrandView } from '../view.js';
import { NONE } from './chunk_source.js';
import type { Taker } from './taker.js';

/** What each record's only field holds is a chunk, in the shared memory itself. */
export class PayloadTaker implements Taker<Buffer> {
  next = 0;
  readonly #cursor: RecordCursor;
  readonly #name: string;

  constructor(view: StrandView, name: string) {
    this.#cursor = view.allocateCursor();
    this.#name = name;
  }

  take(): Buffer | typeof NONE {
    this.#cursor.seek(this.next++);
    const bytes = this.#cursor.getBytes(this.#name);
    return bytes === null || bytes.length === 0
      ? NONE
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
