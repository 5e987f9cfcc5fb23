import type { StrandErrorDetails } from '../../errors.js';
import type { ChunkLayout } from '../chunk_layout.js';
import { FirstOf } from './first_of.js';
import type { Lane } from './lane.js';

/** Gives what is written to the workers: each write to the one with the least to do. */
export class PoolSink<T> {
  readonly #lanes: readonly Lane[];
  readonly #layout: ChunkLayout<T>;
  /** Hears in which lanes writes have gone, in order. */
  readonly #onTicket: ((lane: Lane) => void) | undefined;
  readonly #cancel = new AbortController();
  readonly #room = new FirstOf<Lane>();
  #turn = 0;
  /** Records that went to each lane. */
  readonly #written = new Map<Lane, number>();

  constructor(lanes: readonly Lane[], layout: ChunkLayout<T>, onTicket: ((lane: Lane) => void) | undefined) {
    this.#lanes = lanes;
    this.#layout = layout;
    this.#onTicket = onTicket;
  }

  /** Writes chunks. → undefined once they are in the rings, or a promise of that where there was no room */
  write(chunks: readonly T[]): Promise<void> | undefined {
    const records = this.#layout.recordsOf(chunks);
    const next = this.#put(records, 0);
    return next === records.length ? undefined : this.#putLater(records, next);
  }

  finish(): void {
    for (const lane of this.#lanes) lane.finish();
  }

  stop(): void {
    this.#cancel.abort();
  }

  async #putLater(records: readonly object[], from: number): Promise<void> {
    for (let next = from; next < records.length; next = this.#put(records, next)) {
      await this.#room.wait(this.#open(), (lane) => lane.writer.waitForRoom(this.#cancel.signal));
      this.#cancel.signal.throwIfAborted();
    }
  }

  /** Writes what there is room for. → where the rest begins */
  #put(records: readonly object[], from: number): number {
    let next = from;
    for (const lane of this.#open()) {
      if (next === records.length) break;
      const rest = next === 0 ? records : records.slice(next);
      const count = this.#tryWrite(lane, rest);
      if (count === 0) continue;
      next += count;
      const end = (this.#written.get(lane) ?? 0) + count;
      this.#written.set(lane, end);
      if (lane.tickets === undefined) continue;
      // Behind the records, which are all there for whoever has the ticket.
      lane.tickets.write({ end });
      this.#onTicket?.(lane);
    }
    return next;
  }

  /** → how many were written; none where the worker has just ended early, unless it was the last */
  #tryWrite(lane: Lane, records: readonly object[]): number {
    try {
      return lane.writer.tryWriteRecordBatch(records);
    } catch (error) {
      if (!lane.endedEarly(error) || this.#lanes.every(({ inputClosed }) => inputClosed)) throw error;
      return (error as StrandErrorDetails).recordsWritten ?? 0;
    }
  }

  /** Lanes that take input, those with the least to do first. */
  #open(): readonly Lane[] {
    if (this.#lanes.length === 1) return this.#lanes;
    const open = this.#lanes.filter((lane) => !lane.inputClosed);
    if (open.length === 0) return this.#lanes;
    const depths = new Map(open.map((lane) => [lane, lane.writer.stats().queueDepth]));
    // Of equal ones another comes first each time: a worker that stalls must not be given more because of its place.
    const first = this.#turn++ % open.length;
    const inTurn = [...open.slice(first), ...open.slice(0, first)];
    return inTurn.sort((a, b) => (depths.get(a) as number) - (depths.get(b) as number));
  }
}
