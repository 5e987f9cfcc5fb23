import { createRequire } from 'node:module';
import type * as Sdk from '@anthropic-ai/sdk';
import { describeValue } from '../describe_value.js';
import { argumentError, rangeError, StrandError } from '../errors.js';
import { checkNames, optionsOf } from '../options.js';
import { LONGEST_TIMER_MILLIS } from '../waits.js';
import { anthropicFault } from './anthropic_fault.js';
import { Deadline } from './deadline.js';
import type { ClaudeClient, PromptFault } from './types.js';
import { untilAborted } from './until_aborted.js';

export interface AnthropicClientOptions {
  /** `ANTHROPIC_API_KEY` of the environment unless given. */
  readonly apiKey?: string | undefined;
  /** `ANTHROPIC_BASE_URL` of the environment unless given, or Anthropic's own. */
  readonly baseURL?: string | undefined;
  /** In place of the agent's. */
  readonly model?: string | undefined;
  /** The system prompt. */
  readonly system?: string | undefined;
  /** Of an answer: 1,024 unless given. */
  readonly maxTokens?: number | undefined;
  /** For an attempt, from its start to the last byte of its answer: 60,000 unless given. Node's fetch waits for 300,000 at most. */
  readonly timeoutMs?: number | undefined;
}

const TEXTS = ['apiKey', 'baseURL', 'model', 'system'] as const;
const NAMES = [...TEXTS, 'maxTokens', 'timeoutMs'] as const satisfies (keyof AnthropicClientOptions)[];
const MAX_TOKENS = 1024;
const TIMEOUT_MILLIS = 60_000;
const MAX_CAUSES = 10;

/**
 * A client of Anthropic's Messages API, by the package `@anthropic-ai/sdk`, which you install. Each prompt is the one message
 * of a user; `output.raw` is the SDK's `Message`. The SDK makes no retries: they are the agent's.
 *
 * @throws StrandError `ERR_STRAND_PEER_MISSING` where the package is not installed
 * @throws TypeError, RangeError for options that make no sense, none of which shows the key
 */
export function createAnthropicClient(options?: AnthropicClientOptions): ClaudeClient {
  const { apiKey, baseURL, model, system, maxTokens, timeoutMs } = checkOptions(options);
  const sdk = loadPeer();
  const client = new sdk.Anthropic({
    maxRetries: 0,
    timeout: timeoutMs,
    fetch: fetchWithCause,
    ...(apiKey !== undefined && { apiKey }),
    ...(baseURL !== undefined && { baseURL }),
  });
  checkAddress(client.baseURL);
  checkSecrets(client);
  return {
    async sendPrompt({ model: usual, prompt, batchId, signal }) {
      signal.throwIfAborted();
      const started = performance.now();
      // The SDK's own timeout ends with the headers of the answer, and begins behind the exchange of credentials for a token.
      const deadline = new Deadline(timeoutMs, signal);
      let hasHeaders = false;
      let message: unknown;
      try {
        const request = client.messages.create(
          {
            model: model ?? usual,
            max_tokens: maxTokens,
            messages: [{ role: 'user', content: prompt }],
            ...(system !== undefined && { system }),
          },
          { signal: deadline.signal, headers: { 'idempotency-key': batchId } },
        );
        const answer = untilAborted(request, deadline.signal);
        request.asResponse().then(
          () => {
            hasHeaders = true;
          },
          () => {},
        );
        const given = await answer;
        // What the SDK is at may not heed the signal.
        if (given === undefined) throw deadline.signal.reason;
        message = given.value;
      } catch (error) {
        signal.throwIfAborted();
        if (deadline.isOver) throw timeoutError(timeoutMs, error);
        if (error instanceof sdk.APIConnectionError) tellWhy(error);
        throw Object.assign(Object(error), anthropicFault(error, sdk, hasHeaders));
      } finally {
        deadline.clear();
      }
      if (!isMessage(message)) throw answerError(message);
      return {
        requestId: message._request_id ?? message.id,
        latencyMs: performance.now() - started,
        raw: message,
      };
    },
  };
}

/**
 * The global one, as it is at that moment. Errors have a cause more: the SDK drops the error of a connection that takes too long
 * if it finds it right below its own, and with it what tells that nothing was sent.
 */
async function fetchWithCause(...request: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(...request);
  } catch (cause) {
    throw new Error('the request has failed', { cause });
  }
}

/** The SDK says "Connection error.", and no more. */
function tellWhy(error: Error): void {
  let cause: unknown = error.cause;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    const [first]: unknown[] = cause instanceof AggregateError ? cause.errors : [];
    const next = first ?? cause.cause;
    if (next === undefined) error.message = `${error.message.replace(/\.$/, '')}: ${cause.message}`;
    cause = next;
  }
}

function checkOptions(options: AnthropicClientOptions | undefined) {
  const what = 'createAnthropicClient';
  const members = `{ ${NAMES.join(', ')} }`;
  // A text in their place may be the key, which no message shows.
  if (typeof options === 'string')
    throw argumentError(`${what} takes options as an object ${members}, not a text`);
  const given = optionsOf(options, what, members);
  checkNames(given, what, NAMES);
  for (const name of TEXTS) {
    const value: unknown = given[name];
    if (value === undefined || (typeof value === 'string' && value !== '')) continue;
    const found =
      name === 'apiKey' && value !== '' ? `a value of type ${typeof value}` : describeValue(value);
    throw argumentError(`${name} is a text that is not empty, got ${found}`);
  }
  const { maxTokens = MAX_TOKENS, timeoutMs = TIMEOUT_MILLIS } = given;
  if (!(Number.isSafeInteger(maxTokens) && maxTokens >= 1)) {
    throw rangeError(`maxTokens is an integer of at least 1, got ${describeValue(maxTokens)}`);
  }
  if (!(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= LONGEST_TIMER_MILLIS)) {
    throw rangeError(
      `timeoutMs is an integer from 1 to ${LONGEST_TIMER_MILLIS}, got ${describeValue(timeoutMs)}`,
    );
  }
  return { ...given, maxTokens, timeoutMs };
}

/** What fetch refuses would look like a service that cannot be reached. */
function checkAddress(text: string): void {
  const { protocol, username, password } = URL.canParse(text)
    ? new URL(text)
    : { protocol: '', username: '', password: '' };
  if (username !== '' || password !== '') {
    throw argumentError('baseURL is the address of a service, without the name of a user and a password');
  }
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw argumentError(
      `baseURL is the address of a service, of http: or https:, got ${describeValue(text)}`,
    );
  }
}

/** What a header cannot hold: the error of one that tries would show the key. */
function checkSecrets(client: Sdk.Anthropic): void {
  for (const name of ['apiKey', 'authToken'] as const) {
    if (/[^\x21-\x7e]/.test(client[name] ?? '')) {
      throw argumentError(`${name} has characters that no key has, like a space or the end of a line`);
    }
  }
}

/** A body of another media type comes as a text, an empty one as undefined. */
function isMessage(value: unknown): value is Sdk.Anthropic.Message & { _request_id?: string | null } {
  return (
    typeof value === 'object' && value !== null && Array.isArray((value as { content?: unknown }).content)
  );
}

/** The prompt was served, and what came of it is lost. */
function answerError(answer: unknown): StrandError {
  const error = new StrandError(
    'ERR_STRAND_ANSWER',
    `the service's answer is no message of the Messages API, but ${describeValue(answer)}`,
  );
  return Object.assign(error, { retryable: true, inDoubt: true } satisfies PromptFault);
}

function timeoutError(timeoutMs: number, cause: unknown): StrandError {
  const message = `the service has not answered within timeoutMs, ${timeoutMs} ms`;
  const error = new StrandError('ERR_STRAND_TIMEOUT', message, { cause });
  return Object.assign(error, { retryable: true, inDoubt: true } satisfies PromptFault);
}

/** At once, not by `import()`: what is wrong with a client is known when it is made. */
function loadPeer(): typeof Sdk {
  try {
    return createRequire(import.meta.url)('@anthropic-ai/sdk') as typeof Sdk;
  } catch (cause) {
    // A package that is there and fails to load has an error of its own to tell.
    if (!isMissing(cause)) throw cause;
    throw new StrandError(
      'ERR_STRAND_PEER_MISSING',
      "createAnthropicClient needs the package '@anthropic-ai/sdk', which is not installed: npm install @anthropic-ai/sdk",
      { cause },
    );
  }
}

function isMissing(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === 'MODULE_NOT_FOUND' && String(message).includes("'@anthropic-ai/sdk'");
}
