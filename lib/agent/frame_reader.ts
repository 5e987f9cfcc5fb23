import { StrandError } from '../errors.js';
import type { SharedLog } from '../log/shared_log.js';
import type { ShmIterator } from '../log/shm_iterator.js';
import type { Settled } from './settled.js';
import type { Place, Span } from './span.js';

/** Bytes of a frame, and its place. */
export interface LogFrame extends Place {
  readonly bytes: Buffer;
}

/** Frames at once. What is read ahead of what can be sent is no more than this. */
const CHUNK = { maxMessages: 256, maxBytes: 256 * 1024 };

/** Reads a log's frames with their places. */
export class FrameReader {
  readonly #log: SharedLog;
  readonly #iterator: ShmIterator;
  readonly #taken: Settled;
  /** Bytes of a frame besides its payload. */
  readonly #overhead: number;
  #position: number;

  /**
   * @param taken what is not to be read; everything before it is passed over at once
   * @throws StrandError `ERR_SHM_CURSOR` where the log ends before that, or has no frames there
   */
  constructor(log: SharedLog, taken: Settled) {
    this.#log = log;
    this.#taken = taken;
    this.#position = taken.upTo;
    this.#iterator = log.createIterator({ startCursor: BigInt(taken.upTo) });
    const { frameLengthBits, checksum } = log.format;
    const { committed } = this;
    if (taken.end > committed) {
      this.#iterator.close();
      throw new StrandError(
        'ERR_SHM_CURSOR',
        `the log ends at cursor ${committed}, and frames up to ${taken.end} are settled or have been sent: ` +
          'it was cut back',
      );
    }
    this.#overhead = (2 * frameLengthBits) / 8 + (checksum === false ? 0 : 4);
  }

  /** Where the next frame begins. */
  get position(): number {
    return this.#position;
  }

  /** Cursor behind the last frame that is committed. */
  get committed(): number {
    return Number(this.#iterator.committedSize());
  }

  /** The next frames; undefined while there are none, an empty list where they were taken. */
  read(): LogFrame[] | undefined {
    const chunk = this.#iterator.nextLargest(CHUNK);
    if (chunk.length === 0) return undefined;
    const frames: LogFrame[] = [];
    for (const bytes of chunk) {
      const from = this.#position;
      const to = from + bytes.length + this.#overhead;
      this.#position = to;
      if (!this.#taken.has(from)) frames.push({ bytes, from, to });
    }
    return frames;
  }

  /** The frames of some stretches. */
  framesIn(spans: readonly Span[]): LogFrame[] {
    const frames: LogFrame[] = [];
    for (const [start, end] of spans) {
      using iterator = this.#log.createIterator({ startCursor: BigInt(start) });
      for (let from = start; from < end; ) {
        const bytes = iterator.next();
        if (bytes === null) throw new StrandError('ERR_SHM_CURSOR', `the log has no frame at cursor ${from}`);
        const to = from + bytes.length + this.#overhead;
        frames.push({ bytes, from, to });
        from = to;
      }
    }
    return frames;
  }

  /** Resolves when there are frames, or `timeoutMs` is over. Rejects with the signal's reason. */
  async wait(timeoutMs: number | undefined, signal: AbortSignal): Promise<void> {
    await this.#iterator.wait(timeoutMs === undefined ? { signal } : { timeoutMs, signal });
  }

  close(): void {
    this.#iterator.close();
  }
}
