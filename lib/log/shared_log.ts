import { describeValue } from '../describe_value.js';
import { argumentError, StrandClosedError } from '../errors.js';
import type { NativeLog } from '../native_types.js';
import { checkSignal, optionsOf } from '../options.js';
import { WeakCollection } from '../weak_collection.js';
import { FrameMemory } from './frame_memory.js';
import { LogHeader } from './log_header.js';
import { type BatchOptions, type IteratorOptions, ShmIterator } from './shm_iterator.js';
import { ShmWriter } from './shm_writer.js';

export interface TailOptions {
  /** Where to begin: at the oldest frame unless given, at what comes from now on, or at a cursor. */
  readonly from?: 'oldest' | 'latest' | bigint;
  /** Ends the loop with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly debugChecks?: boolean;
}

/** How a log's frames are laid out. Fixed when its file is made. */
export interface LogFormat {
  /** Of the two lengths of a frame: 16 or 32. */
  readonly frameLengthBits: number;
  readonly checksum: 'crc32c' | false;
  /** The largest payload. */
  readonly maxFrameBytes: number;
  /** Bytes that the file may grow to. */
  readonly maxCapacityBytes: number;
}

/** Hexadecimal digits of an identity. */
const IDENTITY_DIGITS = 16;

/** @internal */
export interface LogParts {
  readonly log: NativeLog;
  readonly path: string;
  readonly writable: boolean;
  readonly zeroCopy: boolean;
  readonly debugChecks: boolean;
}

/** A log file, open in this thread. */
export class SharedLog {
  /** `headerSize`, `dataOffset` and `size` as they are now. */
  readonly header: LogHeader;
  readonly format: LogFormat;
  /**
   * 16 hexadecimal digits, drawn at random when the file was made, so that another file of the same name has others. Keep
   * them beside a cursor that is to outlive the process: it means nothing in a log of another identity. Undefined for a log
   * with the plain header, or of a version that gave none.
   */
  readonly identity: string | undefined;
  /** Of a log that was opened `writable`. */
  readonly writer: ShmWriter | undefined;
  readonly #native: NativeLog;
  readonly #parts: LogParts;
  readonly #iterators = new WeakCollection<ShmIterator>();
  #isClosed = false;

  /** @internal */
  constructor(parts: LogParts) {
    const { log, path, writable, debugChecks } = parts;
    this.#native = log;
    this.#parts = parts;
    const memory = this.#memory();
    this.header = new LogHeader(log, memory);
    this.format = {
      frameLengthBits: 8 * (log.overhead - log.lead),
      checksum: log.checked && 'crc32c',
      maxFrameBytes: log.maxPayload,
      maxCapacityBytes: log.maxCapacity,
    };
    this.identity = log.identity === 0n ? undefined : hexOf(log.identity);
    this.writer = writable ? new ShmWriter(log, memory, { path, debugChecks }) : undefined;
  }

  /** Another reader of this log, at its first frame or at `startCursor`. */
  createIterator(options?: IteratorOptions): ShmIterator {
    const { startCursor } = optionsOf(options, 'createIterator', '{ startCursor }');
    const { path, debugChecks } = this.#parts;
    if (this.#isClosed) throw new StrandClosedError(`the log '${path}' was closed: open it again`);
    const iterator = new ShmIterator({
      reader: this.#native.openReader(),
      memory: this.#memory(),
      path,
      dataOffset: this.#native.dataOffset,
      debugChecks,
    });
    this.#iterators.add(iterator);
    if (startCursor !== undefined) iterator.seek(startCursor);
    return iterator;
  }

  /**
   * Frames as they come, without an end: `for await (const frame of log.tail())`. Waiting keeps the process alive. Leaving
   * the loop ends it; closing the log and `signal` do with an error.
   */
  tail(options?: TailOptions): AsyncGenerator<Buffer, void, undefined> {
    const {
      from = 'oldest',
      signal,
      debugChecks,
    } = optionsOf(options, 'tail', '{ from, signal, debugChecks }');
    const checked = checkSignal(signal);
    if (from !== 'oldest' && from !== 'latest' && typeof from !== 'bigint') {
      throw argumentError(`tail begins from 'oldest', 'latest' or a cursor, got ${describeValue(from)}`);
    }
    // What comes from now on, not from when the loop asks first.
    const iterator = this.createIterator();
    if (from !== 'oldest') iterator.seek(from === 'latest' ? iterator.committedSize() : from);
    return follow(iterator, debugChecks === undefined ? {} : { debugChecks }, checked);
  }

  /** Closes the writer, with what its durability promises, and all iterators. Buffers stay readable. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const iterator of this.#iterators) iterator.close();
    try {
      this.writer?.close();
    } finally {
      this.#native.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Of the file's own bytes for who may write to them, else copies. */
  #memory(): FrameMemory {
    const { log, path, writable, zeroCopy } = this.#parts;
    return new FrameMemory(log, path, writable || zeroCopy);
  }
}

/** A log that was opened for writing. */
export interface WritableSharedLog extends SharedLog {
  readonly writer: ShmWriter;
}

function hexOf(identity: bigint): string {
  return identity.toString(16).padStart(IDENTITY_DIGITS, '0');
}

async function* follow(
  iterator: ShmIterator,
  batch: BatchOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  using _ = iterator;
  for (;;) {
    signal?.throwIfAborted();
    const frames = iterator.nextLargest(batch);
    if (frames.length > 0) yield* frames;
    else await iterator.wait(signal === undefined ? {} : { signal });
  }
}
