import { noteRecordsWritten, type StrandError, type StrandErrorDetails } from '../errors.js';
import type { StrandWriter } from '../writer.js';
import type { ChunkLayout } from './chunk_layout.js';
import type { ChunkSink } from './chunk_sink.js';
import { type StreamStats, statsOfWriter } from './stream_stats.js';

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
    const only = this.#layout.recordOf(chunk);
    if (only !== undefined) {
      try {
        if (this.#blocking) this.#writer.write(only);
        else if (!this.#writer.tryWrite(only)) return this.writeAll([chunk]);
      } finally {
        this.#layout.forget();
      }
    } else if (this.#blocking) {
      this.#writer.writeRecordBatch(this.#layout.recordsOf([chunk]));
    } else {
      return this.writeAll([chunk]);
    }
    return undefined;
  }

  async writeAll(chunks: readonly T[]): Promise<void> {
    try {
      await this.#put(this.#layout.recordsOf(chunks));
    } catch (error) {
      if (chunks.length === 1) throw error;
      await this.#oneByOne(chunks, (Object(error) as StrandErrorDetails).recordsWritten ?? 0);
    }
  }

  /** What gathered by accident fails by itself: the chunks before it are written. @param written records that are */
  async #oneByOne(chunks: readonly T[], written: number): Promise<void> {
    let records = 0;
    for (const chunk of chunks) {
      const length = this.#layout.lengthOf(chunk);
      const done = Math.min(Math.max(written - records, 0), length);
      try {
        if (done < length) await this.#put(this.#layout.recordsOf([chunk]).slice(done));
      } catch (error) {
        const { recordsWritten = 0 } = Object(error) as StrandErrorDetails;
        noteRecordsWritten(error, records + done + recordsWritten);
        throw error;
      }
      records += length;
    }
  }

  /** → a promise where that waits without blocking the thread */
  #put(records: readonly object[]): Promise<void> | void {
    if (!this.#blocking) return this.#writer.writeRecordBatchAsync(records);
    this.#writer.writeRecordBatch(records);
  }

  watch(onOver: (error: Error) => void): void {
    this.#unwatch = this.#writer.watch(onOver);
  }

  finish(): void {
    this.#unwatch();
    // The writer may be another stream's by the time this one is closed.
    this.#unwatch = () => {};
    this.#writer.finalize();
  }

  close(reason: string | undefined): void {
    this.#unwatch();
    try {
      if (reason !== undefined) this.#writer.abort(reason);
      if (this.#ownsWriter) this.#writer.close();
    } catch (error) {
      if ((error as StrandError).code !== 'ERR_STRAND_REENTRANT') {
        if (this.#ownsWriter) this.#writer.close();
        throw error;
      }
      // Code of the record that is being written has destroyed the stream; it is over before anything else runs.
      queueMicrotask(() => this.close(reason));
    }
  }

  stats(): StreamStats {
    return statsOfWriter(this.#writer);
  }
}
