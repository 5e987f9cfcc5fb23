import type { NativeLog } from '../native_types.js';
import type { FrameMemory } from './frame_memory.js';

/** The three words that every log begins with, as they are now. */
export class LogHeader {
  readonly #native: NativeLog;
  readonly #memory: FrameMemory;

  /** @internal */
  constructor(log: NativeLog, memory: FrameMemory) {
    this.#native = log;
    this.#memory = memory;
  }

  /** Bytes of the header. */
  get headerSize(): bigint {
    return BigInt(this.#native.headerSize);
  }

  /** Where the first frame begins, from the file's start. */
  get dataOffset(): bigint {
    return BigInt(this.#native.dataOffset);
  }

  /** Where the committed frames end, from the file's start. */
  get size(): bigint {
    return BigInt(this.#native.committed());
  }

  /** The header's bytes: of a writable log the file's own, else a copy. */
  getBuffer(): Buffer {
    return this.#memory.bytes(0, this.#native.headerSize);
  }
}
