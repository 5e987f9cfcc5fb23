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
   * The frames that are to be sent. Verdicts on the others are under way.
   *
   * @throws what the decoder says is fatal; then nothing is judged
   */
  admit(frames: readonly LogFrame[]): PendingFrame<P>[] {
    const { counters } = this.#parts;
    const decoded = frames.map((frame) => this.#decode(frame));
    counters.add('framesSeen', frames.length);
    return decoded.flatMap(({ frame, pending, error }) => {
      if (pending === undefined) {
        this.#judge(this.#verdicts.undecodable(frame, error));
        return [];
      }
      counters.add('framesDecoded');
      if (!this.#verdicts.isExpired(pending)) return [pending];
      this.#judge(this.#verdicts.expired([frame]));
      return [];
    });
  }

  #decode(frame: LogFrame): { frame: LogFrame; pending?: PendingFrame<P>; error?: unknown } {
    try {
      return { frame, pending: decode(this.#parts.settings.decoder, frame) };
    } catch (error) {
      if (faultOf(error).fatal) throw error;
      return { frame, error };
    }
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
