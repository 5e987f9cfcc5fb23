/** Buckets for each doubling of a latency: a percentile is right to 4.5 %. */
const BUCKETS_A_DOUBLING = 8;
/** From 2^-10 ms, a microsecond, to 2^28 ms, three days. */
const FIRST_DOUBLING = -10;
const BUCKETS = (28 - FIRST_DOUBLING) * BUCKETS_A_DOUBLING;

/** Latencies in buckets of logarithmic width: as large after a million of them as after one. */
export class Latencies {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get sumMs(): number {
    return this.#sumMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  add(millis: number): void {
    const bucket = Math.floor((Math.log2(millis) - FIRST_DOUBLING) * BUCKETS_A_DOUBLING);
    const at = Math.min(BUCKETS - 1, Math.max(0, bucket));
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count++;
    this.#sumMs += millis;
    this.#maxMs = Math.max(this.#maxMs, millis);
  }

  /** @param share from 0 to 1 @returns milliseconds; undefined before the first */
  percentile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let bucket = 0;
    for (let seen = this.#counts[0] as number; seen < rank; seen += this.#counts[bucket] as number) bucket++;
    return Math.min(this.#maxMs, 2 ** ((bucket + 0.5) / BUCKETS_A_DOUBLING + FIRST_DOUBLING));
  }
}
