import { HEAP_ABSENT_OFFSET } from '../constants.js';
import { native } from '../native.js';
import type { NativeView } from '../native_types.js';
import type { RecordPlan } from './plan.js';
import { TextColumn } from './text_column.js';

const { OUT_BYTES } = native.box;

/** Where a cursor is before its first seek: no accessor reads then. */
export const NOWHERE = -1;

/**
 * The bytes of the record that a cursor stands on: in the ring, or, for a record that the producer may overwrite, in a
 * private copy. Base of the cursors, since an object between a cursor and its bytes would cost a third of a read.
 */
export abstract class RecordSource {
  /** Position of the present record, −1 before the first seek. */
  seq = -1;
  /** @internal */
  readonly plan: RecordPlan;
  /** @internal */
  readonly columns: readonly (TextColumn | undefined)[];
  /** @internal Memory of the slot, the slot's offset in it, and the heap's. */
  dv: DataView;
  /** @internal */
  at = NOWHERE;
  /** @internal */
  heapAt: number;
  /** @internal */
  heapLength: number;
  /** @internal */
  isCopy = false;
  /** @internal */
  internTable: readonly string[] | undefined;

  readonly #native: NativeView;
  readonly #ring: DataView;
  #copy = new Uint8Array(0);

  constructor(view: NativeView, ring: DataView, plan: RecordPlan) {
    this.plan = plan;
    this.#native = view;
    this.#ring = ring;
    this.dv = ring;
    this.heapAt = view.header.geometry.heapStart;
    this.heapLength = view.header.geometry.heapCapacity;
    this.columns = plan.fields.map((field) =>
      field.type.kind === 'text' || field.type.kind === 'json'
        ? new TextColumn(field, view, this)
        : undefined,
    );
  }

  /** @internal The private copy of the present record. */
  get copy(): Uint8Array {
    return this.#copy;
  }

  /** @internal What every accessor gives before the first seek. */
  nothing(): null {
    return null;
  }

  /** @internal Back to the ring after a private copy. */
  useRing(): void {
    const { geometry } = this.#native.header;
    this.isCopy = false;
    this.dv = this.#ring;
    this.heapAt = geometry.heapStart;
    this.heapLength = geometry.heapCapacity;
  }

  /** @internal The view has entered another stream: the cursor stands nowhere. */
  leave(): void {
    this.useRing();
    this.at = NOWHERE;
    this.seq = -1;
    for (const column of this.columns) column?.clear();
  }

  /** @internal Copies a record that may be overwritten meanwhile. → Status */
  useCopy(seq: number): number {
    let status = this.#native.snapshot(seq, this.#copy);
    const bytes = this.#native.box[OUT_BYTES] as number;
    if (status === native.status.OK && bytes > this.#copy.length) {
      this.#copy = new Uint8Array(2 ** Math.ceil(Math.log2(bytes)));
      status = this.#native.snapshot(seq, this.#copy);
    }
    if (status !== native.status.OK) return status;
    const { stride } = this.plan;
    this.isCopy = true;
    this.dv = new DataView(this.#copy.buffer);
    this.at = 0;
    this.seq = seq;
    this.heapAt = stride;
    this.heapLength = this.#copy.length - stride;
    return status;
  }

  /**
   * @internal A typed array over a payload whose pointer stands at `at`; null where it is absent or leads out of the heap. In the
   * ring it is the shared memory itself.
   */
  array<A>(
    at: number,
    wide: boolean,
    elementSize: number,
    make: new (buffer: ArrayBufferLike, offset: number, length: number) => A,
  ): A | null {
    const { dv } = this;
    const offset = dv.getUint32(at, true);
    const length = wide ? dv.getUint32(at + 4, true) : dv.getUint16(at + 4, true);
    if (offset === HEAP_ABSENT_OFFSET || offset + length > this.heapLength) return null;
    return this.#view(this.heapAt + offset, length, elementSize, make);
  }

  /** @internal The same over bytes of the slot. */
  fixed(at: number, length: number): Uint8Array {
    return this.#view(at, length, 1, Uint8Array) as Uint8Array;
  }

  #view<A>(
    at: number,
    length: number,
    elementSize: number,
    make: new (buffer: ArrayBufferLike, offset: number, length: number) => A,
  ): A | null {
    const elements = Math.floor(length / elementSize);
    if (this.isCopy) {
      // The copy is used again for the next record.
      return new make(this.#copy.slice(at, at + length).buffer, 0, elements);
    }
    const start = at + this.dv.byteOffset;
    // A pointer that a foreign producer left unaligned names no array.
    return start % elementSize === 0 ? new make(this.dv.buffer, start, elements) : null;
  }
}
