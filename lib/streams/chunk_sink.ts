import type { StreamStats } from './stream_stats.js';

/** What a writable puts its chunks into. */
export interface ChunkSink<T> {
  /** Writes a chunk. → undefined once it is in the ring, or a promise of that where there was no room */
  write(chunk: T): Promise<void> | undefined;
  /** Writes several, published in one step where the ring allows it. What comes before a chunk that fails is written. */
  writeAll(chunks: readonly T[]): Promise<void>;
  /** Calls `onOver` if the other side ends the stream while nothing is being written. Keeps no event loop alive. */
  watch(onOver: (error: Error) => void): void;
  /** Ends the stream. */
  finish(): void;
  /** Lets go. @param reason why the stream is left before its end; undefined behind it */
  close(reason: string | undefined): void;
  stats(): StreamStats;
}
