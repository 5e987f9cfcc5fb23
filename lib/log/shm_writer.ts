import { describeValue } from '../describe_value.js';
import { argumentError, rangeError, StrandCapacityError, StrandError } from '../errors.js';
import { native } from '../native.js';
import type { NativeLog } from '../native_types.js';
import { checkFlag, optionsOf } from '../options.js';
import { FrameLane } from './frame_lane.js';
import type { FrameMemory } from './frame_memory.js';
import { frameTooLargeError, LogStatus, logError } from './log_error.js';

const { IN_BYTES, IN_CHECKS, IN_MESSAGES, OUT_BASE, OUT_NEXT, OUT_ROOM } = native.box;

export interface AllocateOptions {
  /** Compares the lengths of the frame in front; the log's own setting unless given. */
  readonly debugChecks?: boolean;
}

/**
 * The writer of a log. Frames are laid out behind the committed ones, where nobody looks, and become visible together
 * with {@link commit}.
 */
export class ShmWriter {
  readonly #native: NativeLog;
  readonly #memory: FrameMemory;
  readonly #path: string;
  readonly #debugChecks: boolean;
  readonly #box: Float64Array;
  readonly #lengths: Uint32Array;
  // Hot calls by themselves: the engine looks properties of the native object up in a dictionary.
  readonly #allocate: () => number;
  readonly #commit: () => number;
  readonly #adopt: () => number;
  readonly #lead: number;
  readonly #overhead: number;
  readonly #maxPayload: number;
  readonly #lane: FrameLane | undefined;
  /** Address of the frame that was laid out last; 0 before the first. */
  #last = 0;
  #isClosed = false;

  /** @internal */
  constructor(
    log: NativeLog,
    memory: FrameMemory,
    { path, debugChecks }: { path: string; debugChecks: boolean },
  ) {
    this.#native = log;
    this.#memory = memory;
    this.#path = path;
    this.#debugChecks = debugChecks;
    ({
      box: this.#box,
      lengths: this.#lengths,
      allocate: this.#allocate,
      commit: this.#commit,
      adopt: this.#adopt,
      lead: this.#lead,
      overhead: this.#overhead,
      maxPayload: this.#maxPayload,
    } = log);
    // Leaves where the first frame goes.
    this.#check(this.#commit());
    this.#lane = FrameLane.of(log, memory);
  }

  /**
   * Reserves a frame of `size` bytes, to be filled before the next {@link commit}. Its bytes are the file's own and may
   * still be changed in place later, while the log is open.
   *
   * @throws StrandCapacityError "Shared memory exhausted" when the log is full, or a frame cannot be so large
   */
  allocate(size: number, options?: AllocateOptions): Buffer {
    const box = this.#box;
    if (!(size >= 0 && size <= this.#maxPayload && Number.isInteger(size))) throw this.#sizeError(size);
    const checks = options === undefined ? this.#debugChecks : this.#checksOf(options);
    if (this.#lane !== undefined && !checks && !this.#isClosed) {
      if (size > (box[OUT_ROOM] as number)) this.#makeRoom(size, 1);
      const payload = this.#layOut(this.#lane, size);
      return this.#memory.mapped(payload, size);
    }
    box[IN_BYTES] = size;
    box[IN_CHECKS] = checks ? 1 : 0;
    const status = this.#allocate();
    if (status !== LogStatus.OK) throw this.#error(status);
    const address = box[OUT_BASE] as number;
    this.#last = address;
    return this.#memory.mapped(address + this.#lead, size);
  }

  /** Makes everything that was allocated since the last commit visible, in one step. */
  commit(): void {
    if (!this.#isClosed && this.#lane?.commit()) return;
    const status = this.#commit();
    if (status !== LogStatus.OK) throw this.#error(status);
  }

  /** Writes a frame and commits it, with what was allocated before it. */
  append(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw this.#bytesError(bytes);
    // Without the lock not a byte of the file is ours.
    if (this.#isClosed) throw this.#error(LogStatus.CLOSED);
    const { length } = bytes;
    const box = this.#box;
    if (length > this.#maxPayload) throw this.#sizeError(length);
    if (length > (box[OUT_ROOM] as number)) this.#makeRoom(length, 1);
    if (this.#lane !== undefined) {
      const payload = this.#layOut(this.#lane, length);
      if (length > 0) this.#memory.windowOf(payload, length).set(bytes, payload - this.#memory.windowStart);
      if (!this.#lane.commit()) this.#check(this.#commit());
      return;
    }
    const address = box[OUT_NEXT] as number;
    this.#last = address - this.#lead;
    if (length > 0) this.#memory.windowOf(address, length).set(bytes, address - this.#memory.windowStart);
    this.#lengths[0] = length;
    box[IN_MESSAGES] = 1;
    const status = this.#adopt();
    if (status !== LogStatus.OK) throw this.#error(status);
  }

  /**
   * Writes a frame of each and commits them in one step; a list of more than 4,096 in steps of as many. Nothing of a list
   * that does not fit is written.
   */
  appendBatch(list: readonly Uint8Array[]): void {
    if (!Array.isArray(list)) {
      throw argumentError(`appendBatch takes an array of Uint8Array, got ${describeValue(list)}`);
    }
    if (this.#isClosed) throw this.#error(LogStatus.CLOSED);
    let sum = 0;
    for (const bytes of list) {
      if (!(bytes instanceof Uint8Array)) throw this.#bytesError(bytes);
      sum += bytes.length;
      if (bytes.length > this.#maxPayload) throw this.#sizeError(bytes.length);
    }
    const { maxFrames } = this.#native;
    if (sum + list.length * this.#overhead > (this.#box[OUT_ROOM] as number))
      this.#makeRoom(sum, list.length);
    for (let from = 0; from < list.length; from += maxFrames) {
      this.#appendStep(list, from, Math.min(from + maxFrames, list.length));
    }
  }

  /** Returns once everything that is committed has reached the disk, whatever the log's durability. Blocks. */
  flush(): void {
    this.#check(this.#native.flush());
  }

  /** Gives up what was not committed, and the log's lock. Calls that follow throw `ERR_STRAND_CLOSED`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#check(this.#native.closeWriter());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Where the frame that was allocated last begins, from the file's start. Undefined before the first. */
  getLastAllocatedAddress(): bigint | undefined {
    return this.#last === 0 ? undefined : BigInt(this.#last);
  }

  /**
   * The payload of the frame at an address, be it committed or not.
   *
   * @throws StrandError with the code `ERR_SHM_CURSOR` where no frame begins
   */
  getBufferAtAddress(address: bigint | number): Buffer {
    if (this.#isClosed) throw this.#error(LogStatus.CLOSED);
    if (typeof address !== 'bigint' && typeof address !== 'number') {
      throw argumentError(`an address is a bigint or a number, got ${describeValue(address)}`);
    }
    const at = Number(address);
    const length = Number.isSafeInteger(at) ? this.#native.frameAt(at) : -1;
    if (length < 0) throw logError(LogStatus.CURSOR, { path: this.#path, address: at });
    return this.#memory.mapped(at + this.#lead, length);
  }

  #layOut(lane: FrameLane, length: number): number {
    const payload = lane.layOut(length);
    if (payload === 0) throw this.#error(LogStatus.GONE);
    this.#last = payload - this.#lead;
    return payload;
  }

  #checksOf(options: AllocateOptions): boolean {
    const { debugChecks } = optionsOf(options, 'allocate', '{ debugChecks }');
    return checkFlag('debugChecks', debugChecks, this.#debugChecks);
  }

  #appendStep(list: readonly Uint8Array[], from: number, to: number): void {
    const lengths = this.#lengths;
    let address = this.#box[OUT_NEXT] as number;
    for (let i = from; i < to; i++) {
      const bytes = list[i] as Uint8Array;
      const { length } = bytes;
      if (length > 0) this.#memory.windowOf(address, length).set(bytes, address - this.#memory.windowStart);
      lengths[i - from] = length;
      this.#last = address - this.#lead;
      address += length + this.#overhead;
    }
    this.#box[IN_MESSAGES] = to - from;
    this.#check(this.#adopt());
  }

  #makeRoom(bytes: number, frames: number): void {
    this.#box[IN_BYTES] = bytes;
    this.#box[IN_MESSAGES] = frames;
    this.#check(this.#native.reserve());
  }

  #check(status: number): void {
    if (status !== LogStatus.OK) throw this.#error(status);
  }

  #error(status: number): Error {
    switch (status) {
      case LogStatus.FULL:
        return new StrandCapacityError(this.#native.faultMessage());
      case LogStatus.FILE:
        return new StrandError('ERR_STRAND_FILE', this.#native.faultMessage());
      default:
        return logError(status, { path: this.#path, address: (this.#box[OUT_NEXT] as number) - this.#lead });
    }
  }

  #sizeError(size: unknown): Error {
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
      return rangeError(`a frame's size is an integer of at least 0, got ${describeValue(size)}`);
    }
    const remedy =
      this.#maxPayload < 2 ** 16 ? ': a log made with a larger maxFrameBytes holds larger ones' : '';
    return frameTooLargeError(this.#path, size, `${this.#maxPayload} bytes${remedy}`);
  }

  #bytesError(bytes: unknown): Error {
    return argumentError(`a frame is appended from a Uint8Array, got ${describeValue(bytes)}`);
  }
}
