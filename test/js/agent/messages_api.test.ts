import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  type AgentOptions,
  type AnthropicClientOptions,
  type ClaudeSonetAgent,
  createAnthropicClient,
  createClaudeSonetAgent,
  type DeadLetter,
  type Decoder,
  type InDoubt,
} from '../../../dist/agent.js';
import { bytesOf, freshPath, openWritable, type WritableLog } from '../support/logs.js';
import {
  answer,
  type Behaviour,
  body,
  cut,
  cutInBody,
  forgetKeys,
  half,
  type MessagesService,
  silence,
  startMessages,
  status,
} from '../support/messages_server.js';
import { seed } from '../support/seed.js';
import { until } from '../support/threads.mjs';

/** Longer than any answer takes, on a machine that is busy with other things too. */
const TIMEOUT_MS = 600_000;

beforeEach(forgetKeys);

afterEach(() => {
  vi.unstubAllEnvs();
});

const decoder: Decoder<string> = (buffer) => ({
  ok: true,
  frame: { payload: String(buffer), raw: Buffer.from(buffer) },
});

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `event-${i}`);

interface Followed {
  readonly agent: ClaudeSonetAgent<string>;
  readonly errors: unknown[];
  readonly letters: DeadLetter<string>[];
  readonly inDoubt: InDoubt[];
  /** Payloads by the answers that were told. */
  readonly answered: string[];
}

/** An agent that sends a frame at a time to a service, two at once. It has stopped when the test has finished. */
function follow(
  log: WritableLog,
  { baseURL }: MessagesService,
  { client, ...options }: Partial<AgentOptions<string>> & { readonly client?: AnthropicClientOptions } = {},
): Followed {
  const agent = createClaudeSonetAgent<string>({
    sharedLog: log,
    model: 'claude',
    decoder,
    claudeClient: createAnthropicClient({ baseURL, apiKey: 'key', timeoutMs: TIMEOUT_MS, ...client }),
    formatPrompt: (frames) => frames.map(({ payload }) => payload).join('\n'),
    maxBatchMessages: 1,
    concurrency: 2,
    retry: { maxAttempts: 50, baseMs: 1, maxMs: 5, budgetReserve: 1000 },
    ...options,
  });
  const followed: Followed = { agent, errors: [], letters: [], inDoubt: [], answered: [] };
  agent.on('error', (error) => followed.errors.push(error));
  agent.on('deadLetter', (letter) => followed.letters.push(letter));
  agent.on('inDoubt', (told) => followed.inDoubt.push(told));
  agent.on('answer', ({ frames }) => followed.answered.push(...frames.map(({ payload }) => payload)));
  onTestFinished(async () => void (await agent.stop({ deadlineMs: 0 })));
  agent.start();
  return followed;
}

const notServed: Behaviour[] = [
  status(429, { headers: { 'retry-after-ms': '3' } }),
  status(500),
  status(529, { type: 'overloaded_error' }),
  status(503),
];
const lost: Behaviour[] = [cut, cutInBody, body('{"id":'), body('<p>', 'text/html'), status(504)];

test('every frame is answered in the end, whatever the service did in between', async () => {
  const service = await startMessages();
  service.plan(...shuffled([...notServed, ...lost]));
  const log = openWritable();
  const events = names(20);
  log.writer.appendBatch(bytesOf(...events));
  const { agent, answered, letters, inDoubt, errors } = follow(log, service);
  expect(await agent.stop()).toStrictEqual({ drained: true });
  expect([...service.answered].sort()).toStrictEqual([...events].sort());
  expect([...answered].sort()).toStrictEqual([...events].sort());
  const failed = notServed.length + lost.length;
  expect(service.requests).toHaveLength(events.length + failed);
  expect(agent.metrics()).toMatchObject({
    promptsSent: events.length + failed,
    promptsAnswered: events.length,
    framesAnswered: events.length,
    promptsFailed: failed,
    retries: failed,
    promptsInDoubt: lost.length,
    deadLetters: 0,
    backlogBytes: 0,
  });
  expect(inDoubt.map(({ retried }) => retried)).toStrictEqual(lost.map(() => true));
  expect([letters, errors]).toStrictEqual([[], []]);
});

test.each([
  ['begins', silence],
  ['ends', half],
])('a service that never %s its answer is asked again after timeoutMs', async (_, behaviour) => {
  const service = await startMessages();
  service.plan(behaviour, behaviour);
  const log = openWritable();
  log.writer.append(Buffer.from('a'));
  const { agent, answered, inDoubt } = follow(log, service, { client: { timeoutMs: 200 } });
  expect(await agent.stop()).toStrictEqual({ drained: true });
  expect(answered).toStrictEqual(['a']);
  // On a busy machine an answer may come too late as well.
  expect(inDoubt.length).toBeGreaterThanOrEqual(2);
  for (const { error } of inDoubt) expect(error).toMatchObject({ code: 'ERR_STRAND_TIMEOUT' });
  expect(agent.metrics()).toMatchObject({
    promptsInDoubt: inDoubt.length,
    retries: inDoubt.length,
    promptsAnswered: 1,
  });
});

test('attempts at a batch have the same idempotency key, and batches have their own', async () => {
  const service = await startMessages();
  service.plan(status(500), cut, status(529));
  const log = openWritable();
  log.writer.appendBatch(bytesOf('a', 'b', 'c'));
  await follow(log, service).agent.stop();
  const keys = new Map<string, Set<string | undefined>>();
  for (const { prompt, headers } of service.requests) {
    const found = keys.get(prompt) ?? new Set();
    keys.set(prompt, found.add(headers['idempotency-key']?.toString()));
  }
  expect([...keys.values()].map(({ size }) => size)).toStrictEqual([1, 1, 1]);
  expect(new Set([...keys.values()].flatMap((found) => [...found])).size).toBe(3);
});

test('a service that asks for time gets it', async () => {
  const service = await startMessages();
  service.plan(status(429, { headers: { 'retry-after': '1' } }));
  const log = openWritable();
  log.writer.append(Buffer.from('a'));
  const { agent } = follow(log, service);
  const delays: number[] = [];
  agent.on('retry', ({ delayMs }) => delays.push(delayMs));
  await agent.stop();
  expect(delays).toHaveLength(1);
  expect(delays[0]).toBeGreaterThanOrEqual(1000);
  expect(service.answered).toStrictEqual(['a']);
});

test.each([
  ['was cut', cut],
  ['was cut in the middle of the answer', cutInBody],
  ['got a broken answer', body('{')],
])('with retryInDoubt: false a prompt that %s is told of and not sent again', async (_, behaviour) => {
  const service = await startMessages();
  // What is known not to be served is sent again.
  service.plan(status(500), behaviour);
  const log = openWritable();
  log.writer.appendBatch(bytesOf('a', 'b', 'c'));
  const { agent, inDoubt, answered } = follow(log, service, { retryInDoubt: false, concurrency: 1 });
  expect(await agent.stop()).toStrictEqual({ drained: true });
  expect(service.requests.map(({ prompt }) => prompt)).toStrictEqual(['a', 'a', 'b', 'c']);
  expect(answered).toStrictEqual(['b', 'c']);
  expect(inDoubt).toMatchObject([
    { cursors: [0n], retried: false, batchId: service.requests[0]?.headers['idempotency-key'] },
  ]);
  expect(agent.metrics()).toMatchObject({ promptsInDoubt: 1, framesInDoubt: 1, retries: 1, deadLetters: 0 });
});

test('a wrong key stops the agent, and leaves every frame to the next one', async () => {
  const service = await startMessages({ key: 'right' });
  const log = openWritable();
  const checkpoint = freshPath('agent.checkpoint');
  log.writer.appendBatch(bytesOf('a', 'b', 'c'));
  const wrong = follow(log, service, { checkpoint, client: { apiKey: 'wrong' } });
  await new Promise((resolve) => wrong.agent.once('stopped', resolve));
  expect(wrong.errors).toMatchObject([{ status: 401, fatal: true }]);
  expect(wrong.letters).toStrictEqual([]);
  expect(wrong.agent.metrics()).toMatchObject({ settledUpTo: 0n, deadLetters: 0, promptsInDoubt: 0 });
  expect(service.answered).toStrictEqual([]);

  const right = follow(log, service, { checkpoint, client: { apiKey: 'right' }, concurrency: 1 });
  expect(await right.agent.stop()).toStrictEqual({ drained: true });
  expect(service.answered).toStrictEqual(['a', 'b', 'c']);
  expect(right.inDoubt, 'nobody has served them').toStrictEqual([]);
});

test('a prompt that is refused becomes a dead letter, and the agent goes on', async () => {
  const service = await startMessages();
  service.plan(answer(), status(400, { message: 'prompt is too long' }));
  const log = openWritable();
  log.writer.appendBatch(bytesOf('a', 'b', 'c'));
  const { agent, letters, answered } = follow(log, service, { concurrency: 1 });
  expect(await agent.stop()).toStrictEqual({ drained: true });
  expect(answered).toStrictEqual(['a', 'c']);
  expect(letters).toMatchObject([{ attempts: 1, inDoubt: false, frames: [{ payload: 'b' }] }]);
  expect(String(letters[0]?.error)).toContain('prompt is too long');
  expect(service.requests.map(({ prompt }) => prompt)).toStrictEqual(['a', 'b', 'c']);
});

test('a deadline ends a prompt that is not answered, and its frame is in doubt for the next agent', async () => {
  const service = await startMessages();
  service.plan(silence);
  const log = openWritable();
  const checkpoint = freshPath('agent.checkpoint');
  log.writer.appendBatch(bytesOf('a', 'b'));
  const options = { checkpoint, concurrency: 1 };
  const first = follow(log, service, options);
  await until(() => service.requests.length === 1);
  expect(await first.agent.stop({ deadlineMs: 0 })).toStrictEqual({ drained: false });
  await service.requests[0]?.closed;

  const second = follow(log, service, options);
  expect(await second.agent.stop()).toStrictEqual({ drained: true });
  const batchId = service.requests[0]?.headers['idempotency-key'];
  expect(second.inDoubt).toMatchObject([{ batchId, cursors: [0n], retried: true }]);
  expect(service.answered).toStrictEqual(['a', 'b']);
  expect(service.requests[1]?.headers['idempotency-key']).toBe(batchId);
});

/** In an order that the seed tells. */
function shuffled<T>(values: readonly T[]): T[] {
  let state = seed;
  return values
    .map((value) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return { value, at: state };
    })
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
