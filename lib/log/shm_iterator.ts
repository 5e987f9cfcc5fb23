import { describeValue } from '../describe_value.js';
import { argumentError, rangeError } from '../errors.js';
import { native } from '../native.js';
import type { NativeLogReader } from '../native_types.js';
import { checkFlag, checkSignal, optionsOf } from '../options.js';
import { countOwnedBytes } from '../owned_memory.js';
import type { FrameBatch } from './frame_batch.js';
import type { FrameMemory } from './frame_memory.js';
import { iteratorClosedError, LogStatus, logError } from './log_error.js';
import { LogWaits } from './log_waits.js';
import { slice } from './slice.js';

const {
  IN_BYTES,
  IN_CHECKS,
  IN_FROM,
  IN_MESSAGES,
  OUT_BASE,
  OUT_BYTES,
  OUT_COMMITTED,
  OUT_COUNT,
  OUT_CURSOR,
} = native.box;

/** Of a batch, unless it is told otherwise. */
const MESSAGES = 64;
const BYTES = 256 * 1024;
const EMPTY = Buffer.alloc(0);
/** More than any frame. */
const ANY_BYTES = 2 ** 31;
/** Frames that `next` copies at once, of a log that it may not show itself. */
const AHEAD = { maxMessages: 64, maxBytes: 64 * 1024 };

export interface IteratorOptions {
  /** Where to begin: a cursor of an iterator of this log. */
  readonly startCursor?: bigint;
}

export interface BatchOptions {
  /** Frames at most; 64 unless given. */
  readonly maxMessages?: number;
  /** Bytes of payload at most; 256 KiB unless given. */
  readonly maxBytes?: number;
  /** Compares both lengths of each frame, and its neighbour's. The log's own setting unless given. */
  readonly debugChecks?: boolean;
}

export interface LogWaitOptions {
  /** Resolves with false after this time. */
  readonly timeoutMs?: number;
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Frames of one copy, of which the caller has taken some. */
interface Ahead {
  readonly bytes: Buffer;
  /** Of the first. */
  readonly cursor: number;
  readonly count: number;
  taken: number;
}

/** Where an iterator stands, and everything that it needs. */
export interface IteratorParts {
  readonly reader: NativeLogReader;
  readonly memory: FrameMemory;
  readonly path: string;
  readonly dataOffset: number;
  readonly debugChecks: boolean;
}

/**
 * Reads a log's committed frames, forwards and backwards. Buffers of a writable log are the file's own bytes; others are
 * slices of one copy per batch, which nobody else writes to.
 */
export class ShmIterator {
  readonly #native: NativeLogReader;
  // Hot calls by themselves: the engine looks properties of the native object up in a dictionary.
  readonly #next: () => number;
  readonly #box: Float64Array;
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  readonly #memory: FrameMemory;
  readonly #path: string;
  readonly #dataOffset: number;
  readonly #debugChecks: boolean;
  readonly #waits: LogWaits;
  /** Copied for `next` and not yet asked for. */
  #ahead: Ahead | undefined;
  /** What `readBatch` copies to, again and again. */
  #slab: Buffer = Buffer.alloc(0);
  #isClosed = false;

  /** @internal */
  constructor({ reader, memory, path, dataOffset, debugChecks }: IteratorParts) {
    this.#native = reader;
    ({ next: this.#next, box: this.#box, starts: this.#starts, lengths: this.#lengths } = reader);
    this.#memory = memory;
    this.#path = path;
    this.#dataOffset = dataOffset;
    this.#debugChecks = debugChecks;
    this.#waits = new LogWaits(reader, () => iteratorClosedError(path));
  }

  /** The next frame, or null while there is none. */
  next(): Buffer | null {
    const ahead = this.#ahead;
    if (ahead !== undefined && ahead.taken < ahead.count) return this.#take(ahead);
    this.#settle();
    return this.#memory.isMapped ? this.#nextMapped() : this.#nextCopied();
  }

  /** The frame before the cursor, which moves in front of it; null at the log's beginning. */
  prev(): Buffer | null {
    return this.#several(this.#native.previous, { maxMessages: 1, maxBytes: ANY_BYTES })[0] ?? null;
  }

  /**
   * The next frames, an empty array while there are none.
   *
   * @throws RangeError if `maxBytes` is less than the next frame has
   * @throws StrandError `ERR_SHM_FRAME_CORRUPT`, behind the frames that are whole
   */
  nextBatch(options?: BatchOptions): Buffer[] {
    return this.#several(this.#next, options);
  }

  /** The frames before the cursor, the nearest first. */
  prevBatch(options?: BatchOptions): Buffer[] {
    return this.#several(this.#native.previous, options);
  }

  /** As {@link nextBatch}; a frame larger than the batch may be comes alone. @internal */
  nextLargest(options: BatchOptions): Buffer[] {
    this.#settle();
    const count = this.#readLargest(options);
    const frames: Buffer[] = [];
    if (count > 0) this.#slice(frames, count);
    return frames;
  }

  /** As {@link nextBatch}, with nothing allocated: for readers that decode in place. */
  readBatch(options?: BatchOptions): FrameBatch {
    this.#settle();
    const { messages, bytes, checks } = this.#limits(options);
    return this.#batchOf(this.#read(this.#next, messages, bytes, checks, false));
  }

  /** As {@link readBatch}; a frame larger than the batch may be comes alone. @internal */
  readLargest(options: BatchOptions): FrameBatch {
    this.#settle();
    return this.#batchOf(this.#readLargest(options));
  }

  /**
   * Where the next frame begins, from the first frame on. Keep it to go on from there another time, with the `identity` of
   * the log, which tells whether it still is the same one.
   */
  cursor(): bigint {
    const ahead = this.#ahead;
    if (ahead === undefined || ahead.taken === ahead.count) return BigInt(this.#look().cursor);
    // Payloads follow each other with the same distance between them.
    return BigInt(ahead.cursor + (this.#starts[ahead.taken] as number));
  }

  /** Bytes of committed frames. */
  committedSize(): bigint {
    return BigInt(this.#look().committed);
  }

  /**
   * Moves to a cursor.
   *
   * @throws StrandError with the code `ERR_SHM_CURSOR` where no frame begins
   */
  seek(position: bigint): void {
    this.#checkOpen();
    if (typeof position !== 'bigint' && !Number.isInteger(position)) {
      throw argumentError(`a cursor is a bigint, got ${describeValue(position)}`);
    }
    this.#seek(Number(position));
    // Not before: a seek that fails leaves the iterator where it was.
    this.#ahead = undefined;
  }

  /**
   * Settles when there are frames behind the cursor: with true; or with false when the time is over. Any number of waits
   * may be under way, and each keeps the process alive.
   */
  wait(options?: LogWaitOptions): Promise<boolean> {
    const { timeoutMs, signal } = optionsOf(options, 'wait', '{ timeoutMs, signal }');
    const checked = checkSignal(signal);
    if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
      throw rangeError(`timeoutMs is a number of milliseconds, got ${describeValue(timeoutMs)}`);
    }
    if (this.#isClosed) return Promise.reject(iteratorClosedError(this.#path));
    const ahead = this.#ahead;
    if (ahead !== undefined && ahead.taken < ahead.count) return Promise.resolve(true);
    return this.#waits.wait(timeoutMs, checked);
  }

  /** Ends the iterator and its waits, which reject with `ERR_SHM_ITERATOR_CLOSED`. Buffers stay as they are. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ahead = undefined;
    this.#waits.close();
    this.#native.close();
    this.#slab = EMPTY;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #nextMapped(): Buffer | null {
    if (this.#read(this.#next, 1, ANY_BYTES, this.#debugChecks, false) === 0) return null;
    return this.#memory.mapped(this.#box[OUT_BASE] as number, this.#lengths[0] as number);
  }

  #nextCopied(): Buffer | null {
    const { cursor } = this.#look();
    const count = this.#readLargest(AHEAD);
    if (count === 0) return null;
    const bytes = this.#copied(this.#box[OUT_BASE] as number, this.#box[OUT_BYTES] as number);
    this.#ahead = { bytes, cursor, count, taken: 0 };
    return this.#take(this.#ahead);
  }

  #take(ahead: Ahead): Buffer {
    const i = ahead.taken++;
    const { buffer, byteOffset } = ahead.bytes;
    return slice(buffer, byteOffset + (this.#starts[i] as number), this.#lengths[i] as number);
  }

  #several(read: () => number, options: BatchOptions | undefined): Buffer[] {
    this.#settle();
    const { messages, bytes, checks } = this.#limits(options);
    const frames: Buffer[] = [];
    let left = bytes;
    while (frames.length < messages) {
      // What comes behind the first frames may be a fault, which is the next call's.
      const count = this.#read(read, messages - frames.length, left, checks, frames.length > 0);
      if (count <= 0) break;
      left -= this.#slice(frames, count);
      if (count < this.#starts.length) break;
    }
    return frames;
  }

  /** Adds Buffers of what was read. → bytes of their payloads */
  #slice(frames: Buffer[], count: number): number {
    const starts = this.#starts;
    const lengths = this.#lengths;
    const base = this.#box[OUT_BASE] as number;
    const bytes = this.#box[OUT_BYTES] as number;
    let sum = 0;
    const whole = this.#memory.isMapped ? this.#memory.windowOf(base, bytes) : this.#copied(base, bytes);
    const at = whole.byteOffset + (this.#memory.isMapped ? base - this.#memory.windowStart : 0);
    const { buffer } = whole;
    for (let i = 0; i < count; i++) {
      const length = lengths[i] as number;
      frames.push(slice(buffer, at + (starts[i] as number), length));
      sum += length;
    }
    return sum;
  }

  /** → how many frames; with `lenient` −1 in place of an error */
  #read(read: () => number, messages: number, bytes: number, checks: boolean, lenient: boolean): number {
    const box = this.#box;
    box[IN_MESSAGES] = messages;
    box[IN_BYTES] = bytes;
    box[IN_CHECKS] = checks ? 1 : 0;
    const status = read();
    if (status === LogStatus.OK) return box[OUT_COUNT] as number;
    if (status === LogStatus.NONE) return 0;
    if (lenient) return -1;
    if (status === LogStatus.TOO_SMALL) {
      throw rangeError(
        `the next frame of '${this.#path}' has ${box[OUT_BYTES]} bytes, more than the maxBytes of ${bytes}: allow for it, ` +
          'or take it with next()',
      );
    }
    throw logError(status, { path: this.#path, address: this.#dataOffset + (box[OUT_CURSOR] as number) });
  }

  #readLargest(options: BatchOptions): number {
    const { messages, bytes, checks } = this.#limits(options);
    const count = this.#read(this.#next, messages, bytes, checks, true);
    return count < 0 ? this.#read(this.#next, 1, ANY_BYTES, checks, false) : count;
  }

  #batchOf(count: number): FrameBatch {
    const base = this.#box[OUT_BASE] as number;
    const length = count === 0 ? 0 : (this.#box[OUT_BYTES] as number);
    return { bytes: this.#inPlace(base, length), starts: this.#starts, lengths: this.#lengths, count };
  }

  #copied(address: number, length: number): Buffer {
    countOwnedBytes(length);
    return this.#memory.copied(address, length);
  }

  #inPlace(address: number, length: number): Buffer {
    // At the end of a full log there is no byte where the next payload would begin.
    if (length === 0) return EMPTY;
    if (this.#memory.isMapped) return this.#memory.mapped(address, length);
    if (this.#slab.length < length) this.#slab = Buffer.allocUnsafeSlow(Math.max(length, BYTES));
    const slab = this.#slab.length === length ? this.#slab : this.#slab.subarray(0, length);
    this.#memory.copyTo(slab, address);
    return slab;
  }

  /** Gives frames that were copied for `next` back, so that the core stands where the caller does. */
  #settle(): void {
    this.#checkOpen();
    const ahead = this.#ahead;
    if (ahead === undefined) return;
    if (ahead.taken < ahead.count) this.#seek(ahead.cursor + (this.#starts[ahead.taken] as number));
    this.#ahead = undefined;
  }

  #seek(cursor: number): void {
    this.#box[IN_FROM] = cursor;
    const status = cursor >= 0 ? this.#native.seek() : LogStatus.CURSOR;
    if (status !== LogStatus.OK)
      throw logError(status, { path: this.#path, address: this.#dataOffset + cursor });
  }

  #look(): { readonly committed: number; readonly cursor: number } {
    this.#checkOpen();
    this.#native.look();
    return { committed: this.#box[OUT_COMMITTED] as number, cursor: this.#box[OUT_CURSOR] as number };
  }

  #limits(options: BatchOptions | undefined): { messages: number; bytes: number; checks: boolean } {
    if (options === undefined) return { messages: MESSAGES, bytes: BYTES, checks: this.#debugChecks };
    const given = optionsOf(options, 'a batch', '{ maxMessages, maxBytes, debugChecks }');
    const { maxMessages = MESSAGES, maxBytes = BYTES } = given;
    const debugChecks = checkFlag('debugChecks', given.debugChecks, this.#debugChecks);
    if (!(Number.isInteger(maxMessages) && maxMessages >= 1)) {
      throw rangeError(`maxMessages is an integer of at least 1, got ${describeValue(maxMessages)}`);
    }
    if (!(Number.isInteger(maxBytes) && maxBytes >= 0)) {
      throw rangeError(`maxBytes is an integer of at least 0, got ${describeValue(maxBytes)}`);
    }
    return { messages: maxMessages, bytes: maxBytes, checks: debugChecks };
  }

  #checkOpen(): void {
    if (this.#isClosed) throw iteratorClosedError(this.#path);
  }
}
