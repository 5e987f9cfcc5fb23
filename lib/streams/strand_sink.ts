import { noteRecordsWritten, type StrandErrorDetails } from '../errors.js';
import type { StrandWriter } from '../writer.js';
import type { ChunkLayout } from './chunk_layout.js';
import type { ChunkSink } from './chunk_sink.js';
import type { StreamStats } from './stream_stats.js';

export interface StrandSinkOptions<T> {
  readonly writer: StrandWriter;
  readonly layout: ChunkLayout<T>;
  /** Whether the writer ends with the sink. */
  readonly ownsWriter: boolean;
  /** Writes block the thread. */
  readonly blocking: boolean;
}

/** A strand that takes chunks. */
export class StrandSink<T> implements ChunkSink<T> {
  readonly #writer: StrandWriter;
  readonly #layout: ChunkLayout<T>;
  readonly #ownsWriter: boolean;
  readonly #blocking: boolean;
  #unwatch = (): void => {};

  constructor({ writer, layout, ownsWriter, blocking }: StrandSinkOptions<T>) {
    this.#writer = writer;
    this.#layout = layout;
    this.#ownsWriter = ownsWriter;
    this.#blocking = blocking;
    writer.begin();
  }

  write(chunk: T): Promise<void> | undefined {
    const only = this.#blocking ? undefined : this.#layout.recordOf(chunk);
    return only !== undefined && this.#writer.tryWrite(only) ? undefined : this.writeAll([chunk]);
  }

  async writeAll(chunks: readonly T[]): Promise<void> {
    try {
      await this.#put(this.#layout.recordsOf(chunks));
    } catch (error) {
      const rest = this.#unwritten(chunks, error);
      if (rest.length > 0) await this.#put(rest);
      throw error;
    }
  }

  /** → a promise where that waits without blocking the thread */
  #put(records: readonly object[]): Promise<void> | void {
    if (!this.#blocking) return this.#writer.writeRecordBatchAsync(records);
    this.#writer.writeRecordBatch(records);
  }

  /** Records of the chunks before the one that has failed, as far as they are not written; notes their number. */
  #unwritten(chunks: readonly T[], error: unknown): readonly object[] {
    if (typeof error !== 'object' || error === null) return [];
    const { record = 0, recordsWritten = 0 } = error as StrandErrorDetails;
    let whole = 0;
    let records = 0;
    for (const chunk of chunks) {
      const next = records + this.#layout.lengthOf(chunk);
      if (next > record) break;
      records = next;
      whole++;
    }
    if (records <= recordsWritten) return [];
    noteRecordsWritten(error, records);
    return this.#layout.recordsOf(chunks.slice(0, whole)).slice(recordsWritten);
  }

  watch(onOver: (error: Error) => void): void {
    this.#unwatch = this.#writer.watch(onOver);
  }

  finish(): void {
    this.#unwatch();
    this.#writer.finalize();
  }

  close(reason: string | undefined): void {
    this.#unwatch();
    try {
      if (reason !== undefined) this.#writer.abort(reason);
    } finally {
      if (this.#ownsWriter) this.#writer.close();
    }
  }

  stats(): StreamStats {
    const { recordsProduced, stalls, consumerWaits, queueDepth } = this.#writer.stats();
    return {
      produced: recordsProduced,
      consumed: recordsProduced - queueDepth,
      producerWaits: stalls,
      consumerWaits,
      queueDepth,
    };
  }
}
