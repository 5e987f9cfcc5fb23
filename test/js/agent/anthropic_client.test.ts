import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AnthropicClientOptions, createAnthropicClient, type PromptInput } from '../../../dist/agent.js';
import { thrownBy } from '../support/logs.js';
import {
  answer,
  type Behaviour,
  body,
  closedAddress,
  cut,
  cutInBody,
  forgetKeys,
  half,
  type MessagesService,
  silence,
  startMessages,
  status,
} from '../support/messages_server.js';
import { until } from '../support/threads.mjs';

/** Short, for services that do not answer. */
const TIMEOUT_MS = 100;

beforeEach(forgetKeys);

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const input = (more: Partial<PromptInput> = {}): PromptInput => ({
  model: 'the-agents',
  prompt: 'two\nlines',
  frames: [],
  batchId: 'batch-1',
  attempt: 1,
  signal: new AbortController().signal,
  ...more,
});

const clientOf = ({ baseURL }: { readonly baseURL: string }, options: AnthropicClientOptions = {}) =>
  createAnthropicClient({ baseURL, apiKey: 'key-1', ...options });

/** What a prompt is rejected with, which it must be. */
async function rejectionOf(sent: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return sent.then(
    () => {
      throw new Error('the prompt was answered');
    },
    (error) => error,
  );
}

/** The error of a prompt that a service treats so, by a client with these options. */
async function faultAt(
  behaviour: Behaviour,
  options?: AnthropicClientOptions,
): Promise<{ service: MessagesService; error: Error & Record<string, unknown> }> {
  const service = await startMessages();
  service.plan(behaviour);
  const error = await rejectionOf(clientOf(service, options).sendPrompt(input()));
  return { service, error };
}

describe('a request', () => {
  test('has the prompt as the one message of a user, the model of the agent, the key and the batch', async () => {
    const service = await startMessages();
    await clientOf(service).sendPrompt(input());
    const [request] = service.requests;
    expect(request?.body).toStrictEqual({
      model: 'the-agents',
      max_tokens: 1024,
      messages: [{ role: 'user', content: 'two\nlines' }],
    });
    expect(request?.key).toBe('key-1');
    expect(request?.headers['idempotency-key']).toBe('batch-1');
  });

  test('has the model, the system prompt and the tokens of the options', async () => {
    const service = await startMessages();
    const options = { model: 'another', system: 'Be brief.', maxTokens: 100_000 };
    await clientOf(service, options).sendPrompt(input());
    expect(service.requests[0]?.body).toMatchObject({
      model: 'another',
      system: 'Be brief.',
      max_tokens: 100_000,
    });
  });

  test('takes key and address from the environment where there are no options', async () => {
    const service = await startMessages();
    vi.stubEnv('ANTHROPIC_API_KEY', 'key-of-the-environment');
    vi.stubEnv('ANTHROPIC_BASE_URL', service.baseURL);
    const client = createAnthropicClient();
    vi.unstubAllEnvs();
    await client.sendPrompt(input());
    expect(service.requests[0]?.key).toBe('key-of-the-environment');
  });

  test('options go before the environment', async () => {
    const service = await startMessages();
    vi.stubEnv('ANTHROPIC_API_KEY', 'key-of-the-environment');
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'token-of-the-environment');
    vi.stubEnv('ANTHROPIC_BASE_URL', await closedAddress());
    await clientOf(service).sendPrompt(input());
    expect(service.requests[0]?.key).toBe('key-1');
  });
});

test('an answer has its request, its time and the message', async () => {
  const service = await startMessages();
  service.plan(answer('three events'));
  const { requestId, latencyMs, raw } = await clientOf(service).sendPrompt(input());
  expect(requestId).toMatch(/^req_/);
  expect(latencyMs).toBeGreaterThan(0);
  expect(raw).toMatchObject({ type: 'message', content: [{ type: 'text', text: 'three events' }] });
});

describe('an error says what to make of another attempt', () => {
  const lost = { retryable: true, inDoubt: true };
  test.each<[string, Behaviour, object]>([
    ['429', status(429, { headers: { 'retry-after': '2' } }), { retryAfterMs: 2000, inDoubt: false }],
    ['429 in milliseconds', status(429, { headers: { 'retry-after-ms': '350' } }), { retryAfterMs: 350 }],
    ['500', status(500), { retryable: true, inDoubt: false, fatal: false }],
    ['503', status(503), { retryable: true, inDoubt: false, fatal: false }],
    ['529', status(529, { type: 'overloaded_error' }), { retryable: true, inDoubt: false, fatal: false }],
    ['400', status(400), { retryable: false, inDoubt: false, fatal: false }],
    ['413', status(413), { retryable: false, inDoubt: false, fatal: false }],
    ['401', status(401), { retryable: false, inDoubt: false, fatal: true }],
    ['403', status(403), { retryable: false, inDoubt: false, fatal: true }],
    ['404', status(404), { retryable: false, inDoubt: false, fatal: true }],
    ['502', status(502), { ...lost, fatal: false }],
    ['504', status(504), { ...lost, fatal: false }],
    ['524', status(524), { ...lost, fatal: false }],
    ['a connection cut before the answer', cut, lost],
    ['a connection cut in the middle of the answer', cutInBody, lost],
    ['a body that is no JSON', body('{"id":'), lost],
    ['an empty body', body(''), { ...lost, code: 'ERR_STRAND_ANSWER' }],
    ['a page', body('<h1>Welcome</h1>', 'text/html'), { ...lost, code: 'ERR_STRAND_ANSWER' }],
    ['JSON that is no message', body('{"ok":true}'), { ...lost, code: 'ERR_STRAND_ANSWER' }],
    ['null', body('null'), { ...lost, code: 'ERR_STRAND_ANSWER' }],
  ])('%s', async (_, behaviour, expected) => {
    const { service, error } = await faultAt(behaviour);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject(expected);
    expect(service.requests, 'the SDK makes no attempts of its own').toHaveLength(1);
  });

  test('a date to wait for is as far away as it is', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const { error } = await faultAt(status(503, { headers: { 'retry-after': date } }));
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  });

  test.each([
    ['never begins its answer', silence],
    ['never ends its answer', half],
  ])('a service that %s is in doubt after timeoutMs', async (_, behaviour) => {
    const { service, error } = await faultAt(behaviour, { timeoutMs: TIMEOUT_MS });
    expect(error).toMatchObject({ ...lost, code: 'ERR_STRAND_TIMEOUT' });
    expect(error.message).toContain(`${TIMEOUT_MS} ms`);
    // Nor is it asked for the rest of it.
    await service.requests[0]?.closed;
  });

  test('timeoutMs is over, too, where the SDK waits for something else', async () => {
    vi.stubGlobal('fetch', () => new Promise(() => {}));
    const client = clientOf({ baseURL: 'http://127.0.0.1' }, { timeoutMs: TIMEOUT_MS });
    const error = await rejectionOf(client.sendPrompt(input()));
    expect(error).toMatchObject({ ...lost, code: 'ERR_STRAND_TIMEOUT' });
  });

  test('an address that nobody listens at was sent nothing', async () => {
    const client = clientOf({ baseURL: await closedAddress() });
    const error = await rejectionOf(client.sendPrompt(input()));
    expect(error).toMatchObject({ retryable: true, inDoubt: false, unsent: true });
    expect(error).toMatchObject({ message: expect.stringMatching(/^Connection error: .*ECONNREFUSED/) });
    expect(error).not.toHaveProperty('fatal');
  });

  test('a connection that does not come about in time was sent nothing', async () => {
    const late = Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed', { cause: late })));
    const error = await rejectionOf(clientOf({ baseURL: 'http://127.0.0.1' }).sendPrompt(input()));
    expect(error).toMatchObject({ retryable: true, inDoubt: false, unsent: true });
  });
});

describe('the signal of the caller', () => {
  test.each([
    ['before the answer', silence],
    ['in the middle of it', half],
  ])('ends a prompt %s, with its reason', async (_, behaviour) => {
    const service = await startMessages();
    service.plan(behaviour);
    const controller = new AbortController();
    const sent = rejectionOf(clientOf(service).sendPrompt(input({ signal: controller.signal })));
    await until(() => service.requests.length === 1);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await sent).toBe(reason);
    expect(Object.keys(reason), 'it is not the client that it belongs to').toStrictEqual([]);
    await service.requests[0]?.closed;
  });

  test('that is aborted already sends nothing', async () => {
    const service = await startMessages();
    const signal = AbortSignal.abort();
    const error = await rejectionOf(clientOf(service).sendPrompt(input({ signal })));
    expect(error).toBe(signal.reason);
    await clientOf(service).sendPrompt(input({ batchId: 'the next' }));
    expect(service.requests.map(({ headers }) => headers['idempotency-key'])).toStrictEqual(['the next']);
  });

  test('has no listeners left after many prompts, however they went', async () => {
    const service = await startMessages();
    const client = clientOf(service);
    const { signal } = new AbortController();
    const kinds = [answer(), status(429), cutInBody, body('no')];
    for (let i = 0; i < 100; i++) {
      service.plan(kinds[i % kinds.length] ?? answer());
      await client.sendPrompt(input({ signal })).catch(() => {});
    }
    expect(service.requests).toHaveLength(100);
    expect(getEventListeners(signal, 'abort')).toStrictEqual([]);
  });
});

describe('options', () => {
  const SECRET = 'sk-ant-secret';

  test.each<[string, unknown, string]>([
    ['apiKey', '', 'ERR_STRAND_INVALID_ARGUMENT'],
    ['apiKey', { [SECRET]: SECRET }, 'ERR_STRAND_INVALID_ARGUMENT'],
    ['apiKey', `${SECRET}\nx`, 'ERR_STRAND_INVALID_ARGUMENT'],
    ['apiKey', `${SECRET}\u2026`, 'ERR_STRAND_INVALID_ARGUMENT'],
    ['baseURL', '', 'ERR_STRAND_INVALID_ARGUMENT'],
    ['baseURL', 'nowhere', 'ERR_STRAND_INVALID_ARGUMENT'],
    ['baseURL', 'localhost:8080', 'ERR_STRAND_INVALID_ARGUMENT'],
    ['baseURL', new URL('http://localhost'), 'ERR_STRAND_INVALID_ARGUMENT'],
    ['baseURL', `http://me:${SECRET}@localhost`, 'ERR_STRAND_INVALID_ARGUMENT'],
    ['model', 7, 'ERR_STRAND_INVALID_ARGUMENT'],
    ['system', '', 'ERR_STRAND_INVALID_ARGUMENT'],
    ['maxTokens', 0, 'ERR_STRAND_OUT_OF_RANGE'],
    ['maxTokens', 1.5, 'ERR_STRAND_OUT_OF_RANGE'],
    ['maxTokens', '1024', 'ERR_STRAND_OUT_OF_RANGE'],
    ['timeoutMs', 0, 'ERR_STRAND_OUT_OF_RANGE'],
    ['timeoutMs', 2 ** 31, 'ERR_STRAND_OUT_OF_RANGE'],
    ['timeoutMs', Number.NaN, 'ERR_STRAND_OUT_OF_RANGE'],
    ['maxRetries', 3, 'ERR_STRAND_INVALID_ARGUMENT'],
  ])('%s is refused when it is %j', (name, value, code) => {
    const options = { apiKey: SECRET, [name]: value };
    const error = thrownBy(() => createAnthropicClient(options));
    expect(error).toBeInstanceOf(code === 'ERR_STRAND_OUT_OF_RANGE' ? RangeError : TypeError);
    expect(error.code).toBe(code);
    expect(error.message).toContain(name);
    expect(error.message).not.toContain(SECRET);
  });

  test('a key in place of options is refused, and not shown', () => {
    // @ts-expect-error it is no object
    const error = thrownBy(() => createAnthropicClient(SECRET));
    expect(error.code).toBe('ERR_STRAND_INVALID_ARGUMENT');
    expect(error.message).not.toContain(SECRET);
  });

  test('a token of the environment that no header holds is refused, and not shown', () => {
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', `${SECRET}\nx`);
    const error = thrownBy(() => createAnthropicClient());
    expect(error.message).toContain('authToken');
    expect(error.message).not.toContain(SECRET);
  });
});
