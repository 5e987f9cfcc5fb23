import { StrandError } from '../errors.js';
import {
  type Checkpoint,
  formatCheckpoint,
  type Intent,
  parseCheckpoint,
  type Verdict,
} from './checkpoint.js';
import { CheckpointFile } from './checkpoint_file.js';
import { Settled } from './settled.js';
import type { Span } from './span.js';

/** The log that a ledger is about. */
export interface LedgerLog {
  readonly identity: string | undefined;
  /** Where to begin while nothing is kept. */
  readonly from: number;
}

/**
 * What has become of each frame, kept in a checkpoint.
 *
 *     read ──► intent ──► answered                settled
 *       │        └──────► in doubt                settled, where it is not sent again
 *       └──┬─────┴──────► verdict ──► reported    settled
 *
 * Each arrow to an intent, to an answer and to a verdict is on the disk before anybody hears of it: a send follows its intent, an
 * event its record. So a process that dies anywhere leaves frames that are not begun, intents, which are in doubt, and
 * verdicts, which are reported again.
 *
 * A ledger that could not be saved once is not saved again: what is on the disk then is true, though not new.
 */
export class Ledger {
  readonly #file: CheckpointFile | undefined;
  readonly #identity: string | undefined;
  readonly #settled: Settled;
  readonly #intents: Map<string, readonly Span[]>;
  readonly #verdicts: Set<Verdict>;
  #isDirty = false;
  #failure: { readonly error: unknown } | undefined;

  private constructor(file: CheckpointFile | undefined, checkpoint: Checkpoint) {
    const { identity, settledUpTo, settledBeyond, intents, verdicts } = checkpoint;
    this.#file = file;
    this.#identity = identity;
    this.#settled = new Settled(settledUpTo, settledBeyond);
    this.#intents = new Map(intents.map(({ batchId, spans }) => [batchId, spans]));
    this.#verdicts = new Set(verdicts);
  }

  /**
   * @param path of the checkpoint; undefined where nothing is kept
   * @throws StrandError `ERR_STRAND_FILE` where it cannot be read, holds none, or belongs to another log
   */
  static async open(path: string | undefined, { identity, from }: LedgerLog): Promise<Ledger> {
    const empty = { identity, settledUpTo: from, settledBeyond: [], intents: [], verdicts: [] };
    if (path === undefined) return new Ledger(undefined, empty);
    const { file, text } = await CheckpointFile.open(path);
    try {
      const checkpoint = text === undefined ? empty : parseCheckpoint(text, path);
      checkLog(checkpoint, path, identity);
      const ledger = new Ledger(file, checkpoint);
      // The next agent is to go on from where this one has begun.
      ledger.#isDirty = text === undefined;
      return ledger;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Cursor before which everything is settled. */
  get settledUpTo(): number {
    return this.#settled.upTo;
  }

  /** Whether anything outlives the process. */
  get isKept(): boolean {
    return this.#file !== undefined;
  }

  /** Batches without an answer on record. */
  get intents(): Intent[] {
    return [...this.#intents].map(([batchId, spans]) => ({ batchId, spans }));
  }

  /** Verdicts that nobody has been told of yet. */
  get verdicts(): readonly Verdict[] {
    return [...this.#verdicts];
  }

  get openVerdicts(): number {
    return this.#verdicts.size;
  }

  /** What is settled, intended or judged: the rest is to be read. A copy, as it is now. */
  taken(): Settled {
    const taken = new Settled(this.#settled.upTo, this.#settled.beyond);
    for (const spans of this.#intents.values()) for (const span of spans) taken.add(span);
    for (const { spans } of this.#verdicts) for (const span of spans) taken.add(span);
    return taken;
  }

  /** Resolves when it is on the disk that a batch may be sent. */
  intend({ batchId, spans }: Intent): Promise<void> {
    this.#intents.set(batchId, spans);
    return this.save();
  }

  /**
   * Puts another batch in the place of one that was sent: fewer frames of it, the others being judged at the same time.
   * Resolves when that is on the disk.
   */
  async replace(batchId: string, { batchId: next, spans }: Intent): Promise<void> {
    if (!this.#intents.delete(batchId)) return;
    if (spans.length > 0) this.#intents.set(next, spans);
    await this.save();
  }

  /** Resolves when it is on the disk that nobody has served a batch, which is left for another time. */
  async withdraw(batchId: string): Promise<void> {
    if (this.#intents.delete(batchId)) await this.save();
  }

  /** Resolves when it is on the disk that a batch was answered, or is not to be sent again. */
  settle(batchId: string): Promise<void> {
    for (const span of this.#intents.get(batchId) ?? []) this.#settled.add(span);
    this.#intents.delete(batchId);
    return this.save();
  }

  /** Records a verdict, which takes the place of its batch's intent; then has it reported, and settles its frames. */
  async judge(verdict: Verdict, report: () => Promise<boolean>): Promise<void> {
    if (verdict.kind === 'failed') this.#intents.delete(verdict.batchId);
    this.#verdicts.add(verdict);
    await this.save();
    await this.conclude(verdict, report);
  }

  /**
   * Has a verdict reported that is on record, and settles its frames.
   *
   * @param report resolves with whether it was; otherwise the next process reports it
   */
  async conclude(verdict: Verdict, report: () => Promise<boolean>): Promise<void> {
    if (!(await report())) return;
    this.#verdicts.delete(verdict);
    for (const span of verdict.spans) this.#settled.add(span);
    this.#isDirty = true;
    // Those that follow take it along.
    if (this.#verdicts.size === 0) await this.save();
  }

  /** Resolves when the present state, or a later one, is on the disk. */
  async save(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#isDirty = true;
    try {
      await this.#file?.save(() => this.#text());
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  /** Saves what is not saved yet. */
  async flush(): Promise<void> {
    if (this.#isDirty && this.#failure === undefined) await this.save();
  }

  /** Lets go of the checkpoint, without saving. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  #text(): string {
    this.#isDirty = false;
    return formatCheckpoint({
      identity: this.#identity,
      settledUpTo: this.#settled.upTo,
      settledBeyond: this.#settled.beyond,
      intents: this.intents,
      verdicts: this.verdicts,
    });
  }
}

/** Cursors of one log mean nothing in another. */
function checkLog(checkpoint: Checkpoint, path: string, identity: string | undefined): void {
  if (checkpoint.identity === identity) return;
  throw new StrandError(
    'ERR_STRAND_FILE',
    `the checkpoint '${path}' belongs to another log, one that was there before: ` +
      'move it away to begin with this log',
  );
}
