import { native } from '../native.js';
import { countOwnedBytes } from '../owned_memory.js';
import { resetError } from '../status_error.js';
import type { StrandView } from '../view.js';
import { NONE } from './chunk_source.js';
import type { Taker } from './taker.js';

const { IN_AT, IN_FROM, IN_SKIP, IN_UP_TO, OUT_SEQ, OUT_SKIP } = native.box;

/** Bytes of a chunk at most. Small payloads share a block of memory of this size, one behind the other. */
const BLOCK_BYTES = 64 * 1024;
/** A block with less room left is not begun with: its chunks would become small. */
const LEAST_ROOM = BLOCK_BYTES / 4;

/** What the records' only field holds, one behind the other, in chunks without regard to records. */
export class ByteTaker implements Taker<Buffer> {
  next = 0;
  readonly #view: StrandView;
  // Hot by itself: the engine looks properties of the native object up in a dictionary.
  readonly #copyBytes: (target: Uint8Array) => number;
  readonly #box: Float64Array;
  #block = Buffer.allocUnsafeSlow(0);
  #used = 0;
  #skip = 0;

  constructor(view: StrandView) {
    this.#view = view;
    ({ copyBytes: this.#copyBytes, box: this.#box } = view.bytes);
  }

  take(end: number): Buffer | typeof NONE {
    if (this.#block.length - this.#used < LEAST_ROOM) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      countOwnedBytes(BLOCK_BYTES);
      this.#used = 0;
    }
    const box = this.#box;
    const at = this.#used;
    box[IN_AT] = at;
    box[IN_FROM] = this.next;
    box[IN_UP_TO] = end;
    box[IN_SKIP] = this.#skip;
    this.#used += this.#copyBytes(this.#block);
    const next = box[OUT_SEQ] as number;
    // There is room and a record: only where that is lost does the place stay. Seeking says how it was lost.
    if (this.#used === at && next === this.next) {
      this.#view.allocateCursor().seek(next);
      throw resetError();
    }
    this.next = next;
    this.#skip = box[OUT_SKIP] as number;
    return this.#used === at ? NONE : this.#block.subarray(at, this.#used);
  }
}
