// @ts-check

/** @import { StrandWriter } from '@strand/core' */
/** @import { MalformedLog } from './parse/malformed_log.mjs' */

import { StrandCapacityError } from '@strand/core';
import { formatCount } from './report/format.mjs';

/**
 * Why a record is refused, if that is what an error says.
 *
 * @param {unknown} error
 * @param {number} heap bytes
 * @returns {string | undefined}
 */
function refusal(error, heap) {
  if (error instanceof StrandCapacityError) {
    return `it does not fit into the ring, whose heap holds ${formatCount(heap)} bytes: see --heap-capacity`;
  }
  // What JSON.stringify says.
  return error instanceof RangeError ? 'it is nested too deeply' : undefined;
}

/** Writes records in batches of one size. A record that cannot be written is logged, and costs no other. */
export class BatchWriter {
  #writer;
  #size;
  #malformed;
  /** @type {Record<string, unknown>[]} */
  #batch = [];
  /** Records before the batch. */
  #before = 0;

  /**
   * @param {StrandWriter} writer
   * @param {number} size
   * @param {MalformedLog} malformed
   */
  constructor(writer, size, malformed) {
    this.#writer = writer;
    this.#size = size;
    this.#malformed = malformed;
  }

  /**
   * Takes a record, and blocks while the batch that it fills finds no room.
   *
   * @param {Record<string, unknown>} record
   */
  add(record) {
    this.#batch.push(record);
    if (this.#batch.length === this.#size) this.flush();
  }

  /** Writes what there is. */
  flush() {
    const batch = this.#batch;
    this.#batch = [];
    try {
      this.#writer.writeRecordBatch(batch);
    } catch (error) {
      if (this.#refusal(error) === undefined) throw error;
      const { recordsWritten = 0 } = /** @type {{ recordsWritten?: number }} */ (error);
      for (let at = recordsWritten; at < batch.length; at++) this.#writeAlone(batch[at] ?? {}, at);
    }
    this.#before += batch.length;
  }

  /**
   * @param {Record<string, unknown>} record
   * @param {number} at place in its batch
   */
  #writeAlone(record, at) {
    try {
      this.#writer.write(record);
    } catch (error) {
      const reason = this.#refusal(error);
      if (reason === undefined) throw error;
      this.#malformed.add(`record ${formatCount(this.#before + at + 1)}`, reason);
    }
  }

  /** @param {unknown} error */
  #refusal(error) {
    return refusal(error, this.#writer.map.heap_capacity);
  }
}
