import { native } from '../native.js';
import type { NativeWriter } from '../native_types.js';
import { typedArrayBytes } from './typed_arrays.js';

const { IN_AT, IN_END, IN_INSERT_AT, IN_INSERT_BYTES } = native.box;

/** Strings of at most this many ASCII characters are faster encoded here than by a native call. */
const SHORT = 8;

/** Answer of a put where the heap run has no room for the payload. */
export const NO_ROOM = -1;

/**
 * Memory that an encoder fills: a run of slots and of heap in the ring, or private scratch for one record.
 *
 * Positions of payloads are byte offsets from the buffer's start, as if the record lay in the ring; `delta` takes
 * them to this memory.
 */
export class Sink {
  readonly dv: DataView;
  readonly u8: Uint8Array;
  readonly heapStart: number;
  delta = 0;
  /** Where the next slot goes, as an offset in this memory. */
  slot = 0;
  /** Where the next payload goes; the first byte that it must not take. */
  heap = 0;
  heapEnd = 0;
  /** Bytes of the payload that was put last. */
  length = 0;
  /** The payload of scratch's record that the core takes from where it is, at its place among the others. */
  inserted: ArrayBufferView | undefined;

  readonly #box: Float64Array;
  readonly #inScratch: boolean;
  readonly #stride: number;
  readonly #ringEnd: number;
  readonly #putText: (text: string) => number;
  readonly #putExactText: (text: string) => number;
  readonly #putBytes: (value: ArrayBufferView) => number;

  private constructor(bytes: Uint8Array, writer: NativeWriter, inScratch: boolean) {
    this.u8 = bytes;
    this.dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { heapStart, heapCapacity } = writer.header.geometry;
    this.heapStart = heapStart;
    this.#inScratch = inScratch;
    this.#stride = writer.header.stride;
    this.#ringEnd = heapStart + heapCapacity;
    this.#box = writer.box;
    this.#putText = inScratch ? writer.putScratchText : writer.putText;
    this.#putExactText = inScratch ? writer.putScratchText : writer.putExactText;
    this.#putBytes = inScratch ? writer.putScratchBytes : writer.putBytes;
  }

  static overRing(bytes: Uint8Array, writer: NativeWriter): Sink {
    return new Sink(bytes, writer, false);
  }

  static overScratch(writer: NativeWriter): Sink {
    const sink = new Sink(writer.scratch, writer, true);
    sink.forgetInserted();
    return sink;
  }

  /** Begins one record at the start of scratch. One byte stays free for the engine's terminator of a text. */
  rewindScratch(): void {
    this.slot = 0;
    this.heap = this.heapStart;
    if (this.inserted !== undefined) this.forgetInserted();
  }

  forgetInserted(): void {
    this.inserted = undefined;
    this.delta = this.#stride - this.heapStart;
    this.heapEnd = this.u8.length - 1 - this.delta;
  }

  /** Bytes of payloads in scratch. */
  get scratchHeapBytes(): number {
    return this.heap + this.delta - this.#stride;
  }

  /** Puts UTF-8 of `text` at `at`, which becomes `length` bytes. → the position behind it, or NO_ROOM */
  text(text: string, at: number): number {
    const units = text.length;
    if (units <= SHORT && at + units <= this.heapEnd) {
      const { u8 } = this;
      const from = at + this.delta;
      let i = 0;
      for (; i < units; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        u8[from + i] = code;
      }
      if (i === units) {
        this.length = units;
        return at + units;
      }
    }
    const box = this.#box;
    if (3 * units < this.heapEnd - at) {
      box[IN_AT] = at + this.delta;
      const length = this.#putText(text);
      this.length = length;
      return at + length;
    }
    return this.#exactText(text, at);
  }

  #exactText(text: string, at: number): number {
    const length = Buffer.byteLength(text);
    if (length > this.heapEnd - at) return NO_ROOM;
    this.#box[IN_AT] = at + this.delta;
    this.#putExactText(text);
    this.length = length;
    return at + length;
  }

  /**
   * Puts the bytes of a typed array at `at`. They are measured and copied in one step; of scratch's record one typed array
   * waits for the core to copy it into the ring.
   */
  bytes(value: ArrayBufferView, at: number): number {
    const box = this.#box;
    if (this.#inScratch && this.inserted === undefined) return this.#insert(value, at);
    box[IN_AT] = at + this.delta;
    box[IN_END] = this.heapEnd + this.delta;
    const length = this.#putBytes(value);
    if (length > this.heapEnd - at) return NO_ROOM;
    this.length = length;
    return at + length;
  }

  #insert(value: ArrayBufferView, at: number): number {
    const length = typedArrayBytes(value);
    // An array's alignment may have led past the end.
    if (at > this.heapEnd || length > this.#ringEnd - at) return NO_ROOM;
    const box = this.#box;
    box[IN_INSERT_AT] = at + this.delta - this.#stride;
    box[IN_INSERT_BYTES] = length;
    this.inserted = value;
    // What comes behind it lies in scratch as if it were not there.
    this.delta -= length;
    this.heapEnd = Math.min(this.heapEnd + length, this.#ringEnd);
    this.length = length;
    return at + length;
  }
}
