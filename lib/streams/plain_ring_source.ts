import { type ChunkSource, NONE } from './chunk_source.js';
import { type PlainRing, READ_INDEX, WRITE_INDEX } from './plain_ring.js';
import { PlainRingSide } from './plain_ring_side.js';
import type { StreamStats } from './stream_stats.js';

/** Values of a ring of six header words. It has no end. */
export class PlainRingSource implements ChunkSource<number> {
  readonly #ring: PlainRingSide;
  /** Values that were taken and not given back. */
  #taken = 0;

  constructor(ring: PlainRing) {
    this.#ring = new PlainRingSide(ring);
    this.#ring.index(READ_INDEX);
  }

  take(): number | typeof NONE {
    const ring = this.#ring;
    if (this.#taken === ring.filled) return NONE;
    return ring.data[(ring.index(READ_INDEX) + this.#taken++) % ring.capacity] as number;
  }

  releasePart(): void {
    if (this.#taken * 2 >= this.#ring.capacity) this.release();
  }

  release(): void {
    if (this.#taken === 0) return;
    this.#ring.advance(READ_INDEX, this.#taken);
    this.#taken = 0;
  }

  wait(signal: AbortSignal): Promise<void> {
    return this.#ring.wait(WRITE_INDEX, this.#ring.index(READ_INDEX), signal);
  }

  waitSync(): void {
    this.#ring.waitSync(WRITE_INDEX, this.#ring.index(READ_INDEX));
  }

  close(): void {}

  stats(): StreamStats {
    return this.#ring.stats();
  }
}
