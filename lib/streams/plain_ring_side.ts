import { describeValue } from '../describe_value.js';
import { StrandHeaderError } from '../errors.js';
import { holdLoop } from '../waits.js';
import {
  CONSUMED,
  CONSUMER_WAITS,
  checkRing,
  type PlainRing,
  PRODUCED,
  PRODUCER_WAITS,
  READ_INDEX,
  WRITE_INDEX,
} from './plain_ring.js';
import type { StreamStats } from './stream_stats.js';

/** `Atomics.waitAsync`, which the typings of this language level lack. */
type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { readonly async: boolean; readonly value: Promise<string> | string };

const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

/**
 * One side of a ring that plain JavaScript is on the other side of. The only place that uses `Atomics`: such peers sleep
 * by `Atomics.wait`, which does not hear of the core's wake-ups.
 */
export class PlainRingSide {
  readonly header: Int32Array;
  readonly data: Int32Array;
  readonly capacity: number;

  constructor(ring: PlainRing) {
    const { header, data, capacity } = checkRing(ring);
    this.header = header;
    this.data = data;
    this.capacity = capacity;
  }

  /** The write or the read index. Whoever shares the memory may have damaged it. */
  index(word: number): number {
    const index = Atomics.load(this.header, word);
    if (index >= 0 && index < this.capacity) return index;
    throw new StrandHeaderError(
      `header[${word}] of the ring is ${describeValue(index)}, not an index below its capacity of ${this.capacity}`,
    );
  }

  /** Values that can be read. */
  get filled(): number {
    return (this.index(WRITE_INDEX) - this.index(READ_INDEX) + this.capacity) % this.capacity;
  }

  /** Moves an index by `count` values, counts them and wakes who sleeps on it. */
  advance(word: typeof WRITE_INDEX | typeof READ_INDEX, count: number): void {
    // Sequentially consistent: the values stored before are there for whoever sees the index.
    Atomics.store(this.header, word, (this.index(word) + count) % this.capacity);
    Atomics.add(this.header, word === WRITE_INDEX ? PRODUCED : CONSUMED, count);
    Atomics.notify(this.header, word);
  }

  /** Settles once the index has left `value`, or earlier, or when `signal` aborts. */
  async wait(
    word: typeof WRITE_INDEX | typeof READ_INDEX,
    value: number,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    this.#countWait(word);
    const { async, value: woken } = waitAsync(this.header, word, value);
    if (!async) return;
    // A wait cannot be taken back. The other sleepers that this wakes look and sleep again.
    const wake = (): void => {
      Atomics.notify(this.header, word);
    };
    signal.addEventListener('abort', wake, { once: true });
    // A pending wait of this kind does not keep the event loop alive.
    holdLoop(1);
    try {
      await woken;
    } finally {
      holdLoop(-1);
      signal.removeEventListener('abort', wake);
    }
    signal.throwIfAborted();
  }

  waitSync(word: typeof WRITE_INDEX | typeof READ_INDEX, value: number): void {
    this.#countWait(word);
    Atomics.wait(this.header, word, value);
  }

  stats(): StreamStats {
    const count = (word: number): number => Atomics.load(this.header, word) >>> 0;
    return {
      produced: count(PRODUCED),
      consumed: count(CONSUMED),
      producerWaits: count(PRODUCER_WAITS),
      consumerWaits: count(CONSUMER_WAITS),
      queueDepth: this.filled,
    };
  }

  /** Who waits for the write index is the consumer. */
  #countWait(word: number): void {
    Atomics.add(this.header, word === WRITE_INDEX ? CONSUMER_WAITS : PRODUCER_WAITS, 1);
  }
}
