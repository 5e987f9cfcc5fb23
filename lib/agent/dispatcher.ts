import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describeValue } from '../describe_value.js';
import { argumentError, StrandAbortError } from '../errors.js';
import { LONGEST_TIMER_MILLIS } from '../waits.js';
import { Backoff } from './backoff.js';
import { type Batch, batchOf } from './batch.js';
import type { PendingFrame } from './decode.js';
import { faultOf, refusePromise } from './fault.js';
import type { AgentParts } from './parts.js';
import { spansOf } from './span.js';
import type { AgentFrame, PromptOutput } from './types.js';
import { untilAborted } from './until_aborted.js';
import type { Verdicts } from './verdicts.js';

/** What came of an attempt. */
type Outcome =
  | { readonly kind: 'answered'; readonly output: PromptOutput }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nobody waits for the answer any more. */
  | { readonly kind: 'aborted' };

/** How a batch stands. */
interface Progress {
  /** Attempts of this process. */
  attempt: number;
  /** Those that count against their limit. */
  counted: number;
  /** Whether somebody may have served it. */
  inDoubt: boolean;
}

/** Sends batches, each until it is answered, given up, or left to another process. */
export class Dispatcher<P> {
  readonly #parts: AgentParts<P>;
  readonly #verdicts: Verdicts<P>;
  readonly #backoff: Backoff;
  /** Aborted when there are to be no more attempts. */
  readonly #halt = new AbortController();

  constructor(parts: AgentParts<P>, verdicts: Verdicts<P>) {
    this.#parts = parts;
    this.#verdicts = verdicts;
    this.#backoff = new Backoff(parts.settings.retry);
    // As many as there are slots listen.
    setMaxListeners(0, parts.aborted, this.#halt.signal);
  }

  /** Begins no more attempts. Those under way go on. */
  halt(): void {
    this.#halt.abort();
  }

  /**
   * Resolves when the batch is settled, or nothing more is to be attempted.
   *
   * @param wasSent whether an earlier process may have sent it; then its intent is on record
   * @throws what the agent cannot go on with
   */
  async send(batch: Batch<P>, wasSent = false): Promise<void> {
    const { ledger } = this.#parts;
    const progress: Progress = { attempt: 0, counted: 0, inDoubt: wasSent };
    let live: Batch<P> | undefined = batch;
    for (;;) {
      live = await this.#withoutExpired(live);
      if (live === undefined) return;
      if (this.#isHalted) break;
      const { prompt, error } = this.#promptOf(live);
      if (prompt === undefined) {
        if (faultOf(error).fatal) throw await this.#leave(live, progress, error);
        return this.#giveUp(live, progress, error);
      }
      if (progress.attempt === 0 && !wasSent) {
        await ledger.intend({ batchId: live.batchId, spans: spansOf(live.frames) });
        if (this.#isHalted) break;
      }
      progress.attempt++;
      const outcome = await this.#attempt(live, progress.attempt, prompt);
      if (outcome.kind === 'answered') return this.#settleAnswer(live, progress.attempt, outcome.output);
      if (outcome.kind === 'aborted') return this.#leaveInDoubt(live);
      const delayMs = await this.#judgeFailure(live, progress, outcome.error);
      if (delayMs === undefined) return;
      const { signal } = this.#halt;
      await delay(Math.min(delayMs, LONGEST_TIMER_MILLIS), undefined, { signal }).catch(() => {});
    }
    await this.#leave(live, progress, undefined);
  }

  get #isHalted(): boolean {
    return this.#halt.signal.aborted;
  }

  /** Tells, and records, what follows a failure. → milliseconds before another attempt; undefined where it is over */
  async #judgeFailure(batch: Batch<P>, progress: Progress, error: unknown): Promise<number | undefined> {
    const { settings, ledger, tell } = this.#parts;
    const { retryInDoubt } = settings;
    const { batchId } = batch;
    const fault = faultOf(error);
    if (!fault.unsent) progress.counted++;
    const { attempt, counted } = progress;
    const isLast = fault.retryable === false || fault.fatal || (fault.inDoubt && !retryInDoubt);
    const delayMs = isLast ? undefined : this.#backoff.delay(attempt, counted, fault.retryAfterMs);
    if (fault.inDoubt) {
      progress.inDoubt = true;
      this.#tellInDoubt(batch, retryInDoubt, error);
      if (!retryInDoubt) await ledger.settle(batchId);
    }
    if (fault.fatal) throw await this.#leave(batch, progress, error);
    if (fault.inDoubt && !retryInDoubt) return undefined;
    if (delayMs === undefined) await this.#giveUp(batch, progress, error);
    else tell('retry', { batchId, attempt, delayMs, error });
    return delayMs;
  }

  /** Leaves a batch for another time. Not served as far as anybody knows, it is simply read again. → the error */
  async #leave({ batchId }: Batch<P>, { inDoubt }: Progress, error: unknown): Promise<unknown> {
    if (!inDoubt) await this.#parts.ledger.withdraw(batchId);
    return error;
  }

  /** → undefined where nothing is left */
  async #withoutExpired(batch: Batch<P>): Promise<Batch<P> | undefined> {
    const expired: PendingFrame<P>[] = [];
    const live: PendingFrame<P>[] = [];
    for (const pending of batch.frames) (this.#verdicts.isExpired(pending) ? expired : live).push(pending);
    if (expired.length === 0) return batch;
    // Other frames are another prompt, which a service that knows the batch would take for the same.
    const rest = batchOf(live);
    const intent = { batchId: rest.batchId, spans: spansOf(rest.frames) };
    await Promise.all([this.#parts.ledger.replace(batch.batchId, intent), this.#verdicts.expired(expired)]);
    return live.length === 0 ? undefined : rest;
  }

  #promptOf({ frames }: Batch<P>): { readonly prompt?: string; readonly error?: unknown } {
    try {
      const prompt: unknown = this.#parts.settings.formatPrompt(framesOf(frames));
      refusePromise('formatPrompt', prompt);
      if (typeof prompt === 'string') return { prompt };
      return { error: argumentError(`formatPrompt returns a string, got ${describeValue(prompt)}`) };
    } catch (error) {
      return { error };
    }
  }

  async #attempt({ batchId, frames }: Batch<P>, attempt: number, prompt: string): Promise<Outcome> {
    const { settings, counters, aborted } = this.#parts;
    const { claudeClient, model } = settings;
    // One for each attempt: a client may leave its listeners there.
    const controller = new AbortController();
    const { signal } = controller;
    const onAbort = (): void => controller.abort(aborted.reason);
    if (aborted.aborted) onAbort();
    aborted.addEventListener('abort', onAbort, { once: true });
    counters.add('promptsSent');
    counters.add('promptsUnderWay');
    if (attempt > 1) counters.add('retries');
    const started = performance.now();
    const sending = async () =>
      claudeClient.sendPrompt({ model, prompt, frames: framesOf(frames), batchId, attempt, signal });
    try {
      const sent = await untilAborted(sending(), signal);
      if (sent === undefined) return { kind: 'aborted' };
      return { kind: 'answered', output: outputOf(sent.value, performance.now() - started) };
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      counters.add('promptsFailed');
      return { kind: 'failed', error };
    } finally {
      counters.add('promptsUnderWay', -1);
      aborted.removeEventListener('abort', onAbort);
    }
  }

  async #settleAnswer({ batchId, frames }: Batch<P>, attempt: number, output: PromptOutput): Promise<void> {
    const { ledger, counters, tell } = this.#parts;
    this.#backoff.succeeded();
    await ledger.settle(batchId);
    counters.latencies.add(output.latencyMs);
    counters.add('promptsAnswered');
    counters.add('framesAnswered', frames.length);
    tell('answer', { batchId, frames: framesOf(frames), attempt, output });
  }

  #giveUp({ batchId, frames }: Batch<P>, { attempt, inDoubt }: Progress, error: unknown): Promise<void> {
    return this.#verdicts.failed(frames, { batchId, attempts: attempt, error, inDoubt });
  }

  /** Whoever was asked may be at it. The intent stays. */
  #leaveInDoubt(batch: Batch<P>): void {
    const { settings, ledger } = this.#parts;
    const error = new StrandAbortError(
      'the agent was stopped, and its deadline was over before the answer came',
    );
    this.#tellInDoubt(batch, settings.retryInDoubt && ledger.isKept, error);
  }

  #tellInDoubt({ batchId, frames }: Batch<P>, retried: boolean, error: unknown): void {
    const { counters, tell } = this.#parts;
    counters.add('promptsInDoubt');
    counters.add('framesInDoubt', frames.length);
    tell('inDoubt', { batchId, cursors: frames.map(({ frame }) => frame.cursor), retried, error });
  }
}

function framesOf<P>(frames: readonly PendingFrame<P>[]): AgentFrame<P>[] {
  return frames.map(({ frame }) => frame);
}

/** An answer of a client that keeps no time, or gives none at all, is one too. */
function outputOf(given: unknown, measuredMs: number): PromptOutput {
  try {
    const { requestId, latencyMs, raw } = given as Partial<PromptOutput>;
    const isTime = typeof latencyMs === 'number' && latencyMs >= 0 && Number.isFinite(latencyMs);
    return {
      requestId: typeof requestId === 'string' ? requestId : '',
      latencyMs: isTime ? latencyMs : measuredMs,
      raw,
    };
  } catch {
    // Nothing, or something whose getters throw.
    return { requestId: '', latencyMs: measuredMs, raw: given };
  }
}
