import { decode, type PendingFrame } from './decode.js';
import { faultOf } from './fault.js';
import type { LogFrame } from './frame_reader.js';
import type { AgentParts } from './parts.js';
import type { Verdicts } from './verdicts.js';

/** Understands frames, and has those judged that are not to be sent. */
export class Screen<P> {
  readonly #parts: AgentParts<P>;
  readonly #verdicts: Verdicts<P>;
  readonly #onFailure: (error: unknown) => void;
  readonly #underWay = new Set<Promise<void>>();

  /** @param onFailure a verdict that could not be recorded or told */
  constructor(parts: AgentParts<P>, verdicts: Verdicts<P>, onFailure: (error: unknown) => void) {
    this.#parts = parts;
    this.#verdicts = verdicts;
    this.#onFailure = onFailure;
  }

  /**
   * @returns undefined of a frame that is not to be sent; its verdict is under way
   * @throws what the decoder says is fatal
   */
  admit(frame: LogFrame): PendingFrame<P> | undefined {
    const { settings, counters } = this.#parts;
    counters.add('framesSeen');
    let pending: PendingFrame<P>;
    try {
      pending = decode(settings.decoder, frame);
    } catch (error) {
      if (faultOf(error).fatal) throw error;
      this.#judge(this.#verdicts.undecodable(frame, error));
      return undefined;
    }
    counters.add('framesDecoded');
    if (!this.#verdicts.isExpired(pending)) return pending;
    this.#judge(this.#verdicts.expired([frame]));
    return undefined;
  }

  /** Resolves when no verdict is under way any more, however they went. */
  async judged(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #judge(verdict: Promise<void>): void {
    const judging = verdict.catch(this.#onFailure).finally(() => this.#underWay.delete(judging));
    this.#underWay.add(judging);
  }
}
