import { describe, expect, test } from 'vitest';
import type { DeadLetter, InDoubt, PromptInput } from '../../../dist/agent.js';
import {
  agentOf,
  type Event,
  freshCheckpoint,
  HeldClient,
  idsOf,
  logOf,
  numbers,
  OUTPUT,
  RecordingClient,
  readCheckpoint,
  runToEnd,
  stopped,
  until,
} from '../support/agents.js';

const failing = (times: number, error: unknown = new Error('no')) =>
  new RecordingClient(({ attempt }) => {
    if (attempt <= times) throw error;
    return OUTPUT;
  });

describe('a prompt', () => {
  test('is told everything that it needs', async () => {
    const claudeClient = new RecordingClient();
    const sharedLog = logOf(2);
    await runToEnd({ sharedLog, claudeClient, model: 'claude-x' });
    const [{ model, prompt, frames, batchId, attempt, signal }] = claudeClient.asked as [PromptInput<Event>];
    expect({ model, prompt, attempt }).toStrictEqual({
      model: 'claude-x',
      prompt: '{"id":0}\n{"id":1}',
      attempt: 1,
    });
    expect(batchId).toMatch(/^[0-9a-f-]{36}$/);
    expect(signal.aborted).toBe(false);
    expect(frames.map(({ raw }) => String(raw))).toStrictEqual(['{"id":0}', '{"id":1}']);
    const iterator = sharedLog.createIterator({ startCursor: frames[1]?.cursor ?? -1n });
    expect(String(iterator.next())).toBe('{"id":1}');
  });

  test('is what formatPrompt makes of its frames', async () => {
    const claudeClient = new RecordingClient();
    const formatPrompt = (frames: readonly { payload: Event }[]) =>
      frames.map(({ payload }) => payload.id).join('+');
    await runToEnd({ sharedLog: logOf(3), claudeClient, formatPrompt });
    expect(claudeClient.asked.map(({ prompt }) => prompt)).toStrictEqual(['0+1+2']);
  });

  test('has JSON of payloads that JSON does not know', async () => {
    const claudeClient = new RecordingClient();
    const payloads = [12n, undefined, { big: 1n }];
    let next = 0;
    await runToEnd({
      sharedLog: logOf(3),
      claudeClient,
      decoder: (raw) => ({ ok: true, frame: { payload: payloads[next++] as never, raw } }),
    });
    expect(claudeClient.asked[0]?.prompt).toBe('"12"\nnull\n{"big":"1"}');
  });

  test.each([
    ['returns a promise', () => Promise.reject(new Error('later')) as never, 'returned a promise'],
    [
      'says that it is fatal',
      () => {
        throw Object.assign(new Error('no template'), { fatal: true });
      },
      'no template',
    ],
  ])('whose formatPrompt %s stops the agent, and is no dead letter', async (_, formatPrompt, message) => {
    const { agent, told } = agentOf({
      sharedLog: logOf(2),
      claudeClient: new RecordingClient(),
      formatPrompt,
    });
    agent.start();
    await stopped(agent);
    expect(told.error).toMatchObject([{ message: expect.stringContaining(message) }]);
    expect(told.deadLetter).toHaveLength(0);
    expect(agent.metrics()).toMatchObject({ promptsSent: 0, settledUpTo: 0n });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no prompt');
      },
      'no prompt',
    ],
    ['returns something else', () => 12 as never, 'formatPrompt returns a string, got 12'],
  ])('whose formatPrompt %s is a dead letter that was never sent', async (_, formatPrompt, message) => {
    const claudeClient = new RecordingClient();
    const { agent, told } = await runToEnd({ sharedLog: logOf(2), claudeClient, formatPrompt });
    expect(claudeClient.asked).toHaveLength(0);
    const [letter] = told.deadLetter as [DeadLetter<Event>];
    expect(letter).toMatchObject({ attempts: 0, inDoubt: false, error: { message } });
    expect(idsOf(letter)).toStrictEqual([0, 1]);
    expect(agent.metrics()).toMatchObject({ framesFailed: 2, backlogBytes: 0 });
  });

  test('whose client keeps no time is timed, and one that gives nothing is answered', async () => {
    const throwing = Object.defineProperty({}, 'latencyMs', {
      get: () => {
        throw new Error('getter');
      },
    });
    const outputs = [throwing, undefined, { requestId: 'r', latencyMs: Number.NaN, raw: 1 }];
    const claudeClient = new RecordingClient(() => outputs.pop() as never);
    const { agent, told } = await runToEnd({ sharedLog: logOf(3), claudeClient, maxBatchMessages: 1 });
    expect(told.answer).toMatchObject([
      { output: { requestId: 'r', raw: 1, latencyMs: expect.any(Number) } },
      { output: { requestId: '', raw: undefined, latencyMs: expect.any(Number) } },
      { output: { requestId: '', latencyMs: expect.any(Number) } },
    ]);
    expect(agent.metrics().latencyMs).toMatchObject({ count: 3, mean: expect.any(Number) });
  });
});

describe('an attempt that fails', () => {
  test('is made again, with the same frames, batchId and prompt', async () => {
    const claudeClient = failing(3);
    const { agent, told } = await runToEnd({ sharedLog: logOf(4), claudeClient });
    expect(claudeClient.asked.map(({ attempt }) => attempt)).toStrictEqual([1, 2, 3, 4]);
    expect(new Set(claudeClient.asked.map(({ batchId, prompt }) => batchId + prompt)).size).toBe(1);
    expect(claudeClient.batches).toStrictEqual(new Array(4).fill(numbers(0, 4)));
    expect(told.retry).toHaveLength(3);
    expect(told.answer).toMatchObject([{ attempt: 4 }]);
    expect(agent.metrics()).toMatchObject({
      promptsSent: 4,
      promptsFailed: 3,
      promptsAnswered: 1,
      retries: 3,
    });
  });

  test('for the last time makes its batch a dead letter, and the others go on', async () => {
    const letters: DeadLetter<Event>[] = [];
    const claudeClient = new RecordingClient(({ frames }) => {
      if (frames.some(({ payload }) => payload.id === 3)) throw new Error('never');
      return OUTPUT;
    });
    const { agent, told } = await runToEnd({
      sharedLog: logOf(6),
      claudeClient,
      maxBatchMessages: 2,
      retry: { baseMs: 0, maxAttempts: 3 },
      onDeadLetter: async (letter) => {
        await new Promise(setImmediate);
        letters.push(letter);
        // Whatever it says.
        return 'aborted';
      },
    });
    expect(letters).toMatchObject([{ attempts: 3, inDoubt: false, error: { message: 'never' } }]);
    expect(letters.map(idsOf)).toStrictEqual([[2, 3]]);
    expect(letters[0]?.cursors).toStrictEqual(letters[0]?.frames.map(({ cursor }) => cursor));
    expect(told.deadLetter).toStrictEqual(letters);
    expect(agent.metrics()).toMatchObject({
      framesAnswered: 4,
      framesFailed: 2,
      deadLetters: 1,
      backlogBytes: 0,
    });
  });

  test('and says that there is no use in another is the last', async () => {
    const claudeClient = failing(9, Object.assign(new Error('no'), { retryable: false }));
    const { told } = await runToEnd({ sharedLog: logOf(1), claudeClient });
    expect(claudeClient.asked).toHaveLength(1);
    expect(told.deadLetter).toMatchObject([{ attempts: 1 }]);
  });

  test('and was not sent at all does not count', async () => {
    const unsent = Object.assign(new Error('no network'), { unsent: true });
    const claudeClient = new RecordingClient(({ attempt }) => {
      if (attempt <= 10) throw unsent;
      throw new Error('no');
    });
    const { told } = await runToEnd({
      sharedLog: logOf(1),
      claudeClient,
      retry: { baseMs: 0, maxAttempts: 2, budgetReserve: 100 },
    });
    expect(claudeClient.asked).toHaveLength(12);
    expect(told.deadLetter).toMatchObject([{ attempts: 12, error: { message: 'no' } }]);
  });

  test('and says when to come again is not made again before', async () => {
    const claudeClient = failing(1, Object.assign(new Error('wait'), { retryAfterMs: 40 }));
    const { told } = await runToEnd({ sharedLog: logOf(1), claudeClient });
    expect((told.retry as [{ delayMs: number }])[0].delayMs).toBeGreaterThanOrEqual(40);
    expect(claudeClient.asked).toHaveLength(2);
  });

  test.each([
    ['undefined', undefined],
    ['a text', 'no'],
    [
      'an object whose getters throw',
      {
        get retryable() {
          throw new Error('getter');
        },
      },
    ],
    ['an object of nonsense', { retryable: 'x', retryAfterMs: 'soon', inDoubt: 1, fatal: 'y' }],
  ])('with %s is an attempt that failed', async (_, error) => {
    const claudeClient = failing(1, error);
    const { told } = await runToEnd({ sharedLog: logOf(1), claudeClient });
    expect(claudeClient.asked).toHaveLength(2);
    expect(told.answer).toHaveLength(1);
    expect(told.error).toHaveLength(0);
  });

  test('at once, without a promise, is one too', async () => {
    let calls = 0;
    const claudeClient = {
      sendPrompt: () => {
        if (++calls === 1) throw new Error('at once');
        return Promise.resolve(OUTPUT);
      },
    };
    const { told } = await runToEnd({ sharedLog: logOf(1), claudeClient });
    expect(told.answer).toHaveLength(1);
  });
});

describe('a request whose answer is lost', () => {
  const lost = Object.assign(new Error('cut'), { inDoubt: true });

  test('is sent again and counted as in doubt', async () => {
    const claudeClient = failing(2, lost);
    const { agent, told } = await runToEnd({ sharedLog: logOf(2), claudeClient });
    expect(claudeClient.asked).toHaveLength(3);
    const doubts = told.inDoubt as InDoubt[];
    expect(doubts).toMatchObject([
      { retried: true, error: lost },
      { retried: true, error: lost },
    ]);
    expect(doubts[0]?.cursors).toStrictEqual(claudeClient.asked[0]?.frames.map(({ cursor }) => cursor));
    expect(agent.metrics()).toMatchObject({ promptsInDoubt: 2, framesInDoubt: 4, framesAnswered: 2 });
  });

  test('is listed and not sent again where that is not wanted', async () => {
    const claudeClient = failing(1, lost);
    const { agent, told } = await runToEnd({
      sharedLog: logOf(2),
      claudeClient,
      retryInDoubt: false,
      checkpoint: freshCheckpoint(),
    });
    expect(claudeClient.asked).toHaveLength(1);
    expect(told.inDoubt).toMatchObject([{ retried: false }]);
    expect(told.deadLetter).toHaveLength(0);
    expect(agent.metrics()).toMatchObject({ framesInDoubt: 2, framesAnswered: 0, backlogBytes: 0 });
  });

  test('is said to have been in doubt by its dead letter', async () => {
    const claudeClient = new RecordingClient(({ attempt }) => {
      throw attempt === 1 ? lost : new Error('no');
    });
    const { told } = await runToEnd({
      sharedLog: logOf(1),
      claudeClient,
      retry: { baseMs: 0, maxAttempts: 2 },
    });
    expect(told.deadLetter).toMatchObject([{ inDoubt: true, attempts: 2 }]);
  });
});

describe('an error that the agent cannot go on with', () => {
  test('stops it, with nothing given up and nothing more sent', async () => {
    const fatal = Object.assign(new Error('wrong key'), { fatal: true });
    const claudeClient = failing(9, fatal);
    const { agent, told } = agentOf({ sharedLog: logOf(9), claudeClient, maxBatchMessages: 1 });
    agent.start();
    await until(() => told.stopped.length === 1);
    expect(told).toMatchObject({
      error: [fatal],
      stopped: [{ drained: false }],
      deadLetter: [],
      inDoubt: [],
    });
    expect(claudeClient.asked).toHaveLength(1);
    expect(agent.metrics().settledUpTo).toBe(0n);
    expect(() => agent.start()).toThrow('create another one');
    expect(await agent.stop()).toStrictEqual({ drained: false });
  });

  test('is told when it is on record that nobody has served the batch', async () => {
    const checkpoint = freshCheckpoint();
    const claudeClient = failing(9, Object.assign(new Error('wrong key'), { fatal: true }));
    const { agent } = agentOf({ sharedLog: logOf(2), claudeClient, checkpoint });
    let found: unknown;
    agent.on('error', () => {
      found = readCheckpoint(checkpoint).intents;
    });
    agent.start();
    await stopped(agent);
    expect(found).toStrictEqual([]);
  });

  test.each([true, false])(
    'is heeded though the answer is lost, too, with retryInDoubt: %s',
    async (retryInDoubt) => {
      const fatal = Object.assign(new Error('both'), { fatal: true, inDoubt: true });
      const claudeClient = failing(9, fatal);
      const { agent, told } = agentOf({
        sharedLog: logOf(3),
        claudeClient,
        maxBatchMessages: 1,
        retryInDoubt,
      });
      agent.start();
      await stopped(agent);
      expect(claudeClient.asked).toHaveLength(1);
      expect(told).toMatchObject({ error: [fatal], inDoubt: [{ retried: retryInDoubt }] });
    },
  );

  test('lets those that are under way come to their end', async () => {
    const claudeClient = new HeldClient();
    const { agent, told } = agentOf({
      sharedLog: logOf(3),
      claudeClient,
      maxBatchMessages: 1,
      concurrency: 3,
    });
    agent.start();
    await until(() => claudeClient.held.length === 3);
    claudeClient.held[0]?.fail(Object.assign(new Error('wrong key'), { fatal: true }));
    await until(() => told.error.length === 1);
    claudeClient.held[1]?.answer();
    // To be attempted again another time.
    claudeClient.held[2]?.fail(new Error('no'));
    await until(() => told.stopped.length === 1);
    expect(agent.metrics()).toMatchObject({ framesAnswered: 1, promptsSent: 3 });
  });

  test('is a dead letter that cannot be kept', async () => {
    const kept = new Error('disk full');
    const { agent, told } = agentOf({
      sharedLog: logOf(1),
      claudeClient: failing(9),
      retry: { baseMs: 0, maxAttempts: 1 },
      onDeadLetter: () => Promise.reject(kept),
    });
    agent.start();
    await until(() => told.stopped.length === 1);
    expect(told).toMatchObject({ error: [kept], deadLetter: [], stopped: [{ drained: false }] });
  });

  test('is thrown where nobody listens, as any emitter does', async () => {
    const claudeClient = failing(9, Object.assign(new Error('wrong key'), { fatal: true }));
    const { agent } = agentOf({ sharedLog: logOf(1), claudeClient });
    agent.removeAllListeners('error');
    const thrown = new Promise((resolve) => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other);
        resolve(error);
      });
    });
    agent.start();
    expect(await thrown).toMatchObject({ message: 'wrong key' });
  });
});

test('many slots are no reason to warn of listeners', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  const claudeClient = failing(2);
  await runToEnd({
    sharedLog: logOf(60),
    claudeClient,
    concurrency: 30,
    maxBatchMessages: 1,
    retry: { baseMs: 5, budgetReserve: 1000 },
  });
  await new Promise(setImmediate);
  process.off('warning', warned);
  expect(warnings).toStrictEqual([]);
});

test('a listener that throws does so outside of the agent, which goes on', async () => {
  const claudeClient = new RecordingClient();
  const { agent, told } = agentOf({ sharedLog: logOf(2), claudeClient, maxBatchMessages: 1 });
  const thrown: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error.message));
  try {
    agent.on('answer', () => {
      throw new Error('listener');
    });
    agent.start();
    await agent.stop();
    expect(thrown).toStrictEqual(['listener', 'listener']);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  }
  expect(told.error).toHaveLength(0);
  expect(agent.metrics()).toMatchObject({ framesAnswered: 2, promptsFailed: 0 });
});
