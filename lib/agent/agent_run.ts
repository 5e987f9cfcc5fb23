import { type Batch, batchOf } from './batch.js';
import type { Intent } from './checkpoint.js';
import { Dispatcher } from './dispatcher.js';
import { FrameReader } from './frame_reader.js';
import { Intake } from './intake.js';
import type { AgentParts } from './parts.js';
import { Screen } from './screen.js';
import { Slots } from './slots.js';
import { spansOf } from './span.js';
import { Verdicts } from './verdicts.js';

/**
 * An agent between its start and its end.
 *
 *     log ─► FrameReader ─► Intake ─► slot ─► Dispatcher ─► client
 *                             │                   │
 *                           Screen ─► Verdicts ◄──┤
 *                                        │        │
 *                                        └► Ledger ─► checkpoint
 */
export class AgentRun<P> {
  readonly #parts: AgentParts<P>;
  readonly #reader: FrameReader;
  readonly #verdicts: Verdicts<P>;
  readonly #screen: Screen<P>;
  readonly #intake: Intake<P>;
  readonly #dispatcher: Dispatcher<P>;
  readonly #slots: Slots;
  /** Batches that have a slot. */
  readonly #underWay = new Set<Promise<void>>();
  #hasEnded = false;
  #hasFailed = false;

  /** @throws StrandError `ERR_SHM_CURSOR` where the log has no frame at which the ledger says to go on */
  constructor(parts: AgentParts<P>) {
    const { settings, ledger, batching } = parts;
    this.#parts = parts;
    this.#reader = new FrameReader(settings.sharedLog, ledger.taken());
    this.#verdicts = new Verdicts(parts);
    this.#screen = new Screen(parts, this.#verdicts, (error) => this.#breakOff(error));
    this.#intake = new Intake(parts, this.#reader, this.#screen, (batch) => this.#dispatch(batch));
    this.#dispatcher = new Dispatcher(parts, this.#verdicts);
    this.#slots = new Slots(batching().concurrency);
  }

  /** Limits have changed. */
  limitsChanged(): void {
    this.#slots.resize(this.#parts.batching().concurrency);
    this.#intake.nudge();
  }

  /** Reads no further than to a cursor. */
  endAt(cursor: number): void {
    this.#intake.endAt(cursor);
  }

  /** Begins nothing more. Attempts under way go on. */
  end(): void {
    this.#hasEnded = true;
    this.#intake.quit();
    this.#slots.close();
    this.#dispatcher.halt();
  }

  /** Resolves when nothing is under way any more and all that is known is on record. */
  async follow(): Promise<void> {
    try {
      await this.#parts.ledger.flush();
      await this.#takeOver();
    } catch (error) {
      this.#breakOff(error);
    }
    // What cannot be read keeps nothing that was read from being answered.
    await this.#intake.run((error) => this.#fail(error));
    await Promise.all(this.#underWay);
    // They write the checkpoint, which may be another agent's next.
    await this.#screen.judged();
    this.#reader.close();
    await this.#parts.ledger.flush().catch((error: unknown) => this.#fail(error));
  }

  /** What an earlier process has begun. */
  async #takeOver(): Promise<void> {
    const { verdicts, intents } = this.#parts.ledger;
    for (const verdict of verdicts) {
      if (this.#hasEnded) return;
      await this.#verdicts.again(verdict, this.#reader);
    }
    for (const intent of intents) {
      if (this.#hasEnded) return;
      await this.#resume(intent);
    }
  }

  /** A batch that an earlier process has sent, as far as anybody knows. */
  async #resume({ batchId, spans }: Intent): Promise<void> {
    const { settings, ledger, counters, tell } = this.#parts;
    const { retryInDoubt: retried } = settings;
    const frames = this.#reader.framesIn(spans);
    counters.add('promptsInDoubt');
    counters.add('framesInDoubt', frames.length);
    tell('inDoubt', { batchId, cursors: frames.map(({ from }) => BigInt(from)), retried, error: undefined });
    if (!retried) return ledger.settle(batchId);
    const pending = this.#screen.admit(frames);
    // Those that are not understood now, or too old, have a verdict; the others are another prompt without them.
    const batch = pending.length === frames.length ? { batchId, frames: pending } : batchOf(pending);
    if (batch.batchId !== batchId) {
      await ledger.replace(batchId, { batchId: batch.batchId, spans: spansOf(pending) });
    }
    if (pending.length > 0) await this.#dispatch(batch, true);
  }

  /** Resolves when the batch is under way; or is not to be. */
  async #dispatch(batch: Batch<P>, wasSent = false): Promise<void> {
    if (!(await this.#slots.take())) return;
    const sending = this.#dispatcher
      .send(batch, wasSent)
      .catch((error: unknown) => this.#breakOff(error))
      .finally(() => {
        this.#slots.give();
        this.#underWay.delete(sending);
      });
    this.#underWay.add(sending);
  }

  /** Nothing more is to be attempted. */
  #breakOff(error: unknown): void {
    this.end();
    this.#fail(error);
  }

  /** The agent cannot go on. What comes of that is not told. */
  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#parts.tell('error', error);
  }
}
