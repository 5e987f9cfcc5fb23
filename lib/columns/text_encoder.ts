import { rangeError } from '../errors.js';
import type { NativeWriter } from '../native_types.js';

/** UTF-16 units and texts that are encoded together. */
const STRETCH_UNITS = 8192;
const STRETCH_TEXTS = 1024;

/** From this many units on a text goes by itself: three bytes a unit would be too much to set aside. */
const LONG = 1 << 20;

const MAX_BYTES = 0x7fffffff;
/** What is kept for the next batch. */
const KEPT_BYTES = 4 << 20;
const FIRST_BYTES = 1 << 16;

const NONE: Int32Array = new Int32Array(0);

/**
 * Encodes texts into one private buffer. They are joined to stretches, each of which becomes UTF-8 in one native call:
 * a call for each text would cost more than all of its other work.
 */
export class TextEncoding {
  readonly #encode: NativeWriter['encodeTexts'];
  #bytes = new Uint8Array(0);
  #size = 0;
  #offsets = NONE;
  #stretch = '';
  #units = 0;
  #first = 0;
  #next = 0;

  constructor(writer: NativeWriter) {
    this.#encode = writer.encodeTexts;
  }

  /** All texts of the batch so far. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Forgets the batch, also in the middle of a column. */
  clear(): void {
    this.#size = 0;
    this.#stretch = '';
    this.#units = 0;
    this.#offsets = NONE;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(0);
  }

  /** Begins a column of `count` texts. → their offsets in `bytes`, complete after `endColumn` */
  beginColumn(count: number): Int32Array {
    this.#offsets = new Int32Array(count + 1);
    this.#offsets[0] = this.#size;
    this.#first = 1;
    this.#next = 1;
    return this.#offsets;
  }

  add(text: string): void {
    const { length } = text;
    if (this.#units + length > STRETCH_UNITS || this.#next - this.#first >= STRETCH_TEXTS) this.endColumn();
    if (length >= LONG) {
      this.#addLong(text);
      return;
    }
    this.#units += length;
    this.#stretch += text;
    this.#offsets[this.#next++] = this.#units;
  }

  addNothing(): void {
    this.#offsets[this.#next++] = this.#units;
  }

  endColumn(): void {
    if (this.#next > this.#first) {
      this.#makeRoom(3 * this.#units);
      const count = this.#next - this.#first;
      this.#size += this.#encode(this.#stretch, this.#offsets, this.#first, count, this.#bytes, this.#size);
    }
    this.#stretch = '';
    this.#units = 0;
    this.#first = this.#next;
  }

  #addLong(text: string): void {
    const bytes = Buffer.from(text);
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
    this.#offsets[this.#next++] = this.#size;
    this.#first = this.#next;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#bytes.length) return;
    if (needed > MAX_BYTES) {
      throw rangeError(`the texts of one batch take ${MAX_BYTES} bytes at most: write fewer records at once`);
    }
    const larger = new Uint8Array(Math.max(needed, Math.min(MAX_BYTES, 2 * this.#bytes.length), FIRST_BYTES));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}
