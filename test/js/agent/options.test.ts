import { describe, expect, test } from 'vitest';
import { type AgentOptions, createClaudeSonetAgent, createClaudeSonnetAgent } from '../../../dist/agent.js';
import { decoder, type Event, logOf, RecordingClient } from '../support/agents.js';
import { thrownBy } from '../support/logs.js';

const valid = (): AgentOptions<Event> => ({
  sharedLog: logOf(0),
  model: 'model',
  decoder,
  claudeClient: new RecordingClient(),
});

test('the agent has its name in both spellings', () => {
  expect(createClaudeSonnetAgent).toBe(createClaudeSonetAgent);
});

test.each([
  ['sharedLog', undefined, 'sharedLog is what createSharedLog() returns, got undefined'],
  ['sharedLog', {}, 'sharedLog is what'],
  ['sharedLog', { createIterator: () => {} }, 'sharedLog is what'],
  ['model', '', 'model is the name of a model, got ""'],
  ['decoder', 'json', 'decoder is a function, got "json"'],
  ['claudeClient', {}, 'claudeClient is an object with sendPrompt()'],
  ['formatPrompt', 1, 'formatPrompt is a function, got 1'],
  ['onDeadLetter', {}, 'onDeadLetter is a function'],
  ['checkpoint', '', "a checkpoint's path"],
  ['checkpoint', 12, "a checkpoint's path"],
  ['from', 0, "begins from 'oldest', 'latest' or a cursor, got 0"],
  ['retryInDoubt', 1, 'retryInDoubt is true or false'],
  ['retry', 3, 'retry takes options'],
  ['retry', { attempts: 3 }, "retry has no option 'attempts'"],
  ['maxBatchMessages', '3', 'maxBatchMessages is an integer of at least 1, got "3"'],
  ['prompt', 'x', "no option 'prompt'"],
])('%s of a wrong kind is a TypeError: %o', (name, value, message) => {
  const error = thrownBy(() => createClaudeSonetAgent({ ...valid(), [name]: value }));
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({
    code: 'ERR_STRAND_INVALID_ARGUMENT',
    message: expect.stringContaining(message),
  });
});

test.each([
  ['maxBatchMessages', 0],
  ['maxBatchMessages', 1.5],
  ['maxBatchBytes', 0],
  ['maxLingerMs', -1],
  ['maxLingerMs', Number.NaN],
  ['ttlMs', -0.5],
  ['concurrency', 0],
  ['from', -1n],
  ['from', 2n ** 70n],
  ['concurrency', Number.POSITIVE_INFINITY],
  ['retry.maxAttempts', 0],
  ['retry.baseMs', -1],
  ['retry.maxMs', Number.POSITIVE_INFINITY],
  ['retry.budgetRatio', Number.NaN],
])('%s of %s is a RangeError that names it', (name, value) => {
  const [first = '', second] = name.split('.');
  const options = { ...valid(), [first]: second === undefined ? value : { [second]: value } };
  const error = thrownBy(() => createClaudeSonetAgent(options));
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({
    code: 'ERR_STRAND_OUT_OF_RANGE',
    message: expect.stringContaining(name === 'from' ? 'a cursor is' : `${name} is`),
  });
});

describe('limits may be as large as they like', () => {
  test.each([
    { maxBatchMessages: Number.POSITIVE_INFINITY },
    { maxBatchBytes: Number.POSITIVE_INFINITY },
    { maxLingerMs: Number.POSITIVE_INFINITY },
    { ttlMs: Number.POSITIVE_INFINITY },
    { retry: { maxAttempts: Number.POSITIVE_INFINITY } },
    { maxLingerMs: undefined, retry: { baseMs: undefined as never } },
  ])('%o', (options) => {
    expect(() => createClaudeSonetAgent({ ...valid(), ...options })).not.toThrow();
  });
});

test('stop refuses options that it does not have', () => {
  const agent = createClaudeSonetAgent(valid());
  expect(thrownBy(() => void agent.stop({ deadlineMs: -1 }))).toBeInstanceOf(RangeError);
  expect(thrownBy(() => void agent.stop({ timeout: 1 } as object))).toBeInstanceOf(TypeError);
  expect(thrownBy(() => void agent.stop({ drain: 1 as never }))).toBeInstanceOf(TypeError);
  agent.start();
  return agent.stop();
});
