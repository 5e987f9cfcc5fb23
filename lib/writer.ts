import { encoderOf, measure } from './codec/encoder.js';
import type { Encoder, Stash } from './codec/encoder_helpers.js';
import { planOf, type RecordPlan } from './codec/plan.js';
import { Sink } from './codec/sink.js';
import { ColumnEncoder } from './columns/column_encoder.js';
import type { ColumnsOf } from './columns/types.js';
import { describeValue } from './describe_value.js';
import {
  argumentError,
  noteRecordsWritten,
  rangeError,
  StrandBusyError,
  StrandCapacityError,
} from './errors.js';
import { expectSchema, mapOf } from './header.js';
import { internTableOf } from './metadata.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import type { NativeWriter } from './native_types.js';
import { checkSignal, optionsOf } from './options.js';
import type { RecordOf, Schema } from './schema_types.js';
import { asBytes, type StrandLike, schemaOfShared } from './shared_bytes.js';
import type { SharedStrand } from './shared_strand.js';
import { SpaceWait } from './space_wait.js';
import { reentrantError, Status, statusError } from './status_error.js';
import type { Strand } from './strand.js';
import type { StrandMap } from './strand_map.js';
import { breathe, SLICE_MILLIS } from './waits.js';
import { WriteQueue } from './write_queue.js';

const {
  IN_DONE,
  IN_REMAINING,
  IN_NEED_ANYWHERE,
  IN_NEED_AT_START,
  IN_HINT,
  IN_PARTIAL,
  IN_HEAP_BYTES,
  IN_ALIGNMENT,
  IN_MILLIS,
  OUT_SLOT,
  OUT_SLOT_COUNT,
  OUT_HEAP,
  OUT_HEAP_BYTES,
  OUT_PUBLISHED,
  OUT_SEQ,
} = native.box;

/** How long attaching waits for an older writer that is filling slots, and in what steps. */
const BUSY_PATIENCE_MILLIS = 1000;

const U32_MAX = 0xffff_ffff;

/** Heap bytes expected of a payload before any was seen. */
const FIRST_PAYLOAD_BYTES = 32;

export interface StrandWriterOptions<S extends Schema = Schema> {
  /** The schema that the writer is written for: another one in the buffer is a `StrandHeaderError`. */
  readonly schema?: S;
}

export interface WriterStats {
  /** Records and bytes (slots and payloads) published since the strand was created. */
  readonly recordsProduced: number;
  readonly bytesProduced: number;
  /** Waits for room, and how long they took together. */
  readonly stalls: number;
  readonly stallNanoseconds: number;
  /** Waits of all consumers for records that were not there at once. */
  readonly consumerWaits: number;
  /** Records that the slowest consumer has not released. */
  readonly queueDepth: number;
}

export interface SlotClaim {
  /** Byte offset of the slot in the buffer. */
  readonly slotOffset: number;
  /** The record's position. */
  readonly seq: number;
}

export interface HeapClaim {
  /** Byte offset from the heap's start. */
  readonly physOffset: number;
  /** The value to store in the slot. */
  readonly monoOffset: number;
}

/** What a batch has come to between two waits for room. */
class BatchProgress {
  next = 0;
  /** Records of the present run that are encoded. */
  done = 0;
  count = 0;
  base = 0;
  stashed = false;
  constructor(
    readonly records: readonly unknown[],
    readonly length: number,
  ) {}
}

/**
 * The producer of a strand, one at a time: a new writer takes the strand over from an older one.
 *
 * Records become visible to consumers when a write returns. Writes block while the ring or its heap is full; on a
 * thread whose event loop must go on, use {@link writeRecordBatchAsync} or {@link tryWriteRecordBatch}.
 */
export class StrandWriter<S extends Schema = Schema> implements Disposable {
  /** Geometry, schema and metadata of the strand. */
  readonly map: StrandMap<S>;

  readonly #native: NativeWriter;
  // Hot calls by themselves: the engine looks properties of the native object up in a dictionary.
  readonly #publishRecord: () => number;
  readonly #publishAround: (payload: ArrayBufferView) => number;
  readonly #reserveRun: () => number;
  readonly #publishBatch: () => number;
  readonly #state: () => number;
  readonly #box: Float64Array;
  readonly #ends: Uint32Array;
  readonly #plan: RecordPlan;
  readonly #encoder: Encoder;
  readonly #ring: Sink;
  readonly #scratch: Sink;
  readonly #stash: Stash = [];
  readonly #columns: ColumnEncoder;
  #busy = false;
  /** The batch that makes it busy waits for room, or is about to go on. */
  #awaitsRoom = false;
  readonly #hasTexts: boolean;
  #bytesPerRecord: number;
  /** Asynchronous batches that are not through, and the wait of the first one for room. */
  readonly #queue = new WriteQueue();
  readonly #space: SpaceWait;

  /**
   * Attaches, rolls back what an older writer claimed and did not commit, and fences that writer.
   *
   * @throws StrandHeaderError the buffer holds no valid strand, or one of another schema
   * @throws StrandBusyError the older writer was filling slots for a whole second; nothing has changed
   * @throws StrandError `ERR_STRAND_FILE` the file of a shared strand that the system does not give
   */
  constructor(strand: Strand<S> | SharedStrand<S> | StrandLike, options?: StrandWriterOptions<S>) {
    const { schema } = optionsOf(options, 'a writer', '{ schema }');
    const bytes = asBytes(strand);
    // All that can be refused comes before the older writer is fenced.
    const header = unwrap(native.readHeader(bytes));
    for (const wanted of [schema, schemaOfShared(strand)]) {
      if (wanted !== undefined) expectSchema(header, wanted);
    }
    this.map = mapOf(header) as StrandMap<S>;
    const table = internTableOf(this.map);
    this.#native = openWriter(bytes);
    ({
      box: this.#box,
      ends: this.#ends,
      publishRecord: this.#publishRecord,
      publishAround: this.#publishAround,
      reserve: this.#reserveRun,
      publish: this.#publishBatch,
      state: this.#state,
    } = this.#native);
    this.#space = new SpaceWait(this.#native);
    this.#plan = planOf(this.#native.header);
    // Of equal strings the first one's handle counts.
    const handles = table && new Map(table.map((text, handle) => [text, handle] as const).reverse());
    this.#encoder = encoderOf(this.#plan, handles);
    this.#columns = new ColumnEncoder(this.#native, this.#plan, handles);
    this.#ring = Sink.overRing(bytes, this.#native);
    this.#scratch = Sink.overScratch(this.#native);
    this.#hasTexts = this.#plan.fields.some(({ type }) => type.kind === 'text' || type.kind === 'json');
    this.#bytesPerRecord =
      this.#plan.fields.filter((f) => f.type.elementSize > 0).length * FIRST_PAYLOAD_BYTES;
    this.#box[IN_ALIGNMENT] = this.#plan.alignment;
    this.#box[IN_MILLIS] = SLICE_MILLIS;
  }

  /** Sets the status `streaming` and wakes consumers. */
  begin(): void {
    this.#check(this.#idle().begin());
  }

  /**
   * Writes records, blocking while there is no room. At most `index_capacity` records whose payloads take at most half
   * the heap become visible in one step, and none of them after an error; a larger batch may become visible in steps,
   * and its error then carries `recordsWritten`.
   *
   * @throws TypeError, RangeError, StrandCapacityError a value, with its field and record
   * @throws StrandAbortError a consumer has signalled an abort
   */
  writeRecordBatch(records: readonly RecordOf<S>[]): void {
    const batch = this.#open(records);
    try {
      let status = this.#step(batch);
      while (status === Status.WOULD_BLOCK) {
        this.#sleep();
        status = this.#step(batch);
      }
      this.#check(status);
    } catch (error) {
      this.#giveUp(error, batch.length);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Writes a batch given by columns: a typed array of the field's own class or a list of its values, packed
   * `{ offsets, values }` for values of different lengths, `{ values, validity }` for either with a bit for each record,
   * 1 = present. What `readColumns` gives can be written back. A column left out stands for values that are left out.
   * Everything is checked before anything is written; visibility, waiting and errors are those of
   * {@link writeRecordBatch}.
   *
   * @param count how many records: the columns may be longer. Needed only without any column
   * @throws TypeError an unknown column, another class of typed array, a value of the wrong kind
   * @throws RangeError columns of different lengths, fewer values than `count`, a value outside its field's limits
   * @throws StrandCapacityError a value too long for its field, or a record for the heap
   * @throws StrandAbortError a consumer has signalled an abort
   */
  writeColumns(columns: ColumnsOf<S>, count?: number): void {
    this.#idle();
    this.#check(this.#state());
    this.#begin();
    let records = 0;
    try {
      records = this.#columns.open(columns, count);
      this.#check(this.#block(() => this.#native.stepColumns()));
    } catch (error) {
      this.#giveUp(error, records);
    } finally {
      this.#columns.close();
      this.#busy = false;
    }
  }

  /** Writes one record, blocking while there is no room. Errors as of {@link writeRecordBatch}. */
  write(record: RecordOf<S>): void {
    this.#writeOne(record, true);
  }

  /** Writes one record if there is room, and never blocks. @returns whether it was written */
  tryWrite(record: RecordOf<S>): boolean {
    return this.#writeOne(record, false);
  }

  /**
   * Writes as many of the records as there is room for, in order, and never blocks.
   *
   * @returns how many were written
   */
  tryWriteRecordBatch(records: readonly RecordOf<S>[]): number {
    const batch = this.#open(records);
    try {
      const status = this.#step(batch, true);
      if (status === Status.WOULD_BLOCK) this.#check(this.#publish(batch.done));
      else this.#check(status);
      return this.#box[OUT_PUBLISHED] as number;
    } catch (error) {
      this.#giveUp(error, batch.length);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * As {@link writeRecordBatch}, waiting without blocking the event loop. Calls queue up; until the last one is through,
   * the writer takes no other writes.
   *
   * @param options.signal ends the wait for room with its reason; what is visible by then stays
   */
  async writeRecordBatchAsync(
    records: readonly RecordOf<S>[],
    options?: { signal?: AbortSignal },
  ): Promise<void> {
    const given = optionsOf(options, 'writeRecordBatchAsync', '{ signal }');
    const signal = checkSignal(given.signal);
    return this.#queue.add(() => this.#writeAsync(records, signal), signal);
  }

  /**
   * Claims the next slot for direct writing, blocking while the ring is full. Its validity bitmap is cleared, the rest
   * holds what an older record left.
   */
  claimSlot(): SlotClaim {
    return this.claimSlots(1)[0] as SlotClaim;
  }

  /**
   * Claims a run of slots.
   *
   * @throws RangeError a count that is no integer from 1, or that own uncommitted claims leave no room for
   */
  claimSlots(count: number): readonly SlotClaim[] {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw rangeError(`claimSlots takes a whole number of slots from 1, got ${describeValue(count)}`);
    }
    const writer = this.#idle();
    // The core counts slots in 32 bits.
    const claim = () => writer.claimSlots(Math.min(count, U32_MAX));
    const status = this.#block(claim);
    if (status === Status.UNSATISFIABLE) {
      throw rangeError(
        `${count} slots can never be claimed: the ring has ${this.map.index_capacity}, and uncommitted claims take theirs: ` +
          'commit first, or claim fewer',
      );
    }
    this.#check(status);
    const first = this.#box[OUT_SEQ] as number;
    return Array.from({ length: count }, (_, i) => ({
      seq: first + i,
      slotOffset: writer.slotOffset(first + i),
    }));
  }

  /** Publishes a claimed slot. Slots are committed in the order of their claims. */
  commitSlot(seq: number): void {
    this.commitSlots(seq, 1);
  }

  /** @throws RangeError a run that does not start at the oldest uncommitted claim, or is longer than the claims */
  commitSlots(fromSeq: number, count: number): void {
    const writer = this.#idle();
    const valid = Number.isSafeInteger(fromSeq) && fromSeq >= 0 && Number.isSafeInteger(count) && count > 0;
    const status = valid ? writer.commitSlots(fromSeq, count) : Status.OUT_OF_ORDER;
    if (status === Status.OUT_OF_ORDER) {
      throw rangeError(
        `slots are committed in the order of their claims; ${describeValue(fromSeq)} and ${describeValue(count)} more are ` +
          'not the oldest uncommitted ones',
      );
    }
    this.#check(status);
  }

  /**
   * Claims heap bytes for a payload of the next slot that is committed, blocking while there is no room.
   *
   * @param alignment of the payload's address in the buffer: 1, 2, 4 or 8
   * @throws StrandCapacityError more than the heap holds, together with what is claimed and not committed
   */
  claimHeapBytes(byteLength: number, alignment = 1): HeapClaim {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
      throw rangeError(`claimHeapBytes takes a whole number of bytes, got ${describeValue(byteLength)}`);
    }
    if (![1, 2, 4, 8].includes(alignment)) {
      throw rangeError(`the alignment is 1, 2, 4 or 8, got ${describeValue(alignment)}`);
    }
    const writer = this.#idle();
    const status = this.#block(() => writer.claimHeap(byteLength, alignment));
    if (status === Status.HEAP_TOO_SMALL) {
      throw new StrandCapacityError(
        `${byteLength} bytes can never be claimed: the heap holds ${this.map.heap_capacity}, and uncommitted claims take ` +
          "theirs: give the strand a larger heap, or claim a record's payloads at once",
      );
    }
    this.#check(status);
    const offset = this.#box[OUT_HEAP] as number;
    return { physOffset: offset, monoOffset: offset };
  }

  /**
   * States that the claimed heap bytes are filled; the next slot that is committed publishes them.
   *
   * @throws RangeError called behind the `commitSlot` that published them
   */
  commitHeap(): void {
    const status = this.#idle().commitHeap();
    if (status === Status.OUT_OF_ORDER) {
      throw rangeError('commitHeap() comes before the commitSlot() that publishes the bytes');
    }
    this.#check(status);
  }

  /**
   * Ends the stream: consumers see `'eos'` once they have read everything. An error stays an error. Calling it again
   * changes nothing.
   */
  finalize(): void {
    this.#check(this.#idle().finalize());
  }

  /** Sets the status `error`; the reason (at most 104 bytes) reaches the consumers. */
  abort(reason = ''): void {
    const text = reasonText(reason);
    this.#mustNotEncode();
    this.#check(this.#native.abort(text));
    this.#space.lookAgain();
  }

  /**
   * Begins a fresh stream on the same buffer: every position is zero again, consumer tokens are void, an abort is
   * cleared, and everybody who waits is woken.
   */
  reset(): void {
    this.#check(this.#idle().reset());
  }

  /** @internal Behind a `tryWrite…` that found no room: settles when there may be, or when `signal` aborts. One at a time. */
  waitForRoom(signal: AbortSignal): Promise<void> {
    return this.#space.wait(signal);
  }

  /**
   * @internal Calls `onOver` if an abort or a newer writer ends this one's work while it is idle.
   * @returns what ends the watch
   */
  watch(onOver: (error: Error) => void): () => void {
    this.#space.watch(() => onOver(this.#error(this.#state())));
    return () => this.#space.unwatch();
  }

  stats(): WriterStats {
    const [
      recordsProduced = 0,
      bytesProduced = 0,
      stalls = 0,
      stallNanoseconds = 0,
      queueDepth = 0,
      consumerWaits = 0,
    ] = this.#native.stats();
    return { recordsProduced, bytesProduced, stalls, stallNanoseconds, consumerWaits, queueDepth };
  }

  /** Lets go of the strand. A stream that is not ended becomes an error. */
  close(): void {
    this.#mustNotEncode();
    this.#space.unwatch();
    this.#native.close();
    this.#space.lookAgain();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A batch that only waits for room may be ended; one whose records' own code is running may not. */
  #mustNotEncode(): void {
    if (this.#busy && !this.#awaitsRoom) throw reentrantError();
  }

  /** The native writer, for calls that no batch may interrupt. */
  #idle(): NativeWriter {
    if (this.#busy || this.#queue.length > 0) throw reentrantError();
    return this.#native;
  }

  #error(status: number): Error {
    return statusError(status, () => this.#native.abortReason());
  }

  #check(status: number): void {
    if (status !== Status.OK) throw this.#error(status);
  }

  /** Sleeps until there may be room. */
  #sleep(): void {
    let status: number;
    do {
      status = this.#native.awaitSpace();
      breathe();
    } while (status === Status.WOULD_BLOCK);
    this.#check(status);
  }

  #block(call: () => number): number {
    let status = call();
    while (status === Status.WOULD_BLOCK) {
      this.#sleep();
      status = call();
    }
    return status;
  }

  #open(records: readonly unknown[], queued = 0): BatchProgress {
    if (this.#busy || this.#queue.length > queued) throw reentrantError();
    if (!Array.isArray(records)) {
      throw argumentError(`a batch is an array of records, got ${describeValue(records)}`);
    }
    this.#check(this.#state());
    const batch = new BatchProgress(records, records.length);
    this.#begin();
    return batch;
  }

  #begin(): void {
    this.#box[OUT_PUBLISHED] = 0;
    this.#busy = true;
  }

  /** Hands over what is encoded and asks for the next run. */
  #reserve(batch: BatchProgress, partial: boolean): number {
    const box = this.#box;
    let atStart = 0;
    let anywhere = 0;
    if (batch.stashed) {
      const { heapStart } = this.#ring;
      ({ atStart, anywhere } = measure(
        this.#plan,
        this.#stash,
        batch.next,
        heapStart,
        this.map.heap_capacity,
      ));
    }
    box[IN_DONE] = batch.done;
    box[IN_REMAINING] = batch.length - batch.next;
    box[IN_PARTIAL] = partial ? 1 : 0;
    box[IN_NEED_AT_START] = atStart;
    box[IN_NEED_ANYWHERE] = anywhere;
    box[IN_HINT] = Math.ceil((batch.length - batch.next) * this.#bytesPerRecord * 1.25) + 3 * anywhere;
    batch.done = 0;
    const status = this.#reserveRun();
    if (status === Status.OK) {
      batch.count = Math.min(box[OUT_SLOT_COUNT] as number, batch.length - batch.next);
      batch.base = box[OUT_HEAP] as number;
      const sink = this.#ring;
      sink.slot = box[OUT_SLOT] as number;
      sink.heap = batch.base;
      sink.heapEnd = batch.base + (box[OUT_HEAP_BYTES] as number);
    }
    return status;
  }

  /**
   * Encodes into runs until the batch is published or has to wait.
   *
   * @returns WOULD_BLOCK to be called again once there may be room, OK when the batch is published
   */
  #step(batch: BatchProgress, partial = false): number {
    const sink = this.#ring;
    const ends = this.#ends;
    while (batch.next < batch.length) {
      const status = this.#reserve(batch, partial);
      if (status !== Status.OK) return status;
      if (batch.stashed) {
        if (!this.#encoder.stashed(sink, this.#stash, batch.next)) continue;
        batch.stashed = false;
        this.#encoded(batch, 1, ends);
      }
      const wanted = batch.count - batch.done;
      const stored = this.#encoder.run(
        sink,
        batch.records,
        batch.next,
        wanted,
        batch.done === 0 ? ends : ends.subarray(batch.done),
        batch.base,
        this.#stash,
      );
      batch.done += stored;
      batch.next += stored;
      batch.stashed = stored < wanted;
    }
    // A batch of nothing is none in the core, which would tell of the one before.
    return batch.next === 0 ? Status.OK : this.#publish(batch.done, batch);
  }

  #encoded(batch: BatchProgress, count: number, ends: Uint32Array): void {
    ends[batch.done] = this.#ring.heap - batch.base;
    this.#ring.slot += this.#plan.stride;
    batch.done += count;
    batch.next += count;
  }

  #publish(done: number, batch?: BatchProgress): number {
    this.#box[IN_DONE] = done;
    if (batch !== undefined && this.#plan.needsHeap && done > 0) {
      const average = (this.#ring.heap - batch.base) / done;
      this.#bytesPerRecord += (average - this.#bytesPerRecord) / 4;
    }
    return this.#publishBatch();
  }

  #giveUp(error: unknown, length: number): never {
    const stepwise = length > this.map.index_capacity;
    this.#native.abandon();
    const written = this.#box[OUT_PUBLISHED] as number;
    if (written > 0 || stepwise) noteRecordsWritten(error, written);
    throw error;
  }

  /** → false where there is no room and the call must not block */
  #writeOne(record: RecordOf<S>, blocks: boolean): boolean {
    if (this.#busy || this.#queue.length > 0) throw reentrantError();
    if (Array.isArray(record)) {
      throw argumentError('write takes one record, got an array: writeRecordBatch takes an array of records');
    }
    // Texts that would not fit scratch go into the ring at once: trying costs a third of copying 64 KiB.
    if (this.#hasTexts && this.#bytesPerRecord > this.#scratch.u8.length) {
      if (!blocks) return this.tryWriteRecordBatch([record]) === 1;
      this.writeRecordBatch([record]);
      return true;
    }
    this.#busy = true;
    try {
      const sink = this.#scratch;
      sink.rewindScratch();
      if (this.#encoder.one(sink, record, 0, this.#stash)) {
        if (this.#plan.needsHeap) this.#box[IN_HEAP_BYTES] = sink.scratchHeapBytes;
        const { inserted } = sink;
        let status = inserted === undefined ? this.#publishRecord() : this.#publishAround(inserted);
        while (status === Status.WOULD_BLOCK && blocks) {
          this.#sleep();
          status = inserted === undefined ? this.#publishRecord() : this.#publishAround(inserted);
        }
        if (inserted !== undefined) sink.forgetInserted();
        if (status === Status.OK) return true;
        if (status === Status.WOULD_BLOCK) return false;
        throw this.#error(status);
      }
    } finally {
      this.#busy = false;
    }
    return this.#writeStashed(blocks);
  }

  /** The stashed record, whose payloads are too large for scratch, as a batch of its own. */
  #writeStashed(blocks: boolean): boolean {
    const batch = this.#open([undefined]);
    batch.stashed = true;
    try {
      const status = blocks ? this.#block(() => this.#step(batch)) : this.#step(batch);
      if (status === Status.WOULD_BLOCK) {
        this.#native.abandon();
        return false;
      }
      this.#check(status);
      return true;
    } catch (error) {
      this.#giveUp(error, batch.length);
    } finally {
      this.#busy = false;
    }
  }

  async #writeAsync(records: readonly unknown[], signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const batch = this.#open(records, this.#queue.length);
    try {
      let status = this.#step(batch);
      while (status === Status.WOULD_BLOCK) {
        this.#awaitsRoom = true;
        // Until the very moment in which it goes on: whoever comes between may end it.
        try {
          await this.#space.wait(signal);
        } finally {
          this.#awaitsRoom = false;
        }
        status = this.#step(batch);
      }
      this.#check(status);
    } catch (error) {
      this.#giveUp(error, batch.length);
    } finally {
      this.#busy = false;
    }
  }
}

function openWriter(bytes: Uint8Array): NativeWriter {
  const deadline = performance.now() + BUSY_PATIENCE_MILLIS;
  for (;;) {
    const writer = unwrap(native.openWriter(bytes, SLICE_MILLIS));
    if (typeof writer !== 'number') return writer;
    if (performance.now() >= deadline) {
      throw new StrandBusyError(
        'the present writer was filling slots for a whole second; nothing has changed: commit its claims, or try again',
      );
    }
    breathe();
  }
}

function reasonText(reason: unknown): string {
  if (typeof reason !== 'string') throw argumentError(`a reason is a string, got ${describeValue(reason)}`);
  return reason;
}
