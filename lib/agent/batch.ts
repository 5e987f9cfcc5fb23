import { randomUUID } from 'node:crypto';
import type { PendingFrame } from './decode.js';
import type { Batching } from './options.js';

/** Frames that are sent as one prompt. */
export interface Batch<P> {
  readonly batchId: string;
  readonly frames: readonly PendingFrame<P>[];
}

/** A batch that nobody has sent. */
export function batchOf<P>(frames: readonly PendingFrame<P>[]): Batch<P> {
  return { batchId: randomUUID(), frames };
}

/** The batch that is being filled. */
export class OpenBatch<P> {
  #frames: PendingFrame<P>[] = [];
  #bytes = 0;
  /** When its first frame came. */
  #since = 0;

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  isFull({ maxBatchMessages, maxBatchBytes }: Batching): boolean {
    return this.#frames.length >= maxBatchMessages || this.#bytes >= maxBatchBytes;
  }

  /** Whether a frame more would be too much. A frame that is larger than a batch may be comes alone. */
  isFullFor(bytes: number, limits: Batching): boolean {
    return !this.isEmpty && (this.isFull(limits) || this.#bytes + bytes > limits.maxBatchBytes);
  }

  /** Milliseconds for which it may wait for more; undefined while it is empty. */
  timeLeft(limits: Batching): number | undefined {
    if (this.isEmpty) return undefined;
    return this.isFull(limits) ? 0 : Math.max(0, this.#since + limits.maxLingerMs - performance.now());
  }

  add(frame: PendingFrame<P>): void {
    if (this.isEmpty) this.#since = performance.now();
    this.#frames.push(frame);
    this.#bytes += frame.bytes;
  }

  take(): Batch<P> {
    const batch = batchOf(this.#frames);
    this.#frames = [];
    this.#bytes = 0;
    return batch;
  }
}
