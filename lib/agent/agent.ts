import { EventEmitter } from 'node:events';
import { readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { StrandBusyError, StrandClosedError, StrandError } from '../errors.js';
import { FileLock } from '../file_lock.js';
import { LONGEST_TIMER_MILLIS } from '../waits.js';
import { AgentRun } from './agent_run.js';
import { Ledger } from './ledger.js';
import { type AgentMetrics, Counters } from './metrics.js';
import {
  type AgentSettings,
  type Batching,
  type BatchingOptions,
  changeBatching,
  checkBatching,
  checkStopOptions,
} from './options.js';
import { type MetricLabels, prometheusText } from './prometheus.js';
import type { AgentEvents, StopOptions, StopResult } from './types.js';

/** What `stop` was asked for. */
interface StopRequest {
  /** Cursor behind what was committed then. */
  readonly end: number;
  isDraining: boolean;
}

/** Follows a log, makes batches of its frames, and sends a prompt for each. */
export class ClaudeSonetAgent<P = unknown> extends EventEmitter<AgentEvents<P>> {
  readonly #settings: AgentSettings<P>;
  readonly #counters = new Counters();
  #batching: Batching;
  #ledger: Ledger | undefined;
  #run: AgentRun<P> | undefined;
  /** From `start()` to the end. */
  #done: Promise<StopResult> | undefined;
  #stop: StopRequest | undefined;
  #isOver = false;
  #hasFailed = false;
  /** Aborted past a deadline. */
  readonly #abort = new AbortController();

  /** @internal */
  constructor(settings: AgentSettings<P>) {
    super();
    this.#settings = settings;
    this.#batching = settings.batching;
  }

  /**
   * Begins where the checkpoint says. A second call does nothing; an agent that has stopped does not begin again. One that
   * could not begin may try again.
   *
   * @throws StrandError `ERR_STRAND_CLOSED` of one that was stopped, `ERR_STRAND_BUSY` where another agent has the
   *   checkpoint, `ERR_STRAND_FILE` where its folder is missing
   */
  start(): void {
    if (this.#stop !== undefined || this.#isOver) {
      throw new StrandClosedError('this agent has stopped: create another one');
    }
    if (this.#done !== undefined) return;
    const { checkpoint } = this.#settings;
    const file = checkpoint === undefined ? undefined : realPathOf(checkpoint);
    const lock = file === undefined ? undefined : lockCheckpoint(file);
    this.#done = this.#follow(file, lock);
  }

  /**
   * Changes limits while the agent runs, or before. A batch that has been begun stays as it is.
   *
   * @throws TypeError, RangeError for limits that make no sense; then nothing changes
   */
  configure(options: BatchingOptions): void {
    this.#batching = changeBatching(this.#batching, checkBatching(options));
    this.#run?.limitsChanged();
  }

  /** What the agent has counted since it was made. */
  metrics(): AgentMetrics {
    return this.#counters.metrics({ settledUpTo: this.#ledger?.settledUpTo, committed: this.#committed });
  }

  /**
   * The metrics in Prometheus's text format, version 0.0.4, with these labels on every sample. Times are in seconds there.
   *
   * @throws TypeError for a label that the format does not have
   */
  metricsText(labels?: MetricLabels): string {
    return prometheusText(this.metrics(), labels);
  }

  /**
   * Stops: settles everything that is committed by now, or with `drain: false` waits for attempts under way alone. Past
   * `deadlineMs` it waits for nothing more: what is not answered by then is in doubt, what is not sent is left for the next
   * start. Another call may shorten that.
   *
   * @returns when it is over, and nothing keeps the process alive. Does not reject: what went wrong is told by `error`
   * @throws TypeError, RangeError for options that make no sense
   */
  stop(options?: StopOptions): Promise<StopResult> {
    const { drain, deadlineMs } = checkStopOptions(options);
    this.#stop ??= { end: this.#committed, isDraining: true };
    this.#done ??= this.#over();
    const stop = this.#stop;
    stop.isDraining &&= drain;
    this.#applyStop();
    if (deadlineMs === undefined || this.#isOver) return this.#done;
    const abort = (): void => {
      stop.isDraining = false;
      this.#applyStop();
      this.#abort.abort();
    };
    const timer = setTimeout(abort, Math.min(deadlineMs, LONGEST_TIMER_MILLIS));
    return this.#done.finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #follow(checkpoint: string | undefined, lock: FileLock | undefined): Promise<StopResult> {
    const { identity } = this.#settings.sharedLog;
    let ledger: Ledger | undefined;
    try {
      ledger = await Ledger.open(checkpoint, { identity, from: this.#begin });
      this.#run = new AgentRun({
        settings: this.#settings,
        batching: () => this.#batching,
        ledger,
        counters: this.#counters,
        aborted: this.#abort.signal,
        tell: (event, value) => this.#tell(event, value),
      });
      this.#ledger = ledger;
      this.#applyStop();
      await this.#run.follow();
    } catch (error) {
      this.#tell('error', error);
    }
    await ledger?.close();
    lock?.release();
    return this.#over();
  }

  #applyStop(): void {
    if (this.#stop === undefined) return;
    const { end, isDraining } = this.#stop;
    this.#run?.endAt(end);
    if (!isDraining) this.#run?.end();
  }

  async #over(): Promise<StopResult> {
    this.#isOver = true;
    const settledUpTo = this.#ledger?.settledUpTo ?? 0;
    const isSettled = settledUpTo >= (this.#stop?.end ?? this.#committed);
    const result = { drained: isSettled && !this.#hasFailed };
    // Whoever hears of it may call `stop()`, which is to find that this is under way.
    await undefined;
    this.#tell('stopped', result);
    return result;
  }

  /** Cursor at which an agent begins that has nothing on record. */
  get #begin(): number {
    const { from } = this.#settings;
    if (from === 'oldest') return 0;
    return from === 'latest' ? this.#committed : Number(from);
  }

  /** Cursor behind what is committed. */
  get #committed(): number {
    const { size, dataOffset } = this.#settings.sharedLog.header;
    return Number(size - dataOffset);
  }

  /** What listeners throw is not the agent's error. */
  #tell<K extends keyof AgentEvents<P>>(event: K, value: AgentEvents<P>[K][0]): void {
    if (event === 'error') this.#hasFailed = true;
    try {
      (this as EventEmitter).emit(event, value);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/** Of whatever links lead there: a checkpoint under two names is one. */
function realPathOf(checkpoint: string): string {
  try {
    return realpathSync(checkpoint);
  } catch {
    // There is none yet, or only a link to where it is to be.
  }
  try {
    return realPathOf(path.resolve(path.dirname(checkpoint), readlinkSync(checkpoint)));
  } catch {
    // No link.
  }
  try {
    return path.join(realpathSync(path.dirname(checkpoint)), path.basename(checkpoint));
  } catch {
    // Nor a folder: the lock says so.
    return checkpoint;
  }
}

/** Two agents over one checkpoint would send everything twice. */
function lockCheckpoint(checkpoint: string): FileLock {
  const lock = takeLock(`${checkpoint}.lock`);
  if (lock !== undefined) return lock;
  throw new StrandBusyError(`the checkpoint '${checkpoint}' is in use: an agent that runs has it`);
}

function takeLock(file: string): FileLock | undefined {
  try {
    return FileLock.take(file);
  } catch (cause) {
    const message = `the checkpoint cannot be locked by the file beside it: ${(cause as Error).message}`;
    throw new StrandError('ERR_STRAND_FILE', message, { cause });
  }
}
