import type { Verdict } from './checkpoint.js';
import { decode, type PendingFrame } from './decode.js';
import { reasonOf } from './fault.js';
import type { FrameReader, LogFrame } from './frame_reader.js';
import type { AgentParts } from './parts.js';
import { type Place, spansOf } from './span.js';
import type { AgentFrame, DeadLetter } from './types.js';
import { untilAborted } from './until_aborted.js';

/** What an agent says of a batch that it gives up. */
export type Failure<P> = Omit<DeadLetter<P>, 'cursors' | 'frames'>;

/** Settles frames that are not to be answered: records why, tells it, and is done with them. */
export class Verdicts<P> {
  readonly #parts: AgentParts<P>;

  constructor(parts: AgentParts<P>) {
    this.#parts = parts;
  }

  /** Whether a frame is older than it may be by now. */
  isExpired({ frame: { timestamp } }: PendingFrame<P>): boolean {
    return timestamp !== undefined && timestamp < Date.now() - this.#parts.batching().ttlMs;
  }

  /** Frames that are older than they may be. */
  expired(places: readonly Place[]): Promise<void> {
    const verdict = { kind: 'expired', spans: spansOf(places) } as const;
    return this.#parts.ledger.judge(verdict, () => this.#tellExpired(places));
  }

  /** A frame that the decoder does not understand. */
  undecodable(place: Place, error: unknown): Promise<void> {
    const verdict = { kind: 'undecodable', spans: spansOf([place]), reason: reasonOf(error) } as const;
    return this.#parts.ledger.judge(verdict, () => this.#tellUndecodable([place], error));
  }

  /** A batch that is given up. */
  failed(pending: readonly PendingFrame<P>[], failure: Failure<P>): Promise<void> {
    const { batchId, attempts, error, inDoubt } = failure;
    const spans = spansOf(pending);
    const verdict = { kind: 'failed', spans, batchId, attempts, reason: reasonOf(error), inDoubt } as const;
    const frames = pending.map(({ frame }) => frame);
    return this.#parts.ledger.judge(verdict, () => this.#tellFailed(pending, frames, failure));
  }

  /** Tells of a verdict that an earlier process has recorded and perhaps not told. */
  again(verdict: Verdict, reader: FrameReader): Promise<void> {
    const places = reader.framesIn(verdict.spans);
    return this.#parts.ledger.conclude(verdict, () => {
      if (verdict.kind === 'expired') return this.#tellExpired(places);
      const error = new Error(verdict.reason);
      if (verdict.kind === 'undecodable') return this.#tellUndecodable(places, error);
      const { batchId, attempts, inDoubt } = verdict;
      const frames = places.flatMap((frame) => this.#decoded(frame));
      return this.#tellFailed(places, frames, { batchId, attempts, error, inDoubt });
    });
  }

  async #tellExpired(places: readonly Place[]): Promise<boolean> {
    this.#parts.counters.add('framesExpired', places.length);
    for (const { from } of places) this.#parts.tell('expired', { cursor: BigInt(from) });
    return true;
  }

  async #tellUndecodable(places: readonly Place[], error: unknown): Promise<boolean> {
    this.#parts.counters.add('framesFailed', places.length);
    for (const { from } of places) this.#parts.tell('decodeError', { cursor: BigInt(from), error });
    return true;
  }

  /** → false where nobody waits any more for the callback to take it */
  async #tellFailed(
    places: readonly Place[],
    frames: readonly AgentFrame<P>[],
    failure: Failure<P>,
  ): Promise<boolean> {
    const { settings, counters, tell, aborted } = this.#parts;
    const letter = { ...failure, frames, cursors: places.map(({ from }) => BigInt(from)) };
    if (aborted.aborted) return false;
    const taking = async () => settings.onDeadLetter?.(letter);
    if ((await untilAborted(taking(), aborted)) === undefined) return false;
    counters.add('deadLetters');
    counters.add('framesFailed', places.length);
    tell('deadLetter', letter);
    return true;
  }

  #decoded(frame: LogFrame): AgentFrame<P>[] {
    try {
      return [decode(this.#parts.settings.decoder, frame).frame];
    } catch {
      return [];
    }
  }
}
