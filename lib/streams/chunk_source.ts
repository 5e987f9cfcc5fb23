import type { StreamStats } from './stream_stats.js';

/** What `take` gives where no chunk has arrived. */
export const NONE = Symbol('none');
/** What it gives behind the last chunk. */
export const END = Symbol('end');

/** What a readable takes its chunks from. */
export interface ChunkSource<T> {
  /** The next chunk. Throws the stream's error once all that came before it is taken. */
  take(): T | typeof NONE | typeof END;
  /** Gives the room of what was taken back, but for the last `kept` chunks. */
  release(kept: number): void;
  /** The same where it is so much that a producer that waits for room is worth waking. */
  releasePart(kept: number): void;
  /** Settles when a look is worth while, or when `signal` aborts. Keeps the event loop alive. */
  wait(signal: AbortSignal): Promise<unknown>;
  /** The same, blocking the thread. */
  waitSync(): void;
  /** Lets go. @param reason why the stream is left before its end; undefined behind it */
  close(reason: string | undefined): void;
  stats(): StreamStats;
}
