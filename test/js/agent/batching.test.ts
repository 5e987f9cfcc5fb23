import { describe, expect, test } from 'vitest';
import {
  agentOf,
  appendEvents,
  HeldClient,
  logOf,
  numbers,
  RecordingClient,
  runToEnd,
  turns,
  until,
} from '../support/agents.js';

const HOUR_MILLIS = 3_600_000;

describe('batches of an agent', () => {
  test('hold as many frames as they may, in the order of the log, each frame once', async () => {
    const claudeClient = new RecordingClient();
    const { agent } = await runToEnd({ sharedLog: logOf(70), claudeClient, maxBatchMessages: 32 });
    expect(claudeClient.batches).toStrictEqual([numbers(0, 32), numbers(32, 64), numbers(64, 70)]);
    expect(agent.metrics()).toMatchObject({ framesSeen: 70, framesAnswered: 70, promptsAnswered: 3 });
  });

  test('hold as many bytes as they may', async () => {
    const claudeClient = new RecordingClient();
    // {"id":0} has eight bytes.
    await runToEnd({ sharedLog: logOf(10), claudeClient, maxBatchBytes: 31 });
    expect(claudeClient.batches).toStrictEqual([numbers(0, 3), numbers(3, 6), numbers(6, 9), [9]]);
  });

  test('a batch of exactly the bytes that it may hold is full', async () => {
    const claudeClient = new RecordingClient();
    await runToEnd({ sharedLog: logOf(8), claudeClient, maxBatchBytes: 32, maxLingerMs: HOUR_MILLIS });
    expect(claudeClient.batches).toStrictEqual([numbers(0, 4), numbers(4, 8)]);
  });

  test('a frame that is larger than a batch comes alone', async () => {
    const claudeClient = new RecordingClient();
    const sharedLog = logOf(2);
    appendEvents(sharedLog, [{ id: 1_000_000_000 }, 3, 4]);
    await runToEnd({ sharedLog, claudeClient, maxBatchBytes: 16 });
    expect(claudeClient.batches).toStrictEqual([[0, 1], [1_000_000_000], [3, 4]]);
  });

  test('wait for more frames, and no longer than maxLingerMs', async () => {
    const claudeClient = new RecordingClient();
    const sharedLog = logOf(1);
    const { agent } = agentOf({ sharedLog, claudeClient, maxLingerMs: 50 });
    const started = performance.now();
    agent.start();
    await until(() => agent.metrics().framesSeen === 1);
    appendEvents(sharedLog, [1]);
    await until(() => claudeClient.asked.length > 0);
    expect(claudeClient.batches).toStrictEqual([[0, 1]]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(50);
  });

  test('a full batch does not wait', async () => {
    const claudeClient = new RecordingClient();
    const { agent } = agentOf({
      sharedLog: logOf(4),
      claudeClient,
      maxBatchMessages: 2,
      maxLingerMs: HOUR_MILLIS,
    });
    agent.start();
    await until(() => claudeClient.asked.length === 2);
    expect(claudeClient.batches).toStrictEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test('stop() sends what waits for more frames', async () => {
    const claudeClient = new RecordingClient();
    const { agent } = await runToEnd({ sharedLog: logOf(3), claudeClient, maxLingerMs: HOUR_MILLIS });
    expect(claudeClient.batches).toStrictEqual([[0, 1, 2]]);
    expect(agent.metrics().backlogBytes).toBe(0);
  });
});

describe('configure', () => {
  test.each([
    ['maxLingerMs', { maxLingerMs: 0 }],
    ['maxBatchMessages', { maxBatchMessages: 1 }],
    ['maxBatchBytes', { maxBatchBytes: 1 }],
  ])('%s is felt by a batch that waits', async (_, limits) => {
    const claudeClient = new RecordingClient();
    const { agent } = agentOf({ sharedLog: logOf(2), claudeClient, maxLingerMs: HOUR_MILLIS });
    agent.start();
    await until(() => agent.metrics().framesSeen === 2);
    await turns();
    agent.configure(limits);
    await until(() => claudeClient.asked.length === 1);
    expect(claudeClient.batches).toStrictEqual([[0, 1]]);
  });

  test('more concurrency admits what waits for a slot, and less lets what is under way go on', async () => {
    const claudeClient = new HeldClient();
    const { agent } = agentOf({ sharedLog: logOf(10), claudeClient, maxBatchMessages: 1 });
    agent.start();
    await until(() => claudeClient.held.length === 1);
    agent.configure({ concurrency: 3 });
    await until(() => claudeClient.held.length === 3);
    agent.configure({ concurrency: 1 });
    claudeClient.held[0]?.answer();
    claudeClient.held[1]?.answer();
    await until(() => agent.metrics().promptsAnswered === 2);
    expect(agent.metrics().promptsUnderWay).toBe(1);
    claudeClient.held[2]?.answer();
    await until(() => claudeClient.held.length === 4);
    expect(agent.metrics().promptsUnderWay).toBe(1);
  });

  test('before the start is as good as an option', async () => {
    const claudeClient = new RecordingClient();
    const { agent } = agentOf({ sharedLog: logOf(4), claudeClient });
    agent.configure({ maxBatchMessages: 2 });
    agent.start();
    await agent.stop();
    expect(claudeClient.batches).toStrictEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test('keeps what is not given, and changes nothing where something is wrong', () => {
    const { agent } = agentOf({ sharedLog: logOf(0), claudeClient: new RecordingClient() });
    expect(() => agent.configure({ maxBatchMessages: 2, ttlMs: -1 })).toThrow(RangeError);
    expect(() => agent.configure({ linger: 1 } as object)).toThrow("no option 'linger'");
    expect(() => agent.configure(null as never)).toThrow('configure takes options');
  });
});

describe('slots', () => {
  test('no more prompts are under way than concurrency allows, and nothing is read for more', async () => {
    const claudeClient = new HeldClient();
    const { agent } = agentOf({
      sharedLog: logOf(5000),
      claudeClient,
      concurrency: 3,
      maxBatchMessages: 10,
    });
    agent.start();
    await until(() => claudeClient.held.length === 3);
    for (let answered = 0; answered < 20; answered++) {
      expect(agent.metrics().promptsUnderWay).toBe(3);
      // Three batches, and one that waits for its slot; its last frame has been seen and is in the next.
      expect(agent.metrics().framesSeen - agent.metrics().framesAnswered).toBeLessThanOrEqual(41);
      claudeClient.held[answered]?.answer();
      await until(() => claudeClient.held.length === answered + 4);
    }
  });

  test('batches are answered in any order, and what is settled has no holes in the end', async () => {
    const claudeClient = new HeldClient();
    const sharedLog = logOf(9);
    const { agent } = agentOf({ sharedLog, claudeClient, concurrency: 3, maxBatchMessages: 3 });
    agent.start();
    await until(() => claudeClient.held.length === 3);
    claudeClient.held[2]?.answer();
    claudeClient.held[1]?.answer();
    await until(() => agent.metrics().promptsAnswered === 2);
    expect(agent.metrics().settledUpTo).toBe(0n);
    claudeClient.held[0]?.answer();
    await until(() => agent.metrics().promptsAnswered === 3);
    expect(agent.metrics()).toMatchObject({ backlogBytes: 0, framesAnswered: 9 });
  });
});
