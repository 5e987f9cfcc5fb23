// @ts-check

/** @import { RowOf, SchemaOf } from '@strand/core' */
/** @import { STRIKE } from './fields.mjs' */

/** @typedef {RowOf<SchemaOf<typeof STRIKE>>} Strike */

/** Sums of one group. */
class Sums {
  strikes = 0;
  damaged = 0;
  cost = 0;
  #speeds = 0;
  #speed = 0;

  /** @param {Strike} strike */
  add({ damaged, cost, speed }) {
    this.strikes++;
    if (damaged) this.damaged++;
    this.cost += cost;
    if (speed === null) return;
    this.#speeds++;
    this.#speed += speed;
  }

  /** @returns {number | undefined} */
  get meanSpeed() {
    return this.#speeds === 0 ? undefined : this.#speed / this.#speeds;
  }
}

/** What there was of each group. */
export class Tally {
  rows = 0;
  /** @type {Map<string, Sums>} */
  #groups = new Map();

  /** @param {AsyncIterable<readonly Strike[]>} batches */
  async addAll(batches) {
    for await (const batch of batches) {
      this.rows += batch.length;
      for (const strike of batch) this.#sumsOf(strike.group).add(strike);
    }
  }

  get groups() {
    return this.#groups.size;
  }

  /** The groups that cost most. @param {number} count */
  dearest(count) {
    return [...this.#groups].sort(([, a], [, b]) => b.cost - a.cost || b.strikes - a.strikes).slice(0, count);
  }

  /** @param {string} group */
  #sumsOf(group) {
    let sums = this.#groups.get(group);
    if (sums === undefined) {
      sums = new Sums();
      this.#groups.set(group, sums);
    }
    return sums;
  }
}
