import type { Bitset } from './bitset.js';
import { planOf } from './codec/plan.js';
import type { ReadWindow } from './codec/read_window.js';
import type { RecordSource } from './codec/record_source.js';
import { ColumnReader } from './columns/column_reader.js';
import type {
  ColumnOut,
  ColumnsRead,
  ColumnValues,
  PackedColumnsRead,
  ReadColumnsOptions,
} from './columns/types.js';
import { CTRL_GATE } from './constants.js';
import { cursorOf, type RecordCursor } from './cursor.js';
import { describeValue } from './describe_value.js';
import { type ConsumerStart, Drain } from './drain.js';
import { argumentError, rangeError, StrandCapacityError, StrandClosedError } from './errors.js';
import { fieldTypeNamed, type OrderableType } from './field_types.js';
import { type Filtered, filterView, rangesOfView } from './filter.js';
import { expectSchema, mapOf } from './header.js';
import { fits64Bits } from './integer.js';
import { internTableOf } from './metadata.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import type { NativeView } from './native_types.js';
import { checkSignal, optionsOf } from './options.js';
import { isPosition } from './position.js';
import type { FilterableType, PredicateOf, PredicatesOf, RangesOf } from './predicate.js';
import { RecordBatch } from './record_batch.js';
import type { NamesOf, Schema } from './schema_types.js';
import { asBytes, type StrandLike, schemaOfShared } from './shared_bytes.js';
import type { SharedStrand } from './shared_strand.js';
import { Status, statusError } from './status_error.js';
import type { Strand } from './strand.js';
import type { StrandMap } from './strand_map.js';
import { ViewWaits, type WaitOptions } from './view_waits.js';
import { WeakCollection } from './weak_collection.js';

const { IN_UP_TO, IN_TOKEN, OUT_COMMITTED, OUT_WINDOW, OUT_SAFE, OUT_EPOCH, OUT_GATE, OUT_SEQ, OUT_TOKEN } =
  native.box;

/** State of a stream. */
export type StreamStatus = 'initializing' | 'streaming' | 'eos' | 'error';

const STATUS_NAMES: readonly StreamStatus[] = ['initializing', 'streaming', 'eos', 'error'];

const NO_TOKEN = -1;

/** Where a registered consumer starts. */
const START = { oldest: 0, latest: 1, seq: 2 } as const;

export interface StrandViewOptions<S extends Schema = Schema> {
  /** The schema that the consumer is written for: another one in the buffer is a `StrandHeaderError`. */
  readonly schema?: S;
  /** Strings of the `utf8_ref` fields, by handle; unless given those of the header's meta. */
  readonly internTable?: readonly string[];
}

export interface BatchesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Records of one batch at most. */
  readonly maxRecords?: number | undefined;
}

export interface ViewStats {
  /** Records and bytes (slots and payloads) published since the strand was created. */
  readonly recordsProduced: number;
  readonly bytesProduced: number;
  /** The producer's waits for room, and how long they took together. */
  readonly producerStalls: number;
  readonly producerStallNanoseconds: number;
  /** Waits of all consumers for records that were not there at once. */
  readonly consumerWaits: number;
  /** Records that the slowest consumer has not released. */
  readonly queueDepth: number;
}

/** A consumer of a strand. */
export class StrandView<S extends Schema = Schema> implements Disposable {
  /** Geometry, schema and metadata of the strand. */
  readonly map: StrandMap<S>;

  readonly #native: NativeView;
  // Hot by itself: the engine looks properties of the native object up in a dictionary.
  readonly #acknowledge: () => number;
  readonly #box: Float64Array;
  readonly #window: ReadWindow;
  readonly #waits: ViewWaits;
  readonly #columns: ColumnReader;

  /**
   * @param options a list of strings is the intern table
   * @throws StrandHeaderError the buffer holds no valid strand, or one of another schema
   * @throws StrandError `ERR_STRAND_FILE` the file of a shared strand that the system does not give
   */
  constructor(
    strand: Strand<S> | SharedStrand<S> | StrandLike,
    options: StrandViewOptions<S> | readonly string[] = {},
  ) {
    const { schema, internTable } = viewOptions<S>(options);
    const bytes = asBytes(strand);
    this.#native = unwrap(native.openView(bytes));
    ({ box: this.#box, acknowledge: this.#acknowledge } = this.#native);
    for (const wanted of [schema, schemaOfShared(strand)]) {
      if (wanted !== undefined) expectSchema(this.#native.header, wanted);
    }
    this.map = mapOf(this.#native.header) as StrandMap<S>;
    const table = internTable ?? internTableOf(this.map);
    this.#window = {
      native: this.#native,
      ring: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      plan: planOf(this.#native.header),
      words: new Int32Array(bytes.buffer, bytes.byteOffset, CTRL_GATE + 1),
      epoch: 0,
      gate: 0,
      safe: 0,
      committed: 0,
      internTable: table,
      refresh: () => this.#refresh(),
      cursors: new WeakCollection<RecordSource>(),
    };
    this.#waits = new ViewWaits(this.#native, () => this.#takeWindow());
    this.#columns = new ColumnReader(this.#native, this.#window.plan, () => this.#window.internTable);
    this.#refresh();
  }

  /** Allocates a cursor. Cursors share the view; allocate once and reuse. */
  allocateCursor(): RecordCursor<S> {
    return cursorOf<S>(this.#window);
  }

  /** Replaces the strings of the `utf8_ref` fields, for all cursors. */
  updateInternTable(table: readonly string[]): void {
    this.#window.internTable = checkTable(table);
    for (const cursor of this.#window.cursors) cursor.internTable = table;
  }

  /**
   * Waits for records past `after`. Any number of waits may be pending; each keeps the event loop alive. With 0 the
   * view enters a stream that was begun by `reset()`.
   *
   * @param options a time limit in milliseconds, or that and a signal
   * @returns how many records are committed: once that is more than `after`, at the end of the stream, on an error, or
   *   after the time
   * @throws StrandResetError the stream that the wait belongs to was reset
   * @throws StrandClosedError the view was closed
   * @throws StrandError `ERR_SHM_MAPPING_GONE` the file of a shared strand was cut
   */
  waitForCommit(after: number, options?: number | WaitOptions): Promise<number> {
    return this.#waits.wait(after, options);
  }

  /**
   * The same, blocking this thread: it spins for a moment, then sleeps. For workers; `terminate()` and
   * `process.exit()` end it.
   */
  waitForCommitSync(after: number, timeoutMs = Number.POSITIVE_INFINITY): number {
    return this.#waits.waitSync(after, timeoutMs);
  }

  /**
   * Releases every record below `upTo` to the producer.
   *
   * @param token of the registered consumer; needed while any is registered
   * @throws RangeError a position that is not committed or lies below what was acknowledged before; a token that is
   *   not live; a missing token
   * @throws StrandResetError the stream was reset
   */
  acknowledgeRead(upTo: number, token?: number): void {
    if (!isPosition(upTo)) {
      throw rangeError(`acknowledgeRead takes a position, got ${describeValue(upTo)}`);
    }
    const status = this.#acknowledgeAs(upTo, token === undefined ? NO_TOKEN : checkToken(token));
    if (status !== Status.OK) throw this.#acknowledgeError(status, upTo);
  }

  /**
   * Registers a consumer, for whose acknowledgements the producer then waits as for those of the seven others at most.
   *
   * @param options where to start: at the oldest record that nobody has released (default), behind the latest, or at a
   *   position between them, `committedCount` for who wants to know where that is
   * @returns its token, good in this thread
   */
  registerConsumer(options?: { from?: ConsumerStart }): number {
    const from: unknown = optionsOf(options, 'registerConsumer', "like { from: 'latest' }").from ?? 'oldest';
    let start: number;
    if (from === 'oldest' || from === 'latest') start = START[from];
    else if (isPosition(from)) start = START.seq;
    else
      throw argumentError(
        `a consumer starts from 'oldest', 'latest' or a position, got ${describeValue(from)}`,
      );
    const status = this.#native.registerConsumer(start, typeof from === 'number' ? from : 0);
    this.#refresh();
    if (status === Status.NO_VACANT_SLOT) {
      throw new StrandCapacityError('8 consumers are registered, the most there can be: release one');
    }
    if (status === Status.PAST_COMMITTED || status === Status.BEHIND) {
      throw rangeError(
        `a consumer can start from ${this.effectiveReadCursor}, the oldest record that nobody has released, to ` +
          `${this.committedCount}, the committed ones, not at ${from}`,
      );
    }
    this.#mustBeOk(status);
    return this.#box[OUT_TOKEN] as number;
  }

  /**
   * Ends a registration. The position of the last consumer to go becomes the common one.
   *
   * @throws RangeError a token that is not live
   */
  releaseConsumer(token: number): void {
    const status = this.#native.releaseConsumer(checkToken(token));
    this.#refresh();
    this.#mustBeOk(status);
  }

  /** Strings of the `utf8_ref` fields, by handle; undefined where nobody has given any. */
  get internTable(): readonly string[] | undefined {
    return this.#window.internTable;
  }

  /** Position up to which records are released: the slowest consumer's. */
  get effectiveReadCursor(): number {
    return this.#native.effectiveReadCursor();
  }

  /** Records committed in the present stream. */
  get committedCount(): number {
    return this.#native.committedCount();
  }

  /** The oldest record whose slot is intact. */
  get windowStart(): number {
    this.#refresh();
    return this.#box[OUT_WINDOW] as number;
  }

  /**
   * The stream's state. `'eos'` shows once a wait of this view has returned the final count, or the view has
   * acknowledged it, so that a loop which reads, acknowledges and then looks never loses a record.
   */
  get status(): StreamStatus {
    return STATUS_NAMES[this.#native.status()] as StreamStatus;
  }

  /** The state as the producer has set it, for monitors. */
  get producerStatus(): StreamStatus {
    return STATUS_NAMES[this.#native.producerStatus()] as StreamStatus;
  }

  /** Why the stream is in error; null without an error, or without a reason. */
  get error(): string | null {
    return this.#native.errorReason() || null;
  }

  /**
   * Lower bound in a field that the schema flags as sorted: ascending the first record with a value of at least `value`,
   * descending the first with one of at most `value`. A null counts as less than every number.
   *
   * @param value a number, for 64-bit fields also a bigint
   * @returns the record's position, −1 where there is none
   * @throws TypeError a field that is unknown, not sorted or not numeric
   */
  findFirst<const N extends NamesOf<S, OrderableType>>(field: N, value: number | bigint): number {
    const index = this.map.schema.fields.findIndex(({ name }) => name === field);
    const found = this.map.schema.fields[index];
    if (found === undefined) throw argumentError(`the schema has no field ${describeValue(field)}`);
    const wide = fieldTypeNamed(found.type)?.width === 8;
    if (typeof value !== 'number' && !(typeof value === 'bigint' && wide)) {
      throw argumentError(
        `field '${field}' is searched for a number${wide ? ' or bigint' : ''}, got ${describeValue(value)}`,
      );
    }
    // Doubles are compared with integers of 64 bits exactly; of larger ones the core knows only that they are larger.
    if (typeof value === 'bigint' && found.type === 'f64' && !fits64Bits(value)) {
      throw rangeError(
        `field '${field}' is searched for a number or a bigint of 64 bits, got ${describeValue(value)}`,
      );
    }
    const status = this.#native.findFirst(index, value);
    if (status === Status.BAD_FIELD) {
      throw argumentError(
        `field '${field}' cannot be searched: it must be numeric and declared with sorted: 'asc' or 'desc'`,
      );
    }
    this.#mustBeOk(status);
    return this.#box[OUT_SEQ] as number;
  }

  /**
   * Which records of the window, those from `windowStart` to what is committed, fulfil a predicate: one native pass over
   * their slots. Values are compared as the numbers they are, so bounds need not be values of the field's type: 0.1 is
   * no `f32`, and equals none. A null fulfils nothing.
   *
   * @returns bits with `start` and `count`: bit j is record `start + j`. Records that the producer overwrites during the
   *   call have none
   * @throws TypeError an unknown field, or a predicate that the field's type does not take
   * @throws StrandResetError the stream was reset
   */
  getFilterBitset<const N extends NamesOf<S, FilterableType>>(
    field: N,
    predicate: PredicateOf<S, NoInfer<N>>,
  ): Bitset;
  /** The records that fulfil all of several fields' predicates, in the same single pass; every record for none. */
  getFilterBitset(predicates: PredicatesOf<S>): Bitset;
  getFilterBitset(asked: unknown, predicate?: unknown): Bitset {
    return filterView(this.#filtered(), asked, predicate);
  }

  /**
   * Smallest and largest value of every numeric field over the records whose bits are set. Nulls, NaN and infinities do
   * not count, nor do records that the producer has overwritten since; a field without any value is left out.
   *
   * @param bitset as a filter of this view gave it, or a set made of such; plain words begin at record 0
   * @throws RangeError bits of records that are not committed; a bitset of a stream that was reset
   */
  getConstrainedRanges(bitset: Uint32Array): RangesOf<S> {
    return rangesOfView(this.#filtered(), bitset) as RangesOf<S>;
  }

  /**
   * Values of one field in the records from <= seq < to: numbers as a typed array of the field's type (`bool8` as 0 and
   * 1), everything else as a list. All of it belongs to the caller; arrays and bytes lie in one buffer of their own.
   * Where a value is absent, a list holds null and a typed array 0.
   *
   * @param out what takes the values: a typed array with room, of which the used part is returned, or an array, which
   *   takes the range's length; or `{ values, validity }`, whose `validity` takes a bit for each record, 1 = present
   * @throws RangeError records that are not committed, or may have been overwritten (the message names the oldest intact
   *   one); an `out` too small
   * @throws TypeError an unknown field, an `out` of another class
   * @throws StrandResetError the stream was reset
   * @throws StrandClosedError the view was closed
   */
  readColumn<const N extends NamesOf<S>>(
    field: N,
    from: number,
    to: number,
    out?: ColumnOut<S, N>,
  ): ColumnValues<S, N> {
    return this.#columns.column(field, from, to, out) as ColumnValues<S, N>;
  }

  /**
   * Several columns of the records from <= seq < to, by their fields' names, each with its `values` as
   * {@link readColumn} gives them and, where the field is nullable, its `validity`. Errors as there.
   *
   * @param fields names; all fields where undefined
   * @param options.packed gives the columns as Apache Arrow lays them out: payloads one behind the other with `offsets`,
   *   `utf8_ref` as handles, `fixed_bytes` flat. `validity` then also comes with a field that is not nullable, where
   *   JSON, bytes or arrays were left out. More than 2^31 - 1 bytes of payload in one column are a RangeError
   */
  readColumns<const N extends NamesOf<S> = NamesOf<S>>(
    fields: readonly N[] | undefined,
    from: number,
    to: number,
    options: ReadColumnsOptions & { readonly packed: true },
  ): PackedColumnsRead<S, N>;
  readColumns<const N extends NamesOf<S> = NamesOf<S>>(
    fields: readonly N[] | undefined,
    from: number,
    to: number,
    options?: { readonly packed?: false | undefined },
  ): ColumnsRead<S, N>;
  readColumns<const N extends NamesOf<S> = NamesOf<S>>(
    fields: readonly N[] | undefined,
    from: number,
    to: number,
    options?: ReadColumnsOptions,
  ): ColumnsRead<S, N> | PackedColumnsRead<S, N>;
  readColumns<const N extends NamesOf<S> = NamesOf<S>>(
    fields: readonly N[] | undefined,
    from: number,
    to: number,
    options: ReadColumnsOptions = {},
  ): ColumnsRead<S, N> | PackedColumnsRead<S, N> {
    return this.#columns.columns(fields, from, to, options) as ColumnsRead<S, N>;
  }

  /** Wakes and stops the producer. Stays in force until its `reset()`. @param reason at most 104 bytes */
  signalAbort(reason = ''): void {
    if (typeof reason !== 'string') throw argumentError(`a reason is a string, got ${describeValue(reason)}`);
    this.#native.signalAbort(reason);
  }

  stats(): ViewStats {
    const [
      recordsProduced = 0,
      bytesProduced = 0,
      producerStalls = 0,
      nanos = 0,
      consumerWaits = 0,
      queueDepth = 0,
    ] = this.#native.stats();
    return {
      recordsProduced,
      bytesProduced,
      producerStalls,
      producerStallNanoseconds: nanos,
      consumerWaits,
      queueDepth,
    };
  }

  /**
   * Drains the stream, a batch of committed records at a time, from the oldest that nobody has released. A batch is
   * acknowledged when the loop asks for the next; where other consumers are registered the loop registers itself. Ends
   * at the end of the stream; delivers what was committed before an error, then throws it.
   */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch<S>, void, undefined> {
    return this.batches();
  }

  /**
   * The same with limits. A loop that is left, by `break` or by an error, leaves the batch at hand unacknowledged and
   * ends its registration.
   *
   * @param options.signal ends the loop with its reason
   * @param options.maxRecords of one batch; unless given all that are committed come together
   */
  batches(options?: BatchesOptions): AsyncGenerator<RecordBatch<S>, void, undefined> {
    const { signal, maxRecords } = optionsOf(options, 'batches', '{ signal, maxRecords }');
    return this.#batches(checkSignal(signal), checkMaxRecords(maxRecords));
  }

  async *#batches(
    signal: AbortSignal | undefined,
    maxRecords: number,
  ): AsyncGenerator<RecordBatch<S>, void, undefined> {
    signal?.throwIfAborted();
    const cursor = this.allocateCursor();
    const drain = this.drain();
    try {
      for (;;) {
        const committed = await drain.next(drain.seq, signal);
        if (committed === drain.seq) return;
        while (drain.seq < committed) {
          signal?.throwIfAborted();
          const to = Math.min(committed, drain.seq + maxRecords);
          yield new RecordBatch(cursor, drain.seq, to);
          drain.release(to);
        }
      }
    } finally {
      drain.close();
    }
  }

  /** @internal While on, as often as off, the end of this thread stops the producer, unless other consumers are registered. */
  guard(on: boolean): void {
    this.#native.guard(on ? 1 : 0);
  }

  /** @internal Copies payloads one behind the other; `native_types.ts` says how. */
  get bytes(): Pick<NativeView, 'box' | 'copyBytes'> {
    return this.#native;
  }

  /** @internal A consumer's way through the stream. @param from registers it, to start there */
  drain(from?: ConsumerStart): Drain {
    return new Drain(
      this as unknown as StrandView,
      {
        native: this.#native,
        window: this.#window,
        waits: this.#waits,
        acknowledge: (upTo) => this.#acknowledgeAs(upTo, NO_TOKEN),
      },
      from,
    );
  }

  /** Ends this view's waits and releases its tokens. */
  close(): void {
    this.#native.close();
    this.#waits.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** → Status */
  #acknowledgeAs(upTo: number, token: number): number {
    const box = this.#box;
    box[IN_UP_TO] = upTo;
    box[IN_TOKEN] = token;
    const status = this.#acknowledge();
    this.#takeWindow();
    return status;
  }

  /** Takes over what the core left in the mailbox. */
  #takeWindow(): void {
    const window = this.#window;
    window.gate = compact(this.#box[OUT_GATE] as number);
    const epoch = compact(this.#box[OUT_EPOCH] as number);
    window.safe = compact(this.#box[OUT_SAFE] as number);
    window.committed = compact(this.#box[OUT_COMMITTED] as number);
    if (epoch !== window.epoch) {
      window.epoch = epoch;
      for (const cursor of window.cursors) cursor.leave();
    }
  }

  #refresh(): number {
    const status = this.#native.refresh();
    this.#takeWindow();
    return status;
  }

  #filtered(): Filtered {
    const { internTable, epoch } = this.#window;
    return { native: this.#native, fields: this.map.schema.fields, internTable, epoch };
  }

  #mustBeOk(status: number): void {
    if (status !== Status.OK) throw statusError(status, () => '');
  }

  #acknowledgeError(status: number, upTo: number): Error {
    switch (status) {
      case Status.PAST_COMMITTED:
        return rangeError(`${upTo} cannot be acknowledged: ${this.committedCount} records are committed`);
      case Status.BEHIND:
        return rangeError(
          `${upTo} cannot be acknowledged: more was acknowledged before, and nothing is taken back`,
        );
      case Status.TOKEN_REQUIRED:
        return rangeError(
          'consumers are registered: acknowledge with the token that registerConsumer() returned',
        );
      case Status.CLOSED:
        return new StrandClosedError('the view was closed');
      default:
        return statusError(status, () => '');
    }
  }
}

/** A number from the mailbox as the engine's small integer where it is one: comparing those takes half the time. */
function compact(value: number): number {
  const integer = value | 0;
  return integer === value ? integer : value;
}

function viewOptions<S extends Schema>(
  options: StrandViewOptions<S> | readonly string[],
): StrandViewOptions<S> {
  if (Array.isArray(options)) return { internTable: checkTable(options) };
  if (typeof options !== 'object' || options === null) {
    throw argumentError(`a view takes options or an intern table, got ${describeValue(options)}`);
  }
  const { schema, internTable } = options as StrandViewOptions<S>;
  return { ...(schema && { schema }), ...(internTable && { internTable: checkTable(internTable) }) };
}

function checkTable(table: unknown): readonly string[] {
  if (!Array.isArray(table))
    throw argumentError(`an intern table is a list of strings, got ${describeValue(table)}`);
  const other = table.findIndex((entry) => typeof entry !== 'string');
  if (other >= 0) {
    throw argumentError(
      `an intern table is a list of strings, got ${describeValue(table[other])} at ${other}`,
    );
  }
  return table;
}

function checkMaxRecords(maxRecords: unknown): number {
  if (maxRecords === undefined) return Number.POSITIVE_INFINITY;
  if (isPosition(maxRecords) && maxRecords > 0) return maxRecords;
  throw rangeError(`maxRecords is a whole number of records from 1, got ${describeValue(maxRecords)}`);
}

function checkToken(token: unknown): number {
  if (typeof token !== 'number' || !Number.isSafeInteger(token) || token < 0) {
    throw rangeError(`a token is what registerConsumer() returned, got ${describeValue(token)}`);
  }
  return token;
}
