import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DeadLetter, InDoubt } from '../../../dist/agent.js';
import {
  agentOf,
  appendEvents,
  type Event,
  freshCheckpoint,
  HeldClient,
  idsOf,
  logOf,
  RecordingClient,
  readCheckpoint,
  runToEnd,
  type StoredCheckpoint,
  stopped,
  until,
} from '../support/agents.js';
import { openWritable } from '../support/logs.js';

/** Stops an agent in the middle, as a process that dies does: what is under way stays in doubt. */
async function interruptedWith(held: number, checkpoint: string, sharedLog = logOf(6)) {
  const claudeClient = new HeldClient();
  const { agent } = agentOf({ sharedLog, claudeClient, checkpoint, concurrency: held, maxBatchMessages: 2 });
  agent.start();
  await until(() => claudeClient.held.length === held);
  await agent.stop({ deadlineMs: 0 });
  return { sharedLog, batchIds: claudeClient.held.map(({ batchId }) => batchId) };
}

describe('a restart', () => {
  test('goes on behind what is settled', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(10);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    appendEvents(sharedLog, [10, 11]);
    const claudeClient = new RecordingClient();
    const { agent, told } = await runToEnd({ sharedLog, claudeClient, checkpoint });
    expect(claudeClient.batches).toStrictEqual([[10, 11]]);
    expect(told.inDoubt).toHaveLength(0);
    expect(agent.metrics()).toMatchObject({ framesSeen: 2, backlogBytes: 0 });
  });

  test('passes over what is settled beyond a batch that is not', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(8);
    const first = new HeldClient();
    const { agent } = agentOf({
      sharedLog,
      claudeClient: first,
      checkpoint,
      concurrency: 3,
      maxBatchMessages: 2,
    });
    agent.start();
    await until(() => first.held.length === 3);
    first.held[1]?.answer();
    await until(() => first.held.length === 4);
    first.held[3]?.answer();
    await until(() => agent.metrics().promptsAnswered === 2);
    await agent.stop({ deadlineMs: 0 });
    const { settledUpTo, settledBeyond, intents } = readCheckpoint(checkpoint);
    expect({ settledUpTo, beyond: settledBeyond.length, intents: intents.length }).toStrictEqual({
      settledUpTo: 0,
      beyond: 2,
      intents: 2,
    });
    const claudeClient = new RecordingClient();
    const { told } = await runToEnd({ sharedLog, claudeClient, checkpoint });
    expect(claudeClient.batches).toStrictEqual([
      [0, 1],
      [4, 5],
    ]);
    expect(told.inDoubt).toHaveLength(2);
  });

  test('sends what is in doubt again, as the same batch, and says so', async () => {
    const checkpoint = freshCheckpoint();
    const { sharedLog, batchIds } = await interruptedWith(2, checkpoint);
    const claudeClient = new RecordingClient();
    const { agent, told } = await runToEnd({ sharedLog, claudeClient, checkpoint, maxBatchMessages: 100 });
    expect(claudeClient.batches).toStrictEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(claudeClient.asked.slice(0, 2).map(({ batchId }) => batchId)).toStrictEqual(batchIds);
    const doubts = told.inDoubt as InDoubt[];
    expect(doubts).toMatchObject(batchIds.map((batchId) => ({ batchId, retried: true, error: undefined })));
    expect(doubts[0]?.cursors).toStrictEqual(claudeClient.asked[0]?.frames.map(({ cursor }) => cursor));
    expect(agent.metrics()).toMatchObject({ promptsInDoubt: 2, framesInDoubt: 4, framesAnswered: 6 });
  });

  test('lists what is in doubt and does not send it, with retryInDoubt: false', async () => {
    const checkpoint = freshCheckpoint();
    const { sharedLog, batchIds } = await interruptedWith(2, checkpoint);
    const claudeClient = new RecordingClient();
    const { agent, told } = await runToEnd({ sharedLog, claudeClient, checkpoint, retryInDoubt: false });
    expect(claudeClient.batches).toStrictEqual([[4, 5]]);
    expect(told.inDoubt).toMatchObject(batchIds.map((batchId) => ({ batchId, retried: false })));
    expect(agent.metrics()).toMatchObject({ framesInDoubt: 4, framesAnswered: 2, backlogBytes: 0 });
    const again = await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    expect(again.told.inDoubt).toHaveLength(0);
  });

  test('that is itself interrupted leaves all of it in doubt', async () => {
    const checkpoint = freshCheckpoint();
    const { sharedLog, batchIds } = await interruptedWith(3, checkpoint);
    // One slot now: the second and third batch wait for it.
    const claudeClient = new HeldClient();
    const { agent } = agentOf({ sharedLog, claudeClient, checkpoint });
    agent.start();
    await until(() => claudeClient.held.length === 1);
    claudeClient.held[0]?.answer();
    await until(() => claudeClient.held.length === 2);
    await agent.stop({ deadlineMs: 0 });
    const { intents } = readCheckpoint(checkpoint);
    expect(intents.map(({ batchId }) => batchId)).toStrictEqual(batchIds.slice(1));
    const last = new RecordingClient();
    await runToEnd({ sharedLog, claudeClient: last, checkpoint });
    expect(last.batches).toStrictEqual([
      [2, 3],
      [4, 5],
    ]);
  });

  test('does not send again what has failed without doubt and was not settled: it is read again', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(2);
    const { agent, told: before } = agentOf({
      sharedLog,
      claudeClient: new RecordingClient(() => Promise.reject(new Error('no'))),
      checkpoint,
      retry: { baseMs: 30_000, maxAttempts: Number.POSITIVE_INFINITY },
    });
    agent.start();
    await until(() => before.retry.length === 1);
    await agent.stop({ deadlineMs: 0 });
    expect(readCheckpoint(checkpoint)).toMatchObject({ settledUpTo: 0, intents: [] });
    const claudeClient = new RecordingClient();
    const { told } = await runToEnd({ sharedLog, claudeClient, checkpoint });
    expect(told.inDoubt).toHaveLength(0);
    expect(claudeClient.batches).toStrictEqual([[0, 1]]);
  });

  test('settles frames of a batch in doubt that the decoder does not understand any more, or that are too old', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = openWritable();
    const at = Date.now();
    appendEvents(sharedLog, [{ id: 0 }, { id: 1, at }, { id: 2 }]);
    const first = new HeldClient();
    const { agent } = agentOf({ sharedLog, claudeClient: first, checkpoint });
    agent.start();
    await until(() => first.held.length === 1);
    await agent.stop({ deadlineMs: 0 });
    const claudeClient = new RecordingClient();
    await until(() => Date.now() > at + 1);
    const { told } = await runToEnd({
      sharedLog,
      claudeClient,
      checkpoint,
      ttlMs: 1,
      decoder: (raw) => {
        const payload = JSON.parse(String(raw)) as Event;
        if (payload.id === 0) throw new Error('no longer');
        return { ok: true, frame: { payload, raw, timestamp: payload.at } };
      },
    });
    expect(claudeClient.batches).toStrictEqual([[2]]);
    expect(told).toMatchObject({ decodeError: [{ cursor: 0n }], expired: [{}], inDoubt: [{}] });
    expect(readCheckpoint(checkpoint)).toMatchObject({ intents: [], verdicts: [], settledBeyond: [] });
  });
});

describe('a batch in doubt stays so', () => {
  const lost = Object.assign(new Error('cut'), { inDoubt: true });
  const fatal = Object.assign(new Error('wrong key'), { fatal: true });

  /** What the next start says of the batches that an agent has left behind. */
  async function doubtsOf(sharedLog: Parameters<typeof agentOf>[0]['sharedLog'], checkpoint: string) {
    const { told, agent } = await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    expect(agent.metrics().backlogBytes).toBe(0);
    return (told.inDoubt as InDoubt[]).map(({ batchId }) => batchId);
  }

  test('when the agent is stopped before another attempt', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(2);
    const claudeClient = new RecordingClient(() => Promise.reject(lost));
    const { agent, told } = agentOf({ sharedLog, claudeClient, checkpoint, retry: { baseMs: 30_000 } });
    agent.start();
    await until(() => told.retry.length === 1);
    await agent.stop({ drain: false });
    expect(await doubtsOf(sharedLog, checkpoint)).toStrictEqual([claudeClient.asked[0]?.batchId]);
  });

  test.each([
    ['is refused', () => Promise.reject(new Error('no')), { drain: false }],
    ['meets a wrong key', () => Promise.reject(fatal), {}],
  ])('when it %s after a restart', async (_, answer, stop) => {
    const checkpoint = freshCheckpoint();
    const { sharedLog, batchIds } = await interruptedWith(1, checkpoint);
    const { agent, told } = agentOf({
      sharedLog,
      claudeClient: new RecordingClient(answer),
      checkpoint,
      retry: { baseMs: 30_000 },
    });
    agent.start();
    await until(() => told.retry.length + told.error.length === 1);
    await agent.stop(stop);
    expect(await doubtsOf(sharedLog, checkpoint)).toStrictEqual(batchIds);
  });

  test('when it is given up after a restart', async () => {
    const checkpoint = freshCheckpoint();
    const { sharedLog } = await interruptedWith(1, checkpoint);
    const refusing = new RecordingClient(() =>
      Promise.reject(Object.assign(new Error('no'), { retryable: false })),
    );
    const { told } = await runToEnd({ sharedLog, claudeClient: refusing, checkpoint, maxBatchMessages: 4 });
    expect(told.deadLetter).toMatchObject([{ inDoubt: true }, { inDoubt: false }]);
  });

  test('but is settled where it is not to be sent again, whatever else its error says', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(1);
    const claudeClient = new RecordingClient(() =>
      Promise.reject(Object.assign(new Error('both'), { fatal: true, inDoubt: true })),
    );
    const { agent } = agentOf({ sharedLog, claudeClient, checkpoint, retryInDoubt: false });
    agent.start();
    await stopped(agent);
    expect(readCheckpoint(checkpoint)).toMatchObject({ settledUpTo: 12, intents: [] });
  });

  test('and none of it is judged where the decoder fails for good after a restart', async () => {
    const checkpoint = freshCheckpoint();
    const { sharedLog, batchIds } = await interruptedWith(1, checkpoint);
    const { agent, told } = agentOf({
      sharedLog,
      claudeClient: new RecordingClient(),
      checkpoint,
      decoder: (raw) => {
        throw Object.assign(new Error('no'), { fatal: String(raw) === '{"id":1}' });
      },
    });
    agent.start();
    await stopped(agent);
    expect(told).toMatchObject({ decodeError: [], error: [{ message: 'no' }] });
    expect(readCheckpoint(checkpoint)).toMatchObject({ intents: [{ batchId: batchIds[0] }], verdicts: [] });
  });
});

test('a batch that was refused is not in doubt because its next prompt cannot be made', async () => {
  const checkpoint = freshCheckpoint();
  let prompts = 0;
  const { agent } = agentOf({
    sharedLog: logOf(1),
    claudeClient: new RecordingClient(() => Promise.reject(new Error('no'))),
    checkpoint,
    formatPrompt: () => {
      if (++prompts > 1) throw Object.assign(new Error('no template'), { fatal: true });
      return 'prompt';
    },
  });
  agent.start();
  await stopped(agent);
  expect(readCheckpoint(checkpoint)).toMatchObject({ settledUpTo: 0, intents: [] });
});

describe('a verdict', () => {
  /** An agent whose process would die in the middle of telling: the dead letter cannot be kept. */
  async function untold(checkpoint: string) {
    const sharedLog = logOf(3);
    const { agent } = agentOf({
      sharedLog,
      claudeClient: new RecordingClient(() => Promise.reject(new Error('never'))),
      checkpoint,
      retry: { baseMs: 0, maxAttempts: 2 },
      onDeadLetter: () => {
        throw new Error('not kept');
      },
    });
    agent.start();
    await stopped(agent);
    return sharedLog;
  }

  test('that nobody was told of is told after a restart, and its frames are not sent', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = await untold(checkpoint);
    expect(readCheckpoint(checkpoint)).toMatchObject({ intents: [], verdicts: [{ kind: 'failed' }] });
    const claudeClient = new RecordingClient();
    const kept: DeadLetter<Event>[] = [];
    const { told, agent } = await runToEnd({
      sharedLog,
      claudeClient,
      checkpoint,
      onDeadLetter: (letter) => kept.push(letter),
    });
    expect(claudeClient.asked).toHaveLength(0);
    expect(kept).toMatchObject([{ attempts: 2, inDoubt: false, error: { message: 'never' } }]);
    expect(kept.map(idsOf)).toStrictEqual([[0, 1, 2]]);
    expect(told.deadLetter).toStrictEqual(kept);
    expect(agent.metrics()).toMatchObject({ framesFailed: 3, backlogBytes: 0 });
    expect(readCheckpoint(checkpoint).verdicts).toHaveLength(0);
  });

  test('is told with the cursors of frames that are not understood any more', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = await untold(checkpoint);
    const decoder = () => ({ ok: false, error: new Error('no') }) as const;
    const { told } = await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint, decoder });
    expect(told.deadLetter).toMatchObject([{ frames: [], cursors: [0n, 12n, 24n] }]);
  });

  test.each(['expired', 'undecodable'])('of a frame that is %s is told again as well', async (kind) => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(3);
    const frame = 12;
    const stored: Omit<StoredCheckpoint, 'verdicts'> & { verdicts: unknown[] } = {
      version: 1,
      ...('identity' in sharedLog && { log: sharedLog.identity as string }),
      settledUpTo: 0,
      settledBeyond: [],
      intents: [],
      verdicts: [{ kind, spans: [[0, 2 * frame]], reason: 'told before' }],
    };
    writeFileSync(checkpoint, JSON.stringify(stored));
    const claudeClient = new RecordingClient();
    const { told } = await runToEnd({ sharedLog, claudeClient, checkpoint });
    expect(claudeClient.batches).toStrictEqual([[2]]);
    const list = kind === 'expired' ? told.expired : told.decodeError;
    expect(list).toMatchObject([{ cursor: 0n }, { cursor: BigInt(frame) }]);
    if (kind === 'undecodable') expect(list[0]).toMatchObject({ error: { message: 'told before' } });
  });
});
