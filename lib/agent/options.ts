import path from 'node:path';
import { describeValue } from '../describe_value.js';
import { argumentError, rangeError } from '../errors.js';
import { filePathOf } from '../file_path.js';
import type { SharedLog } from '../log/shared_log.js';
import { checkFlag, checkNames, optionsOf } from '../options.js';
import type { RetryLimits, RetryOptions } from './backoff.js';
import type { AgentFrame, ClaudeClient, DeadLetter, Decoder, StopOptions } from './types.js';

/** What may change while an agent runs. */
export interface BatchingOptions {
  /** Frames of a prompt at most: 32 unless given. */
  readonly maxBatchMessages?: number | undefined;
  /** Bytes of a prompt's frames at most; a larger frame comes alone: 262,144 unless given. */
  readonly maxBatchBytes?: number | undefined;
  /** How long a frame waits for others: 200 unless given. */
  readonly maxLingerMs?: number | undefined;
  /** Age past which a frame is not sent, by the decoder's timestamp: none unless given. */
  readonly ttlMs?: number | undefined;
  /** Prompts under way at most: 1 unless given. */
  readonly concurrency?: number | undefined;
}

export interface AgentOptions<P = unknown> extends BatchingOptions {
  /** The log to follow. Its owner closes it, after `stop()`. */
  readonly sharedLog: SharedLog;
  /** Passed on to the client. */
  readonly model: string;
  readonly decoder: Decoder<P>;
  readonly claudeClient: ClaudeClient<NoInfer<P>>;
  /** Makes the prompt: a line of JSON for each payload unless given. */
  readonly formatPrompt?: ((frames: readonly AgentFrame<NoInfer<P>>[]) => string) | undefined;
  /** File that keeps what is settled, on a disk. Without one an agent begins where `from` says each time. */
  readonly checkpoint?: string | URL | undefined;
  /**
   * Where to begin while there is no checkpoint: at the `'oldest'` frame unless given, at what comes from `start()` on, or
   * at a cursor.
   */
  readonly from?: 'oldest' | 'latest' | bigint | undefined;
  /** Whether a batch is sent again whose answer may be lost: yes unless given. */
  readonly retryInDoubt?: boolean | undefined;
  readonly retry?: RetryOptions | undefined;
  /**
   * Takes batches that are given up. They are settled when its promise has resolved; where it throws or rejects the agent
   * stops with that error and calls it again when it starts the next time. It is not to wait for `stop()`, which waits for it.
   */
  readonly onDeadLetter?: ((letter: DeadLetter<NoInfer<P>>) => unknown) | undefined;
}

/** Batching options with all their values. */
export type Batching = { readonly [K in keyof BatchingOptions]-?: number };

/** An agent's options, checked. */
export interface AgentSettings<P> {
  readonly sharedLog: SharedLog;
  readonly model: string;
  readonly decoder: Decoder<P>;
  readonly claudeClient: ClaudeClient<P>;
  readonly formatPrompt: (frames: readonly AgentFrame<P>[]) => string;
  readonly checkpoint: string | undefined;
  readonly from: 'oldest' | 'latest' | bigint;
  readonly retryInDoubt: boolean;
  readonly retry: RetryLimits;
  readonly onDeadLetter: ((letter: DeadLetter<P>) => unknown) | undefined;
  readonly batching: Batching;
}

const BATCHING: Batching = {
  maxBatchMessages: 32,
  maxBatchBytes: 256 * 1024,
  maxLingerMs: 200,
  ttlMs: Number.POSITIVE_INFINITY,
  concurrency: 1,
};

const RETRY: RetryLimits = {
  maxAttempts: 6,
  baseMs: 500,
  maxMs: 30_000,
  budgetRatio: 0.2,
  budgetPerSecond: 1,
  budgetReserve: 20,
};

const OTHERS = [
  'sharedLog',
  'model',
  'decoder',
  'claudeClient',
  'formatPrompt',
  'checkpoint',
  'from',
  'retryInDoubt',
  'retry',
  'onDeadLetter',
] as const satisfies (keyof AgentOptions)[];

export function checkAgentOptions<P>(options: AgentOptions<P>): AgentSettings<P> {
  const what = 'createClaudeSonetAgent';
  const given = optionsOf(options, what, '{ sharedLog, model, decoder, claudeClient, … }');
  checkNames(given, what, [...OTHERS, ...Object.keys(BATCHING)]);
  const {
    sharedLog,
    model,
    decoder,
    claudeClient,
    formatPrompt,
    onDeadLetter,
    checkpoint,
    from = 'oldest',
  } = given;
  if (typeof sharedLog?.createIterator !== 'function' || typeof sharedLog.header !== 'object') {
    throw argumentError(`sharedLog is what createSharedLog() returns, got ${describeValue(sharedLog)}`);
  }
  if (typeof model !== 'string' || model === '') {
    throw argumentError(`model is the name of a model, got ${describeValue(model)}`);
  }
  if (typeof decoder !== 'function') throw functionError('decoder', decoder);
  if (typeof claudeClient?.sendPrompt !== 'function') {
    throw argumentError(`claudeClient is an object with sendPrompt(), got ${describeValue(claudeClient)}`);
  }
  if (formatPrompt !== undefined && typeof formatPrompt !== 'function') {
    throw functionError('formatPrompt', formatPrompt);
  }
  if (onDeadLetter !== undefined && typeof onDeadLetter !== 'function') {
    throw functionError('onDeadLetter', onDeadLetter);
  }
  checkFrom(from);
  return {
    sharedLog,
    model,
    decoder,
    claudeClient,
    formatPrompt: formatPrompt ?? jsonLines,
    // The working directory may change.
    checkpoint: checkpoint === undefined ? undefined : path.resolve(filePathOf(checkpoint, "a checkpoint's")),
    from,
    retryInDoubt: checkFlag('retryInDoubt', given.retryInDoubt, true),
    retry: checkRetry(given.retry),
    onDeadLetter,
    batching: changeBatching(BATCHING, given),
  };
}

function checkFrom(from: unknown): void {
  if (from === 'oldest' || from === 'latest') return;
  if (typeof from !== 'bigint') {
    throw argumentError(`an agent begins from 'oldest', 'latest' or a cursor, got ${describeValue(from)}`);
  }
  if (from < 0n || from > Number.MAX_SAFE_INTEGER) {
    throw rangeError(`a cursor is from 0n to ${Number.MAX_SAFE_INTEGER}n, got ${describeValue(from)}`);
  }
}

/** The options of `configure`. */
export function checkBatching(options: BatchingOptions): BatchingOptions {
  const given = optionsOf(options, 'configure', `{ ${Object.keys(BATCHING).join(', ')} }`);
  checkNames(given, 'configure', Object.keys(BATCHING));
  return given;
}

/** What is given, and of the rest what is in force. */
export function changeBatching(present: Batching, given: BatchingOptions): Batching {
  const whole = { least: 1, isWhole: true };
  const time = { least: 0, isWhole: false };
  const take = (name: keyof Batching, limits: NumberLimits): number =>
    given[name] === undefined ? present[name] : checkNumber(name, given[name], limits);
  return {
    maxBatchMessages: take('maxBatchMessages', whole),
    maxBatchBytes: take('maxBatchBytes', whole),
    maxLingerMs: take('maxLingerMs', time),
    ttlMs: take('ttlMs', time),
    concurrency: take('concurrency', { ...whole, mustBeFinite: true }),
  };
}

/** The options of `stop`. */
export function checkStopOptions(options: StopOptions | undefined): {
  readonly drain: boolean;
  readonly deadlineMs: number | undefined;
} {
  const given = optionsOf(options, 'stop', '{ drain, deadlineMs }');
  checkNames(given, 'stop', ['drain', 'deadlineMs'] satisfies (keyof StopOptions)[]);
  const { deadlineMs } = given;
  return {
    drain: checkFlag('drain', given.drain, true),
    deadlineMs:
      deadlineMs === undefined
        ? undefined
        : checkNumber('deadlineMs', deadlineMs, { least: 0, isWhole: false }),
  };
}

function checkRetry(retry: RetryOptions | undefined): RetryLimits {
  const names = Object.keys(RETRY) as (keyof RetryOptions)[];
  const given = optionsOf(retry, 'retry', `{ ${names.join(', ')} }`);
  checkNames(given, 'retry', names);
  const take = (name: keyof RetryOptions, limits: NumberLimits): number =>
    given[name] === undefined ? RETRY[name] : checkNumber(`retry.${name}`, given[name], limits);
  const amount = { least: 0, isWhole: false, mustBeFinite: true };
  return {
    maxAttempts: take('maxAttempts', { least: 1, isWhole: true }),
    baseMs: take('baseMs', amount),
    maxMs: take('maxMs', amount),
    budgetRatio: take('budgetRatio', amount),
    budgetPerSecond: take('budgetPerSecond', amount),
    budgetReserve: take('budgetReserve', amount),
  };
}

interface NumberLimits {
  readonly least: number;
  /** Whether it is an integer, or Infinity. */
  readonly isWhole: boolean;
  readonly mustBeFinite?: boolean;
}

function checkNumber(
  name: string,
  value: unknown,
  { least, isWhole, mustBeFinite = false }: NumberLimits,
): number {
  const kind = isWhole ? 'an integer' : 'a number';
  const expected = `${name} is ${kind} of at least ${least}${mustBeFinite ? ', and finite' : ''}`;
  if (typeof value !== 'number') throw argumentError(`${expected}, got ${describeValue(value)}`);
  const fits = isWhole ? Number.isInteger(value) || value === Number.POSITIVE_INFINITY : true;
  if (!(value >= least && fits && (!mustBeFinite || Number.isFinite(value)))) {
    throw rangeError(`${expected}, got ${describeValue(value)}`);
  }
  return value;
}

function functionError(name: string, value: unknown): TypeError {
  return argumentError(`${name} is a function, got ${describeValue(value)}`);
}

/** A line of JSON for each payload; what JSON does not have becomes text. */
function jsonLines<P>(frames: readonly AgentFrame<P>[]): string {
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  return frames.map(({ payload }) => JSON.stringify(payload, plain) ?? 'null').join('\n');
}
