/**
 * The seam between TypeScript and the core. Hot calls take their arguments from and leave their results in a
 * mailbox of doubles (`box`), because an argument costs more than the whole rest of such a call.
 */

/** Refusal of a cold function; `kind` says which class of error it becomes. */
export interface NativeFault {
  readonly fault: 'type' | 'range' | 'header' | 'file' | 'format' | 'locked' | 'busy';
  readonly message: string;
}

export interface NativeFieldType {
  readonly name: string;
  readonly tag: number;
  readonly kind: 'unsigned' | 'signed' | 'float' | 'bool' | 'ref' | 'fixed' | 'text' | 'json' | 'array';
  /** Bytes in the slot, 0 for `fixed_bytes`. */
  readonly width: number;
  /** Bytes of one element of the payload, 0 for types without one. */
  readonly elementSize: number;
}

/** A schema as the core lays it out: for each field five numbers: tag, flags, byte offset, width, nullable bit (−1 without). */
export interface NativeSchema {
  readonly fields: Int32Array;
  readonly stride: number;
}

export interface NativeGeometry {
  readonly indexCapacity: number;
  readonly heapCapacity: number;
  readonly recordStride: number;
  readonly headerSize: number;
  readonly heapStart: number;
  readonly totalBytes: number;
}

export interface NativeHeader extends NativeSchema {
  readonly names: string[];
  readonly geometry: NativeGeometry;
  /** JSON text: `{"columns":[…], …}`. */
  readonly metadata: string;
}

export interface NativeWriter {
  readonly header: NativeHeader;
  readonly box: Float64Array;
  /** Ends of the records' payloads in the present run, counted from the run's heap. */
  readonly ends: Uint32Array;
  /** Private memory for one record: its slot, then its payloads. */
  readonly scratch: Uint8Array;

  /** Hands over `IN_DONE` records of the last run (their `ends`), then asks for the next run. → Status */
  reserve(): number;
  /** Hands over `IN_DONE` records and publishes the batch. → Status */
  publish(): number;
  abandon(): void;
  /** Publishes the record in `scratch`: `IN_HEAP_BYTES` of payloads behind the slot, `IN_ALIGNMENT`. → Status */
  publishRecord(): number;
  /**
   * The same, with `IN_INSERT_BYTES` of a typed array as a payload behind the first `IN_INSERT_AT` bytes of those in
   * `scratch`. → Status
   */
  publishAround(payload: ArrayBufferView): number;
  /**
   * Takes a batch given by columns and checks it; until `closeColumns` the caller keeps all of it, and nothing of it may
   * change its length. By field: `forms` 0 left out, 1 values one behind the other, 2 payloads likewise with offsets, 3 a
   * list of typed arrays, 4 more where there are validity bits; the rest as that says. → 0, or what is wrong
   * ({@link ColumnFaultCode}): `OUT_COUNT` the field, `OUT_SEQ` the record, `OUT_BYTES` what it takes
   */
  openColumns(
    forms: Uint8Array,
    values: readonly unknown[],
    offsets: readonly (Int32Array | undefined)[],
    validities: readonly (Uint32Array | undefined)[],
    count: number,
  ): number;
  /** Writes the open columns until they are published. → Status: WOULD_BLOCK to be called again once there is room */
  stepColumns(): number;
  closeColumns(): void;
  /**
   * UTF-8 of texts that stand one behind the other in `text`, each by itself, into `target` from `at` on, which has room
   * for 3 bytes a unit. `count` of `ends` from `first` on say where they end in `text`, and then where in `target`.
   * → bytes written
   */
  encodeTexts(
    text: string,
    ends: Int32Array,
    first: number,
    count: number,
    target: Uint8Array,
    at: number,
  ): number;
  /** Sleeps at most `IN_MILLIS` for room. → Status OK, WOULD_BLOCK when the time is over, CLOSED when the process ends */
  awaitSpace(): number;
  /** UTF-8 of a string into the present run's heap at `IN_AT` bytes from the buffer's start. The caller makes sure of room for 3 × length + 1 bytes. → bytes written */
  putText(text: string): number;
  /** The same into `scratch`. */
  putScratchText(text: string): number;
  /** The same where no byte is to spare. */
  putExactText(text: string): number;
  /** Copies a typed array into the run's heap to `IN_AT`. → its bytes, copied only if they end before `IN_END`. */
  putBytes(value: ArrayBufferView): number;
  putScratchBytes(value: ArrayBufferView): number;
  /** Looks for room for a moment, 50 µs at most. → whether there is any */
  spin(): boolean;
  /** Registers for wake-ups of this thread's loop and announces the wait; test `hasSpace` behind it. */
  arm(): void;
  /** Registers likewise for the end of writing only, by an abort or a newer writer; test `state` behind it. */
  watch(): void;
  disarm(): void;
  /** Whether the announced wait was signalled since the last call. */
  fired(): boolean;
  hasSpace(): boolean;

  /** → Status; `OUT_SEQ` the first position, `OUT_SLOT` its slot's byte offset. */
  claimSlots(count: number): number;
  commitSlots(fromSeq: number, count: number): number;
  /** Byte offset of a slot in the buffer. */
  slotOffset(seq: number): number;
  /** → Status; `OUT_HEAP` the offset from the heap's start. */
  claimHeap(bytes: number, alignment: number): number;
  commitHeap(): number;

  begin(): number;
  finalize(): number;
  abort(reason: string): number;
  reset(): number;
  close(): void;
  /** OK, or why writing is over. */
  state(): number;
  abortReason(): string;
  /** records, bytes, stalls, nanoseconds stalled, queue depth, consumer waits */
  stats(): number[];
}

/** Of a filter: a field's index with its lowest and highest value, or with its handles. */
export type NativeCondition =
  | readonly [field: number, low: number | bigint, high: number | bigint]
  | readonly [field: number, handles: Uint32Array];

export interface NativeView {
  readonly header: NativeHeader;
  readonly box: Float64Array;

  /** One look past `IN_AFTER`. Latches the end of the stream; leaves what `refresh` leaves. → progress */
  check(): number;
  /**
   * Waits at most `IN_MILLIS` for `check` to be more than pending; CLOSED also where the process ends. `IN_AGAIN` is 1
   * where this goes on with a wait that is counted already. → progress
   */
  wait(): number;
  /** Looks as `check` does for a moment, 50 µs at most, until it is more than pending. → progress */
  spin(): number;
  /** Enters the present stream. */
  enter(): void;
  /** `OUT_COMMITTED`, `OUT_WINDOW`, `OUT_SAFE`, `OUT_EPOCH`, `OUT_GATE` (low word) of the stream that the view is in. → Status OK, or RESET, or GONE */
  refresh(): number;
  /** Releases below `IN_UP_TO`, with the token `IN_TOKEN` unless it is −1. → Status; refreshes like `refresh`. */
  acknowledge(): number;
  arm(): void;
  disarm(): void;
  /** Whether the announced wait was signalled since the last call. */
  fired(): boolean;

  /** `start`: 0 oldest, 1 latest, 2 `seq`. → Status; `OUT_TOKEN`. */
  registerConsumer(start: number, seq: number): number;
  releaseConsumer(token: number): number;
  committedCount(): number;
  effectiveReadCursor(): number;
  status(): number;
  producerStatus(): number;
  errorReason(): string;
  signalAbort(reason: string): void;
  /** → Status; `OUT_SEQ` the position or −1. */
  findFirst(field: number, key: number | bigint): number;
  /**
   * Texts of a field from record `seq` on in one string, at most to what is committed. `ends` takes, for each of the
   * `OUT_COUNT` records, where its text ends in UTF-16 units; bit 31 marks an absent value.
   */
  gatherText(field: number, seq: number, ends: Uint32Array): string;
  /** Text of a field of a record in private memory (as `snapshot` made it). */
  recordText(field: number, record: Uint8Array, ends: Uint32Array): string;
  /**
   * Copies a record that the producer may overwrite: its slot, then the payloads, with pointers that count from
   * behind the slot. → Status (BEHIND where it was not intact to the end); `OUT_BYTES` what it takes. Nothing is
   * copied where `target` is smaller.
   */
  snapshot(seq: number, target: Uint8Array): number;
  /** Records of the window that fulfil all conditions. → bits, `OUT_SEQ` the first one's record, `OUT_COUNT`; or a Status */
  filter(conditions: readonly NativeCondition[]): Uint32Array<ArrayBuffer> | number;
  /**
   * Ranges of numeric fields over the records whose bits are set. → three numbers a field that has values: its index,
   * lowest, highest; or a Status (PAST_COMMITTED where a bit's record is not committed)
   */
  ranges(bits: Uint32Array, start: number, count: number): (number | bigint)[] | number;
  /**
   * Gathers columns of the records from <= seq < to. Of each field `targets` holds what takes the values, or of one with a
   * payload the n + 1 offsets (Int32Array); `validities` a Uint32Array or nothing. `summaries` takes two numbers a field:
   * bytes of the payloads, absent values. → Status (NOT_COMMITTED, BEHIND with `OUT_SEQ` the oldest intact record)
   */
  gatherColumns(
    from: number,
    to: number,
    fields: Uint32Array,
    targets: readonly ArrayBufferView[],
    validities: readonly (Uint32Array | undefined)[],
    summaries: Float64Array,
  ): number;
  /** Copies the payloads of a target of the last `gatherColumns`, as its offsets say. Once for each. → Status likewise */
  gatherPayloads(target: number, values: ArrayBufferView): number;
  /**
   * Copies what the first field holds in the records from `IN_FROM` to before `IN_UP_TO`, without its first `IN_SKIP`
   * bytes, one behind the other into `target` from `IN_AT` on, as far as there is room. The caller holds the records.
   * → bytes copied; `OUT_SEQ` and `OUT_SKIP` say what comes next
   */
  copyBytes(target: Uint8Array): number;
  /** 1: if this thread ends while the view is open and nobody else is registered, the producer is stopped. */
  guard(on: number): void;
  /** records produced, bytes produced, producer stalls, their nanoseconds, consumer waits, queue depth */
  stats(): number[];
  close(): void;
}

/** What `openColumns` finds wrong. */
export const ColumnFaultCode = {
  NONE: 0,
  WRONG_FORM: 1,
  TOO_SHORT: 2,
  BAD_OFFSETS: 3,
  TOO_LONG: 4,
  HEAP_TOO_SMALL: 5,
} as const;

/** Numbers of the core, by the names under which `constants.ts` exports them. */
export type NativeConstants = Readonly<Record<string, number>>;

/** Something with pending asynchronous waits. */
export interface Waiter {
  /** This thread's loop was woken, for this waiter or for others: it tests its waits again if it was for this one. */
  woken(): void;
}

/** Places in the mailboxes: what a call takes and what it leaves. */
export type BoxPlace =
  | 'IN_DONE'
  | 'IN_REMAINING'
  | 'IN_NEED_ANYWHERE'
  | 'IN_NEED_AT_START'
  | 'IN_HINT'
  | 'IN_PARTIAL'
  | 'IN_HEAP_BYTES'
  | 'IN_ALIGNMENT'
  | 'IN_INSERT_AT'
  | 'IN_INSERT_BYTES'
  | 'IN_MILLIS'
  | 'IN_AT'
  | 'IN_END'
  | 'OUT_SLOT'
  | 'OUT_SLOT_COUNT'
  | 'OUT_HEAP'
  | 'OUT_HEAP_BYTES'
  | 'OUT_PUBLISHED'
  | 'OUT_SEQ'
  | 'IN_AFTER'
  | 'IN_UP_TO'
  | 'IN_TOKEN'
  | 'IN_AGAIN'
  | 'IN_SKIP'
  | 'IN_FROM'
  | 'OUT_PROGRESS'
  | 'OUT_COMMITTED'
  | 'OUT_WINDOW'
  | 'OUT_SAFE'
  | 'OUT_EPOCH'
  | 'OUT_GATE'
  | 'OUT_TOKEN'
  | 'OUT_COUNT'
  | 'OUT_BYTES'
  | 'OUT_SKIP'
  | 'IN_BYTES'
  | 'IN_MESSAGES'
  | 'IN_CHECKS'
  | 'OUT_NEXT'
  | 'OUT_ROOM'
  | 'OUT_BASE'
  | 'OUT_CURSOR'
  | 'IN_KEY'
  | 'IN_TICKET'
  | 'IN_VERSION'
  | 'IN_JOINS'
  | 'IN_PRESENT'
  | 'IN_WRITER'
  | 'IN_PLACE'
  | 'OUT_VERSION'
  | 'OUT_WRITER'
  | 'OUT_TICKET'
  | 'OUT_OTHERS'
  | 'OUT_JOINS'
  | 'OUT_PLACE';

/** Answers of hot calls; anything but OK has changed nothing that others can see. */
export type StatusName =
  | 'OK'
  | 'WOULD_BLOCK'
  | 'ABORTED'
  | 'FENCED'
  | 'CLOSED'
  | 'ENDED'
  | 'CLAIMS_OPEN'
  | 'BATCH_OPEN'
  | 'OUT_OF_ORDER'
  | 'UNSATISFIABLE'
  | 'HEAP_TOO_SMALL'
  | 'POSITION_LIMIT'
  | 'BUSY'
  | 'RESET'
  | 'PAST_COMMITTED'
  | 'BEHIND'
  | 'NOT_COMMITTED'
  | 'BAD_TOKEN'
  | 'TOKEN_REQUIRED'
  | 'NO_VACANT_SLOT'
  | 'BAD_FIELD'
  | 'GONE';

/** Answers of a log's calls. */
/** Answers of a registry's table. */
export type RegistryStatusName =
  | 'OK'
  | 'QUEUED'
  | 'GRANTED'
  | 'NO_ROOM'
  | 'GROWN'
  | 'JOINED'
  | 'NOT_HELD'
  | 'BUSY'
  | 'CORRUPT';

export type LogStatusName =
  | 'OK'
  | 'NONE'
  | 'CLOSED'
  | 'GONE'
  | 'CORRUPT'
  | 'CURSOR'
  | 'TOO_SMALL'
  | 'TOO_LARGE'
  | 'FULL'
  | 'FILE';

/** What a wait has come to. */
export type ProgressName = 'PENDING' | 'READY' | 'ENDED' | 'RESET' | 'CLOSED' | 'GONE';

export interface NativeLogOptions {
  readonly path: string;
  readonly writable: boolean;
  readonly capacity: number;
  readonly maxCapacity: number;
  readonly maxFrameBytes: number;
  readonly checksum: boolean;
  /** Milliseconds between flushes; 0 flushes each commit, less flushes never. */
  readonly durability: number;
}

/** Addresses are bytes from the file's start. Frames' calls answer with a LogStatus. */
export interface NativeLog {
  readonly headerSize: number;
  readonly dataOffset: number;
  /** Bytes of a frame in front of its payload, and besides it. */
  readonly lead: number;
  readonly overhead: number;
  readonly maxPayload: number;
  readonly maxCapacity: number;
  /** Bytes of address space that the file may come to fill. */
  readonly reserved: number;
  /** Frames of one call at most. */
  readonly maxFrames: number;
  readonly checked: boolean;
  /** Tells the file from another one of the same name; 0n in a log without. */
  readonly identity: bigint;
  /** Whether a commit is a store to the committed size, and nothing else. */
  readonly commitsInMemory: boolean;
  /** Bytes of the header at which the committed size is, and the waiters' flags, −1 in a log without. */
  readonly sizeAt: number;
  readonly waitersAt: number;
  readonly box: Float64Array;
  /** Payload lengths that `adopt` takes; of a writable log. */
  readonly lengths: Uint32Array;

  /** Absolute end of the committed frames. */
  committed(): number;
  /** An ArrayBuffer over the mapping, which it keeps; it ends with the file. → undefined outside of it */
  window(address: number, bytes: number): ArrayBuffer | undefined;
  /** Copies what lies at an address. What was copied counts only if the answer is OK. */
  copy(target: Uint8Array, address: number): number;
  /** Bytes of the payload of the frame at an address; −1 where there is none. */
  frameAt(address: number): number;

  /** Lays out a frame of `IN_BYTES`; `IN_CHECKS`. Leaves its address in `OUT_BASE`, and `OUT_NEXT`, `OUT_ROOM` as all calls of the writer do; who moves them
   * has laid frames out up to there. */
  allocate(): number;
  commit(): number;
  /** Room for `IN_BYTES` of payload in `IN_MESSAGES` frames; grows the file. */
  reserve(): number;
  /** Commits `IN_MESSAGES` frames whose payloads, of `lengths`, lie in place from `OUT_NEXT` on. */
  adopt(): number;
  flush(): number;
  /** Wakes who waits for a commit. */
  wake(): void;
  closeWriter(): number;
  /** What the system said. */
  faultMessage(): string;
  /** Of a log that is not closed. */
  openReader(): NativeLogReader;
  /** Lets go of the file. */
  close(): void;
}

export interface NativeLogReader {
  readonly box: Float64Array;
  /** Of the last frames: where each payload begins, from `OUT_BASE` on, and its bytes. */
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;

  /** At most `IN_MESSAGES` frames of `IN_BYTES` payload, `IN_CHECKS`. Leaves `OUT_BASE`, `OUT_BYTES`, `OUT_COUNT`, `OUT_CURSOR`. */
  next(): number;
  previous(): number;
  /** To `IN_FROM`. */
  seek(): number;
  /** Leaves `OUT_COMMITTED` and `OUT_CURSOR`. → 1 if the next read has frames or a fault */
  look(): number;
  /** Lets go of the file. */
  close(): void;
  /** Has commits wake this thread's loop until `disarm`. → 0 where the system has no thread for it */
  arm(): number;
  disarm(): void;
  fired(): boolean;
}

/** A file that nobody else has locked. */
export interface NativeFileLock {
  /** Gives the lock back. */
  release(): void;
}

/** A thread's place in a registry. Calls answer with a RegistryStatus unless told. */
export interface NativeRegistry {
  /** This member's number, which no other member ever has. */
  readonly serial: number;
  readonly box: Float64Array;
  /** Of the last scan: key and version of each. */
  readonly found: Float64Array;

  /** Of `IN_KEY`: `OUT_VERSION` (0: no value), `OUT_WRITER` who published it. */
  look(): number;
  /** Queues for `IN_KEY`; leaves `OUT_TICKET`. → OK: it holds the lock; QUEUED */
  claim(): number;
  /** Takes `IN_TICKET` out of its queue. → GRANTED where it is too late */
  withdraw(): number;
  /** → the next ticket that was given its lock, or 0 */
  nextGrant(): number;
  /** A new version for `IN_TICKET`: `OUT_VERSION`, `OUT_JOINS`, `OUT_OTHERS` members besides this one. */
  reserve(): number;
  /** `IN_TICKET`, `IN_VERSION`, `IN_JOINS`, `IN_PRESENT` 0 for none. → JOINED where the value has to be sent again */
  publish(): number;
  release(): number;
  /**
   * Whether what `IN_WRITER` has sent of `IN_KEY` is its published state: `OUT_COUNT`, 1 or 0. `IN_VERSION`, `IN_JOINS`,
   * `IN_PRESENT` as the writer had them; publishes that where the writer has not come to it.
   */
  accept(): number;
  /** Keys with values from `IN_PLACE` on: `OUT_COUNT` of them in `found`; `OUT_PLACE`, past the end where none came. */
  scan(): number;
  /** Leaves serial, thread and whether it is ready of as many members as go in; `OUT_COUNT` says how many there are. */
  members(into: Uint32Array): number;
  /** This member has received what was there. */
  ready(): void;
  /** Looks how large the memory is now. → bytes */
  resize(): number;
  /** Whether a member has left, or has received what there was, since the last call. The next one wakes this loop again. */
  firedChanges(): boolean;
  /** Likewise, whether locks were given to this one. */
  firedGrants(): boolean;
  leave(): void;
}

export interface NativeModule {
  /** Hash of the sources that the addon was built from. */
  readonly abi: string;
  readonly constants: NativeConstants;
  readonly fieldTypes: readonly NativeFieldType[];
  readonly status: Readonly<Record<StatusName, number>>;
  readonly progress: Readonly<Record<ProgressName, number>>;
  readonly logStatus: Readonly<Record<LogStatusName, number>>;
  readonly registryStatus: Readonly<Record<RegistryStatusName, number>>;
  readonly box: Readonly<Record<BoxPlace, number>>;

  /** `specs`: three numbers a field: tag, flags, length. */
  buildSchema(names: string[], specs: Uint32Array): NativeSchema | NativeFault;
  /** Binary schema of laid-out fields, checked as a header's would be. */
  encodeSchema(fields: Int32Array, stride: number): Uint8Array | NativeFault;
  decodeSchema(bytes: Uint8Array, stride: number): NativeSchema | NativeFault;
  fingerprint(bytes: Uint8Array): number;
  /** `metadataBytes`: room wanted for names and meta together, 0 for as little as possible. */
  computeGeometry(
    names: string[],
    schemaBytes: Uint8Array,
    stride: number,
    indexCapacity: number,
    heapCapacity: number,
    metadataBytes: number,
  ): NativeGeometry | NativeFault;
  /** `members`: JSON text of further metadata members, without braces. → undefined, or why not */
  writeHeader(
    buffer: Uint8Array,
    names: string[],
    schemaBytes: Uint8Array,
    geometry: NativeGeometry,
    members: string,
  ): NativeFault | undefined;
  /** The memory of the strand in a file; with what its header is to say it is made where there is none. */
  openStrandFile(
    path: string,
    names?: string[],
    schemaBytes?: Uint8Array,
    geometry?: NativeGeometry,
    members?: string,
  ): ArrayBuffer | NativeFault;
  readHeader(buffer: Uint8Array): NativeHeader | NativeFault;
  heapStart(indexCapacity: number, recordStride: number, headerSize: number): number;
  computeTotalBytes(
    indexCapacity: number,
    recordStride: number,
    heapCapacity: number,
    headerSize: number,
  ): number;

  /** Set bits. */
  countBits(words: Uint32Array): number;
  /** Takes from `target` what `source` has not, as far as both go. */
  intersectBits(target: Uint32Array, source: Uint32Array): void;
  /** Adds to `target` what `source` has, as far as both go. */
  uniteBits(target: Uint32Array, source: Uint32Array): void;
  /** Whether all values lie below `limit`, which is 2^31 at most. */
  allBelow(values: Uint32Array, limit: number): boolean;

  /** Copies the bytes of `source` to `target`, as far as both go. */
  copyBytes(target: ArrayBufferView, source: ArrayBufferView): void;

  /** Takes a strand over, waiting at most `millis` for a busy writer. → the writer, BUSY as a number, or a fault */
  openWriter(buffer: Uint8Array, millis: number): NativeWriter | NativeFault | number;
  openView(buffer: Uint8Array): NativeView | NativeFault;
  openLog(options: NativeLogOptions): NativeLog | NativeFault;
  /** → undefined where somebody else has it */
  takeFileLock(path: string): NativeFileLock | NativeFault | undefined;

  /** Bytes that a registry of so many keys takes. */
  registryBytes(keys: number): number;
  /** Makes an empty table of zeroed memory. `id`: 16 random bytes. */
  initRegistry(table: Uint8Array, id: Uint8Array): void;
  /** → undefined for bytes that are no table */
  registryId(table: Uint8Array): Uint8Array | undefined;
  /** Becomes a member. `table` is as long as its growing buffer. → or a RegistryStatus */
  openRegistry(table: Uint8Array, thread: number): NativeRegistry | number;

  /** Set by `waits.ts` for all copies of it that a thread loads. */
  waiters?: Set<Waiter>;
  /** Likewise: reasons to keep the thread's loop alive. */
  loopHolds?: number;
  /** What this thread's loop calls when something that it waits for may have happened. Once per thread. */
  onWake(callback: () => void): void;
  /** Whether pending waits keep this thread's loop alive. */
  holdLoop(hold: boolean): void;
  /** Ends every native wait of the process, for good. */
  beginShutdown(): void;
}
