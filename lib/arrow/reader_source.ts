import type * as Arrow from 'apache-arrow';
import type { StrandView } from '../view.js';
import type { BatchSource } from './batch_source.js';

type Result = IteratorResult<Arrow.RecordBatch, undefined>;

const DONE: Result = { done: true, value: undefined };

/**
 * What a `RecordBatchReader` of Arrow asks of the source behind it, over a view. `closed`, `autoDestroy` and the order
 * of calls mean what they mean for a reader of IPC bytes.
 */
export class ReaderSource implements AsyncIterableIterator<Arrow.RecordBatch> {
  readonly schema: Arrow.Schema;
  /** Whether leaving a loop closes the reader. */
  autoDestroy = true;
  closed = false;
  numRecordBatches = 0;

  readonly #batches: BatchSource;
  readonly #records: AsyncGenerator<{ readonly from: number; readonly to: number }, void, undefined>;
  readonly #signal: AbortSignal | undefined;
  readonly #ended = new AbortController();
  readonly #onAbort = (): void => this.#ended.abort(this.#signal?.reason);

  constructor(
    view: StrandView,
    batches: BatchSource,
    signal: AbortSignal | undefined,
    maxRecords: number | undefined,
  ) {
    this.schema = batches.schema;
    this.#batches = batches;
    this.#signal = signal;
    // Ended by cancel(), too, which must not wait behind a read that waits for records.
    this.#records = view.batches({ signal: this.#ended.signal, maxRecords });
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get dictionaries(): Map<number, Arrow.Vector> {
    return this.#batches.dictionaries;
  }

  get numDictionaries(): number {
    return this.dictionaries.size;
  }

  isSync(): boolean {
    return false;
  }

  isAsync(): boolean {
    return true;
  }

  isFile(): boolean {
    return false;
  }

  isStream(): boolean {
    return true;
  }

  async open(options?: { autoDestroy?: boolean }): Promise<this> {
    if (!this.closed) this.autoDestroy = options?.autoDestroy ?? true;
    return this;
  }

  async next(): Promise<Result> {
    if (this.closed) return DONE;
    try {
      const { done, value: range } = await this.#records.next();
      if (!done) {
        const batch = this.#batches.read(range.from, range.to);
        this.numRecordBatches++;
        return { done: false, value: batch };
      }
      if (this.closed) return DONE;
      // Who writes or collects batches learns the schema from one.
      const last = this.numRecordBatches === 0 ? this.#batches.empty() : undefined;
      await this.cancel();
      if (last === undefined) return DONE;
      this.numRecordBatches++;
      return { done: false, value: last };
    } catch (error) {
      // cancel() has ended the wait.
      if (this.closed) return DONE;
      await this.cancel();
      throw error;
    }
  }

  async return(): Promise<Result> {
    if (this.autoDestroy) await this.cancel();
    return DONE;
  }

  /** As a generator's: whoever reads throws an error into it. */
  async throw(error?: unknown): Promise<Result> {
    await this.cancel();
    throw error;
  }

  async cancel(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#ended.abort();
    await this.#records.return();
  }

  /** A view has one stream to read. */
  reset(): this {
    return this;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
