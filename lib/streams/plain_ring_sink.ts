import { describeValue } from '../describe_value.js';
import { argumentError, rangeError } from '../errors.js';
import type { ChunkSink } from './chunk_sink.js';
import { type PlainRing, READ_INDEX, WRITE_INDEX } from './plain_ring.js';
import { PlainRingSide } from './plain_ring_side.js';
import type { StreamStats } from './stream_stats.js';

/** A ring of six header words that takes integers. It has no end: finishing only stops writing. */
export class PlainRingSink implements ChunkSink<number> {
  readonly #ring: PlainRingSide;
  readonly #blocking: boolean;
  readonly #cancel = new AbortController();

  constructor(ring: PlainRing, blocking: boolean) {
    this.#ring = new PlainRingSide(ring);
    this.#ring.index(WRITE_INDEX);
    this.#blocking = blocking;
  }

  write(value: number): Promise<void> | undefined {
    if (!isValue(value)) throw refusal(value);
    while (this.#put([value], 0) === 0) {
      if (!this.#blocking) return this.writeAll([value]);
      this.#ring.waitSync(READ_INDEX, this.#full());
    }
    return undefined;
  }

  async writeAll(values: readonly number[]): Promise<void> {
    const wrong = values.findIndex((value) => !isValue(value));
    const good = wrong < 0 ? values : values.slice(0, wrong);
    for (let next = this.#put(good, 0); next < good.length; next = this.#put(good, next)) {
      if (this.#blocking) this.#ring.waitSync(READ_INDEX, this.#full());
      else await this.#ring.wait(READ_INDEX, this.#full(), this.#cancel.signal);
    }
    if (wrong >= 0) throw refusal(values[wrong]);
  }

  /** Stores what there is room for, and publishes it in one step. → where the rest begins */
  #put(values: readonly number[], from: number): number {
    const ring = this.#ring;
    const at = ring.index(WRITE_INDEX);
    const to = Math.min(values.length, from + ring.capacity - 1 - ring.filled);
    for (let i = from; i < to; i++) ring.data[(at + i - from) % ring.capacity] = values[i] as number;
    if (to > from) ring.advance(WRITE_INDEX, to - from);
    return to;
  }

  /** The read index at which the ring is full. */
  #full(): number {
    return (this.#ring.index(WRITE_INDEX) + 1) % this.#ring.capacity;
  }

  watch(): void {}

  finish(): void {}

  close(): void {
    this.#cancel.abort();
  }

  stats(): StreamStats {
    return this.#ring.stats();
  }
}

function isValue(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

function refusal(value: unknown): Error {
  const expected = 'a ring of six header words takes integers from -2147483648 to 2147483647';
  return typeof value === 'number'
    ? rangeError(`${expected}, got ${describeValue(value)}`)
    : argumentError(`${expected}, got ${describeValue(value)}`);
}
