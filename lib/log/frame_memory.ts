import type { NativeLog } from '../native_types.js';
import { LogStatus, logError } from './log_error.js';
import { slice } from './slice.js';

/** Every so many bytes a window begins; it is twice as long, so that frames across its end lie in it. */
const STRIDE = 64 * 1024 * 1024;

/**
 * A log's bytes as Buffers: the mapping itself, or copies.
 *
 * A Buffer over foreign memory takes a microsecond to make, a slice of one 30 ns: so there are few large ones, the
 * windows. Each keeps the mapping, also when the log is closed.
 */
export class FrameMemory {
  readonly #native: NativeLog;
  readonly #path: string;
  readonly #isMapped: boolean;
  /** The window of the last call. */
  #window: Buffer = Buffer.alloc(0);
  #from = 0;
  /** The window's ArrayBuffer: to ask a Buffer for it takes as long as to make one. */
  #memory: ArrayBufferLike = this.#window.buffer;
  /** The one before, since readers and the writer are often in two places. */
  #other: { readonly window: Buffer; readonly from: number } = { window: this.#window, from: 0 };

  /** @param isMapped whether Buffers are the mapping itself */
  constructor(log: NativeLog, path: string, isMapped: boolean) {
    this.#native = log;
    this.#path = path;
    this.#isMapped = isMapped;
  }

  get isMapped(): boolean {
    return this.#isMapped;
  }

  /** Bytes of the file. */
  bytes(address: number, length: number): Buffer {
    return this.#isMapped ? this.mapped(address, length) : this.copied(address, length);
  }

  /** A slice of the mapping. */
  mapped(address: number, length: number): Buffer {
    if (address < this.#from || address + length > this.#from + this.#window.length)
      this.#slide(address, length);
    return slice(this.#memory, address - this.#from, length);
  }

  /** The window in which bytes lie; `windowStart` says where it begins. */
  windowOf(address: number, length: number): Buffer {
    if (address < this.#from || address + length > this.#from + this.#window.length)
      this.#slide(address, length);
    return this.#window;
  }

  get windowStart(): number {
    return this.#from;
  }

  /** A copy of its own. */
  copied(address: number, length: number): Buffer {
    const copy = Buffer.allocUnsafeSlow(length);
    this.copyTo(copy, address);
    return copy;
  }

  copyTo(target: Uint8Array, address: number): void {
    const status = this.#native.copy(target, address);
    if (status !== LogStatus.OK) throw logError(status, { path: this.#path, address });
  }

  #slide(address: number, length: number): void {
    const { window, from } = this.#other;
    if (address >= from && address + length <= from + window.length) {
      this.#other = { window: this.#window, from: this.#from };
      this.#window = window;
      this.#from = from;
      this.#memory = window.buffer;
      return;
    }
    const { reserved } = this.#native;
    const start = Math.floor(address / STRIDE) * STRIDE;
    const end = Math.min(start + 2 * STRIDE, reserved);
    // A frame larger than a stride may have to have a window of its own.
    const [at, bytes] = address + length <= end ? [start, end - start] : [address, length];
    // Shorter where the file ends before that: when it has grown, another one is made.
    const memory = this.#native.window(at, bytes);
    if (memory === undefined || at + memory.byteLength < address + length) {
      throw logError(LogStatus.GONE, { path: this.#path, address });
    }
    this.#other = { window: this.#window, from: this.#from };
    this.#window = Buffer.from(memory);
    this.#from = at;
    this.#memory = this.#window.buffer;
  }
}
