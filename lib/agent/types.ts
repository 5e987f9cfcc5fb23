/** A frame as the decoder understands it. */
export interface DecodedFrame<P = unknown> {
  /** What the prompt is made of. */
  readonly payload: P;
  /** The frame's bytes, or a copy of what of them is to be kept: a Buffer of the log keeps all that was read with it. */
  readonly raw: Uint8Array;
  /** When it happened, in milliseconds as of `Date.now()`. Frames without one never expire. */
  readonly timestamp?: number | bigint | undefined;
}

export type DecodeResult<P = unknown> =
  | { readonly ok: true; readonly frame: DecodedFrame<P> }
  | { readonly ok: false; readonly error: unknown };

/**
 * Understands a frame. An error, returned or thrown, costs that frame alone, unless it says `fatal: true`: then the agent
 * stops with it.
 */
export type Decoder<P = unknown> = (buffer: Buffer) => DecodeResult<P>;

/** A frame with its place in the log. */
export interface AgentFrame<P = unknown> extends DecodedFrame<P> {
  /** Where it begins: what `cursor()` of an iterator of the log says there. */
  readonly cursor: bigint;
}

export interface PromptInput<P = unknown> {
  readonly model: string;
  readonly prompt: string;
  /** In the order of the log. */
  readonly frames: readonly AgentFrame<P>[];
  /** The same for every attempt with the same frames, also after a restart. Frames that expire between attempts make it another. */
  readonly batchId: string;
  /** From 1 on; counted anew after a restart. */
  readonly attempt: number;
  /** Aborted when the agent does not wait for the answer any more. */
  readonly signal: AbortSignal;
}

export interface PromptOutput {
  readonly requestId: string;
  readonly latencyMs: number;
  /** The answer, as it came. */
  readonly raw: unknown;
}

/**
 * Sends prompts. A batch is on record as answered once the promise has resolved; what must be kept of an answer is best kept
 * before that.
 */
export interface ClaudeClient<P = unknown> {
  /** Rejects with any error; see {@link PromptFault} for what it may say. */
  sendPrompt(input: PromptInput<P>): Promise<PromptOutput>;
}

/**
 * What an error of `sendPrompt` may say by properties of these names. An error that says nothing means that the prompt was
 * certainly not served, and may go better another time.
 */
export interface PromptFault {
  /** Whether there is use in another attempt: yes unless it is false. */
  readonly retryable?: boolean;
  /** How long to wait before it at least. */
  readonly retryAfterMs?: number;
  /** The request may have been served: it was sent, and its answer is lost. */
  readonly inDoubt?: boolean;
  /** Nothing was sent, the network is down: does not count against `maxAttempts`. */
  readonly unsent?: boolean;
  /** Nothing else would go better, the key is wrong: the agent stops with this error, and gives no frame up. */
  readonly fatal?: boolean;
}

/** A batch that was given up. */
export interface DeadLetter<P = unknown> {
  readonly batchId: string;
  /** Of all its frames. */
  readonly cursors: readonly bigint[];
  /** Its frames, but for those that the decoder does not understand any more where a restart lies between. */
  readonly frames: readonly AgentFrame<P>[];
  /** Attempts of the process that gave it up. */
  readonly attempts: number;
  /** Why; of a letter that is told of again after a restart an Error with the same message. */
  readonly error: unknown;
  /** Whether any of the attempts may have been served. */
  readonly inDoubt: boolean;
}

/** A batch that was sent and whose answer is lost. */
export interface InDoubt {
  readonly batchId: string;
  readonly cursors: readonly bigint[];
  /**
   * Whether the agent goes on with it, as `retryInDoubt` says: sends it again, now or at the next start, or gives it up. Otherwise
   * it is done with it.
   */
  readonly retried: boolean;
  /** Why, if this process has sent it: `ERR_STRAND_ABORTED` past a deadline. Undefined where an earlier one did. */
  readonly error: unknown;
}

/** A batch whose answer is on record. */
export interface Answer<P = unknown> {
  readonly batchId: string;
  readonly frames: readonly AgentFrame<P>[];
  readonly attempt: number;
  readonly output: PromptOutput;
}

export interface Retry {
  readonly batchId: string;
  /** The one that failed. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: unknown;
}

/** An agent's events. Listeners that throw do so outside of the agent, which goes on. */
export interface AgentEvents<P = unknown> {
  answer: [Answer<P>];
  retry: [Retry];
  deadLetter: [DeadLetter<P>];
  /** The decoder does not understand a frame. */
  decodeError: [{ readonly cursor: bigint; readonly error: unknown }];
  /** A frame is older than `ttlMs`. */
  expired: [{ readonly cursor: bigint }];
  inDoubt: [InDoubt];
  /**
   * The agent cannot go on. Told once, with the first reason, and at once. Where that is the log, frames that were read before
   * are settled all the same; otherwise nothing more is attempted. It has stopped when what is under way has come to its end.
   */
  error: [unknown];
  stopped: [StopResult];
}

export interface StopOptions {
  /** Whether everything that is committed by now is settled first; otherwise it waits for attempts under way alone: yes unless given. */
  readonly drain?: boolean | undefined;
  /** Milliseconds for that. What is not answered by then is in doubt. As long as it takes unless given. */
  readonly deadlineMs?: number | undefined;
}

export interface StopResult {
  /** Whether everything is settled that was committed when `stop` was called; never after an `error`. */
  readonly drained: boolean;
}
