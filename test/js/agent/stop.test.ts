import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  agentOf,
  appendEvents,
  freshCheckpoint,
  HeldClient,
  logOf,
  numbers,
  OUTPUT,
  RecordingClient,
  readCheckpoint,
  stopped,
  until,
} from '../support/agents.js';
import { freshPath, open, openWritable, thrownBy } from '../support/logs.js';

const HOUR_MILLIS = 3_600_000;

describe('stop', () => {
  test('settles everything that was committed before it, and nothing that came later', async () => {
    const claudeClient = new HeldClient();
    const sharedLog = logOf(600);
    const { agent } = agentOf({ sharedLog, claudeClient, maxBatchMessages: 100 });
    agent.start();
    await until(() => claudeClient.held.length === 1);
    const stopping = agent.stop();
    appendEvents(sharedLog, numbers(600, 700));
    for (let i = 0; i < 6; i++) {
      await until(() => claudeClient.held.length === i + 1);
      claudeClient.held[i]?.answer();
    }
    expect(await stopping).toStrictEqual({ drained: true });
    expect(claudeClient.held.flatMap(({ frames }) => frames.map(({ payload }) => payload.id))).toStrictEqual(
      numbers(0, 600),
    );
  });

  test('right behind start() settles everything, too', async () => {
    const claudeClient = new RecordingClient();
    const { agent, told } = agentOf({ sharedLog: logOf(3), claudeClient, checkpoint: freshCheckpoint() });
    agent.start();
    expect(await agent.stop()).toStrictEqual({ drained: true });
    expect(claudeClient.batches).toStrictEqual([[0, 1, 2]]);
    expect(told.stopped).toStrictEqual([{ drained: true }]);
  });

  test('waits for retries', async () => {
    const claudeClient = new RecordingClient(({ attempt }) => {
      if (attempt < 4) throw new Error('no');
      return OUTPUT;
    });
    const { agent } = agentOf({ sharedLog: logOf(3), claudeClient });
    agent.start();
    expect(await agent.stop()).toStrictEqual({ drained: true });
    expect(claudeClient.asked).toHaveLength(4);
  });

  test('with drain: false waits for attempts under way, and begins nothing', async () => {
    const checkpoint = freshCheckpoint();
    const claudeClient = new HeldClient();
    const sharedLog = logOf(9);
    const { agent } = agentOf({ sharedLog, claudeClient, checkpoint, concurrency: 2, maxBatchMessages: 2 });
    agent.start();
    await until(() => claudeClient.held.length === 2 && agent.metrics().framesSeen > 4);
    const stopping = agent.stop({ drain: false });
    claudeClient.held[0]?.fail(new Error('no'));
    claudeClient.held[1]?.answer();
    expect(await stopping).toStrictEqual({ drained: false });
    expect(claudeClient.held).toHaveLength(2);
    expect(readCheckpoint(checkpoint)).toMatchObject({
      settledUpTo: 0,
      settledBeyond: [[24, 48]],
      intents: [],
    });
  });

  test('with drain: false does not wait for another attempt', async () => {
    const { agent } = agentOf({
      sharedLog: logOf(1),
      claudeClient: new RecordingClient(() => Promise.reject(new Error('no'))),
      retry: { baseMs: HOUR_MILLIS, maxMs: HOUR_MILLIS, maxAttempts: Number.POSITIVE_INFINITY },
    });
    agent.start();
    await until(() => agent.metrics().promptsFailed === 1);
    expect(await agent.stop({ drain: false })).toStrictEqual({ drained: false });
  });

  test('past its deadline leaves what was sent in doubt, and the rest as it is', async () => {
    const checkpoint = freshCheckpoint();
    const claudeClient = new HeldClient();
    const { agent, told } = agentOf({
      sharedLog: logOf(9),
      claudeClient,
      checkpoint,
      concurrency: 2,
      maxBatchMessages: 2,
    });
    agent.start();
    await until(() => claudeClient.held.length === 2);
    claudeClient.held[0]?.answer();
    await until(() => claudeClient.held.length === 3);
    expect(await agent.stop({ deadlineMs: 5 })).toStrictEqual({ drained: false });
    expect(claudeClient.held.map(({ signal }) => signal.aborted)).toStrictEqual([false, true, true]);
    const { settledUpTo, intents } = readCheckpoint(checkpoint);
    expect(settledUpTo).toBe(24);
    expect(intents).toStrictEqual([
      { batchId: claudeClient.held[1]?.batchId, spans: [[24, 48]] },
      { batchId: claudeClient.held[2]?.batchId, spans: [[48, 72]] },
    ]);
    expect(told.error).toHaveLength(0);
    // The next start tells of them, too; without a checkpoint nobody else would.
    expect(told.inDoubt).toMatchObject([
      { batchId: intents[0]?.batchId, retried: true, error: { code: 'ERR_STRAND_ABORTED' } },
      { batchId: intents[1]?.batchId, retried: true },
    ]);
    expect(agent.metrics()).toMatchObject({
      promptsSent: 3,
      promptsAnswered: 1,
      promptsInDoubt: 2,
      framesInDoubt: 4,
    });
  });

  test('past its deadline tells what nobody will ask for again', async () => {
    const claudeClient = new HeldClient();
    const { agent, told } = agentOf({ sharedLog: logOf(2), claudeClient });
    agent.start();
    await until(() => claudeClient.held.length === 1);
    await agent.stop({ deadlineMs: 0 });
    expect(told.inDoubt).toMatchObject([{ retried: false, cursors: [0n, 12n] }]);
  });

  test('past its deadline waits for no dead letter to be kept, which the next start hands out again', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(2);
    const refusing = () =>
      new RecordingClient(() => Promise.reject(Object.assign(new Error('no'), { retryable: false })));
    let asked = 0;
    const { agent, told } = agentOf({
      sharedLog,
      claudeClient: refusing(),
      checkpoint,
      onDeadLetter: () => {
        asked++;
        return new Promise(() => {});
      },
    });
    agent.start();
    await until(() => asked === 1);
    expect(await agent.stop({ deadlineMs: 0 })).toStrictEqual({ drained: false });
    expect(told).toMatchObject({ deadLetter: [], error: [] });
    const claudeClient = new RecordingClient();
    const kept: unknown[] = [];
    const next = agentOf({
      sharedLog,
      claudeClient,
      checkpoint,
      onDeadLetter: (letter) => kept.push(letter),
    });
    next.agent.start();
    expect(await next.agent.stop()).toStrictEqual({ drained: true });
    expect(kept).toHaveLength(1);
    expect(claudeClient.asked).toHaveLength(0);
  });

  test('may be called by who hears that it has stopped', async () => {
    const { agent, told } = agentOf({ sharedLog: logOf(1), claudeClient: new RecordingClient() });
    const results: unknown[] = [];
    agent.on('stopped', async () => results.push(await agent.stop()));
    await agent.stop();
    await until(() => results.length === 1);
    expect(told.stopped).toHaveLength(1);
  });

  test('past its deadline says in doubt of a client that rejects when its signal is aborted', async () => {
    const claudeClient = new RecordingClient(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    const { agent, told } = agentOf({ sharedLog: logOf(2), claudeClient });
    agent.start();
    await until(() => claudeClient.asked.length === 1);
    await agent.stop({ deadlineMs: 0 });
    expect(told.inDoubt).toHaveLength(1);
    expect(agent.metrics()).toMatchObject({ promptsFailed: 0, promptsInDoubt: 1, promptsUnderWay: 0 });
  });

  test('past its deadline hands out no more dead letters of the process before', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(3);
    const verdict = (from: number) => ({
      kind: 'failed',
      spans: [[from, from + 12]],
      batchId: `${from}`,
      attempts: 1,
      reason: 'no',
      inDoubt: false,
    });
    writeFileSync(
      checkpoint,
      JSON.stringify({
        version: 1,
        log: sharedLog.identity,
        settledUpTo: 0,
        settledBeyond: [],
        intents: [],
        verdicts: [0, 12, 24].map(verdict),
      }),
    );
    let handed = 0;
    const { agent } = agentOf({
      sharedLog,
      claudeClient: new RecordingClient(),
      checkpoint,
      onDeadLetter: () => {
        handed++;
        return new Promise(() => {});
      },
    });
    agent.start();
    await until(() => handed === 1);
    await agent.stop({ deadlineMs: 0 });
    expect(handed).toBe(1);
    expect(readCheckpoint(checkpoint).verdicts).toHaveLength(3);
  });

  test('that begins nothing goes on to begin nothing when it is called again', async () => {
    const claudeClient = new HeldClient();
    const { agent } = agentOf({ sharedLog: logOf(9), claudeClient, maxBatchMessages: 1 });
    agent.start();
    await until(() => claudeClient.held.length === 1);
    const stopping = agent.stop({ drain: false });
    void agent.stop();
    claudeClient.held[0]?.answer();
    expect(await stopping).toStrictEqual({ drained: false });
    expect(claudeClient.held).toHaveLength(1);
  });

  test('may be called again, to wait no longer', async () => {
    const claudeClient = new HeldClient();
    const { agent, told } = agentOf({ sharedLog: logOf(9), claudeClient });
    agent.start();
    await until(() => claudeClient.held.length === 1);
    const first = agent.stop();
    const second = agent.stop({ deadlineMs: 0 });
    expect(await first).toStrictEqual({ drained: false });
    expect(await second).toStrictEqual({ drained: false });
    expect(await agent.stop({ drain: false, deadlineMs: 1 })).toStrictEqual({ drained: false });
    expect(told.stopped).toHaveLength(1);
  });

  test('ends the wait before another attempt past its deadline', async () => {
    const { agent, told } = agentOf({
      sharedLog: logOf(1),
      claudeClient: new RecordingClient(() =>
        Promise.reject(Object.assign(new Error('no'), { retryAfterMs: HOUR_MILLIS })),
      ),
    });
    agent.start();
    await until(() => told.retry.length === 1);
    expect(await agent.stop({ deadlineMs: 0 })).toStrictEqual({ drained: false });
  });

  test('of an agent that waits for frames comes at once', async () => {
    const { agent } = agentOf({ sharedLog: logOf(1), claudeClient: new RecordingClient() });
    agent.start();
    await until(() => agent.metrics().framesAnswered === 1);
    expect(await agent.stop()).toStrictEqual({ drained: true });
  });

  test('of one that never began says whether there was anything to do', async () => {
    const empty = agentOf({ sharedLog: logOf(0), claudeClient: new RecordingClient() });
    expect(await empty.agent.stop()).toStrictEqual({ drained: true });
    const claudeClient = new RecordingClient();
    const { agent, told } = agentOf({ sharedLog: logOf(1), claudeClient });
    expect(await agent.stop()).toStrictEqual({ drained: false });
    expect(told.stopped).toHaveLength(1);
    expect(claudeClient.asked).toHaveLength(0);
    expect(thrownBy(() => agent.start())).toMatchObject({ code: 'ERR_STRAND_CLOSED' });
  });

  test('is what leaving its scope does', async () => {
    const claudeClient = new RecordingClient();
    const { agent, told } = agentOf({ sharedLog: logOf(2), claudeClient });
    {
      await using scoped = agent;
      scoped.start();
      scoped.start();
    }
    expect(told.stopped).toStrictEqual([{ drained: true }]);
    expect(claudeClient.batches).toStrictEqual([[0, 1]]);
  });
});

describe('a log that ends under its agent', () => {
  test('by being closed: what was read is settled, and the agent stops with the error', async () => {
    const claudeClient = new HeldClient();
    const sharedLog = logOf(3);
    const { agent, told } = agentOf({ sharedLog, claudeClient });
    agent.start();
    await until(() => claudeClient.held.length === 1);
    sharedLog.close();
    await until(() => told.error.length === 1);
    claudeClient.held[0]?.answer();
    await stopped(agent);
    expect(told).toMatchObject({ error: [{ code: 'ERR_SHM_ITERATOR_CLOSED' }], answer: [{}] });
    expect(agent.metrics()).toMatchObject({ framesAnswered: 3 });
    expect(agent.metricsText()).toContain('frames_answered_total 3');
    await agent.stop();
  });

  test('before it began', async () => {
    const sharedLog = logOf(3);
    const { agent, told } = agentOf({ sharedLog, claudeClient: new RecordingClient() });
    sharedLog.close();
    agent.start();
    await stopped(agent);
    expect(told.error).toMatchObject([{ code: 'ERR_STRAND_CLOSED' }]);
  });

  test('at bytes that are no frame: those before it are answered', async () => {
    const file = freshPath();
    const { header, writer } = openWritable({ path: file });
    for (const id of [0, 1, 2]) writer.append(Buffer.from(JSON.stringify({ id })));
    // The first length of the third frame, of 12 bytes as each.
    const bytes = openSync(file, 'r+');
    writeSync(bytes, Buffer.from([1, 0]), 0, 2, Number(header.dataOffset) + 24);
    closeSync(bytes);
    const claudeClient = new RecordingClient();
    const { agent, told } = agentOf({
      sharedLog: open({ path: file }),
      claudeClient,
      maxLingerMs: HOUR_MILLIS,
    });
    agent.start();
    await stopped(agent);
    expect(told).toMatchObject({ error: [{ code: 'ERR_SHM_FRAME_CORRUPT' }], stopped: [{ drained: false }] });
    expect(claudeClient.batches).toStrictEqual([[0, 1]]);
    expect(agent.metrics().settledUpTo).toBe(24n);
  });
});
