import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeadLetter, InDoubt } from '../../../dist/agent.js';
import { createSharedLog } from '../../../dist/log.js';
import {
  agentOf,
  appendEvents,
  type Event,
  HeldClient,
  idsOf,
  isIntended,
  logOf,
  numbers,
  OUTPUT,
  RecordingClient,
  readCheckpoint,
  runToEnd,
  type StoredCheckpoint,
  stopped,
  turns,
  until,
} from '../support/agents.js';
import { freshFolder, freshPath, openWritable, thrownBy } from '../support/logs.js';

const fresh = () => freshPath('agent.checkpoint');

/** Stops an agent in the middle, as a process that dies does: what is under way stays in doubt. */
async function interruptedWith(held: number, checkpoint: string, sharedLog = logOf(6)) {
  const claudeClient = new HeldClient();
  const { agent } = agentOf({ sharedLog, claudeClient, checkpoint, concurrency: held, maxBatchMessages: 2 });
  agent.start();
  await until(() => claudeClient.held.length === held);
  await agent.stop({ deadlineMs: 0 });
  return { sharedLog, batchIds: claudeClient.held.map(({ batchId }) => batchId) };
}

describe('an intent', () => {
  test('is on the disk before its prompt is sent, at every attempt', async () => {
    const checkpoint = fresh();
    const intended: boolean[] = [];
    const claudeClient = new RecordingClient((input) => {
      intended.push(isIntended(checkpoint, input));
      if (input.attempt < 3) throw new Error('no');
      return OUTPUT;
    });
    await runToEnd({ sharedLog: logOf(40), claudeClient, checkpoint, concurrency: 3, maxBatchMessages: 4 });
    expect(intended).toStrictEqual(new Array(30).fill(true));
  });

  test('is gone, and its frames are settled, before anybody hears of the answer', async () => {
    const checkpoint = fresh();
    const { agent } = agentOf({
      sharedLog: logOf(10),
      claudeClient: new RecordingClient(),
      checkpoint,
      concurrency: 2,
      maxBatchMessages: 2,
    });
    const found: boolean[] = [];
    agent.on('answer', ({ batchId, frames }) => {
      const { intents, settledUpTo, settledBeyond } = readCheckpoint(checkpoint);
      const isSettled = (at: bigint) =>
        at < settledUpTo || settledBeyond.some(([from, to]) => from <= at && at < to);
      found.push(
        intents.every((intent) => intent.batchId !== batchId) &&
          frames.every(({ cursor }) => isSettled(cursor)),
      );
    });
    agent.start();
    await agent.stop();
    expect(found).toStrictEqual(new Array(5).fill(true));
  });

  test('that cannot be written is not sent', async () => {
    const folder = freshFolder();
    const checkpoint = path.join(folder, 'agent.checkpoint');
    // The name that is written beside the checkpoint is taken by something that is no file.
    mkdirSync(`${checkpoint}.next`);
    const claudeClient = new RecordingClient();
    const { agent, told } = agentOf({ sharedLog: logOf(3), claudeClient, checkpoint });
    agent.start();
    await stopped(agent);
    expect(claudeClient.asked).toHaveLength(0);
    expect(told.error).toMatchObject([
      { code: 'ERR_STRAND_FILE', message: expect.stringContaining(checkpoint) },
    ]);
    expect(told.stopped).toStrictEqual([{ drained: false }]);
  });

  test('that is on record when the agent is stopped, and was not sent, is withdrawn', async () => {
    const checkpoint = fresh();
    const claudeClient = new RecordingClient();
    const { agent } = agentOf({
      sharedLog: logOf(3),
      claudeClient,
      checkpoint,
      // Called right before.
      formatPrompt: () => {
        void agent.stop({ drain: false });
        return 'prompt';
      },
    });
    agent.start();
    await stopped(agent);
    expect(claudeClient.asked).toHaveLength(0);
    expect(readCheckpoint(checkpoint)).toMatchObject({ settledUpTo: 0, intents: [] });
  });

  test('that could not be written is not written later, when it could', async () => {
    const checkpoint = fresh();
    const { agent } = agentOf({ sharedLog: logOf(3), claudeClient: new RecordingClient(), checkpoint });
    let text = '';
    // The place where it began has been written by then, and the intent has not.
    agent.configure({ maxLingerMs: 3_600_000 });
    agent.start();
    await until(() => agent.metrics().framesSeen === 3 && existsSync(checkpoint));
    await turns();
    text = readFileSync(checkpoint, 'utf8');
    mkdirSync(`${checkpoint}.next`);
    agent.on('error', () => rmSync(`${checkpoint}.next`, { recursive: true }));
    agent.configure({ maxLingerMs: 0 });
    await stopped(agent);
    expect(readFileSync(checkpoint, 'utf8')).toBe(text);
  });
});

describe('an answer that cannot be recorded', () => {
  test('leaves its batch in doubt', async () => {
    const checkpoint = fresh();
    const sharedLog = logOf(2);
    const claudeClient = new RecordingClient(() => {
      mkdirSync(`${checkpoint}.next`);
      return OUTPUT;
    });
    const { agent, told } = agentOf({ sharedLog, claudeClient, checkpoint });
    agent.on('error', () => rmSync(`${checkpoint}.next`, { recursive: true }));
    agent.start();
    await stopped(agent);
    expect(told).toMatchObject({ error: [{ code: 'ERR_STRAND_FILE' }], answer: [] });
    const next = await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    expect(next.told.inDoubt).toMatchObject([{ batchId: claudeClient.asked[0]?.batchId }]);
  });
});

test('an agent that a broken log ends has let go of its checkpoint when it has stopped', async () => {
  for (let i = 0; i < 10; i++) {
    const checkpoint = fresh();
    const sharedLog = logOf(1);
    const { agent } = agentOf({
      sharedLog,
      claudeClient: new RecordingClient(),
      checkpoint,
      decoder: () => {
        sharedLog.close();
        throw new Error('bad');
      },
    });
    agent.start();
    await stopped(agent);
    const text = readFileSync(checkpoint, 'utf8');
    expect(JSON.parse(text)).toMatchObject({ settledUpTo: 12, verdicts: [] });
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(readFileSync(checkpoint, 'utf8')).toBe(text);
  }
});

describe('a restart', () => {
  test('goes on behind what is settled', async () => {
    const checkpoint = fresh();
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
    const sharedLog = openWritable();
    appendEvents(sharedLog, [{ id: 0 }, { id: 1, at: Date.now() }, { id: 2 }]);
    const first = new HeldClient();
    const { agent } = agentOf({ sharedLog, claudeClient: first, checkpoint });
    agent.start();
    await until(() => first.held.length === 1);
    await agent.stop({ deadlineMs: 0 });
    const claudeClient = new RecordingClient();
    await new Promise((resolve) => setTimeout(resolve, 5));
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
    const { sharedLog } = await interruptedWith(1, checkpoint);
    const refusing = new RecordingClient(() =>
      Promise.reject(Object.assign(new Error('no'), { retryable: false })),
    );
    const { told } = await runToEnd({ sharedLog, claudeClient: refusing, checkpoint, maxBatchMessages: 4 });
    expect(told.deadLetter).toMatchObject([{ inDoubt: true }, { inDoubt: false }]);
  });

  test('but is settled where it is not to be sent again, whatever else its error says', async () => {
    const checkpoint = fresh();
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
    const checkpoint = fresh();
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
  const checkpoint = fresh();
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
    const checkpoint = fresh();
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
    const checkpoint = fresh();
    const sharedLog = await untold(checkpoint);
    const decoder = () => ({ ok: false, error: new Error('no') }) as const;
    const { told } = await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint, decoder });
    expect(told.deadLetter).toMatchObject([{ frames: [], cursors: [0n, 12n, 24n] }]);
  });

  test.each(['expired', 'undecodable'])('of a frame that is %s is told again as well', async (kind) => {
    const checkpoint = fresh();
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

describe('a checkpoint', () => {
  test('is the file that a URL names, too', async () => {
    const checkpoint = new URL(`file://${fresh()}`);
    await runToEnd({ sharedLog: logOf(1), claudeClient: new RecordingClient(), checkpoint });
    expect(JSON.parse(readFileSync(checkpoint, 'utf8'))).toMatchObject({ settledUpTo: 12 });
  });

  test('is whole whenever it is looked at, and nothing is left beside it', async () => {
    const checkpoint = fresh();
    const { agent } = agentOf({
      sharedLog: logOf(300),
      claudeClient: new RecordingClient(),
      checkpoint,
      concurrency: 4,
      maxBatchMessages: 3,
    });
    agent.start();
    const stopping = agent.stop();
    let looks = 0;
    let upTo = 0;
    while (agent.metrics().backlogBytes !== 0) {
      await new Promise(setImmediate);
      if (!existsSync(checkpoint)) continue;
      const { settledUpTo } = readCheckpoint(checkpoint);
      expect(settledUpTo).toBeGreaterThanOrEqual(upTo);
      upTo = settledUpTo;
      looks++;
    }
    expect(looks).toBeGreaterThan(0);
    await stopping;
    expect(existsSync(`${checkpoint}.next`)).toBe(false);
  });

  test.each([
    ['an empty file', ''],
    ['no JSON', '{"version":1'],
    ['JSON of something else', 'null'],
    ['another version', '{"version":2,"settledUpTo":0,"settledBeyond":[],"intents":[],"verdicts":[]}'],
    ['a negative cursor', '{"version":1,"settledUpTo":-1,"settledBeyond":[],"intents":[],"verdicts":[]}'],
    [
      'a stretch that ends before it begins',
      '{"version":1,"settledUpTo":0,"settledBeyond":[[2,1]],"intents":[],"verdicts":[]}',
    ],
    [
      'an intent without its batch',
      '{"version":1,"settledUpTo":0,"settledBeyond":[],"intents":[{"spans":[]}],"verdicts":[]}',
    ],
    [
      'an intent of nothing',
      '{"version":1,"settledUpTo":0,"settledBeyond":[],"intents":[{"batchId":"a","spans":[]}],"verdicts":[]}',
    ],
    [
      'a batch that is there twice',
      '{"version":1,"settledUpTo":0,"settledBeyond":[],"intents":[{"batchId":"a","spans":[[0,1]]},{"batchId":"a","spans":[[1,2]]}],"verdicts":[]}',
    ],
    [
      'frames that are settled and sent',
      '{"version":1,"settledUpTo":9,"settledBeyond":[],"intents":[{"batchId":"a","spans":[[0,12]]}],"verdicts":[]}',
    ],
    [
      'frames that are sent and judged',
      '{"version":1,"settledUpTo":0,"settledBeyond":[],"intents":[{"batchId":"a","spans":[[0,12]]}],"verdicts":[{"kind":"expired","spans":[[0,12]]}]}',
    ],
    [
      'a verdict on nothing',
      '{"version":1,"settledUpTo":0,"settledBeyond":[],"intents":[],"verdicts":[{"kind":"expired","spans":[]}]}',
    ],
    [
      'a verdict of no kind',
      '{"version":1,"settledUpTo":0,"settledBeyond":[],"intents":[],"verdicts":[{"spans":[]}]}',
    ],
  ])('of %s is refused, stays as it is, and nothing is sent', async (_, text) => {
    const checkpoint = fresh();
    writeFileSync(checkpoint, text);
    const claudeClient = new RecordingClient();
    const { agent, told } = agentOf({ sharedLog: logOf(1), claudeClient, checkpoint });
    agent.start();
    await stopped(agent);
    expect(told.error).toMatchObject([
      { code: 'ERR_STRAND_FILE', message: expect.stringMatching(/no checkpoint of an agent: .*Restore it/) },
    ]);
    expect(claudeClient.asked).toHaveLength(0);
    expect(readFileSync(checkpoint, 'utf8')).toBe(text);
  });

  test('that is refused leaves nothing drained, though its log is empty', async () => {
    const checkpoint = fresh();
    writeFileSync(checkpoint, 'damaged');
    const { agent, told } = agentOf({ sharedLog: logOf(0), claudeClient: new RecordingClient(), checkpoint });
    agent.start();
    expect(await agent.stop()).toStrictEqual({ drained: false });
    expect(told.error).toHaveLength(1);
  });

  test('of another log at the same path is refused', async () => {
    const checkpoint = fresh();
    const folder = freshFolder();
    const file = path.join(folder, 'events.log');
    const before = openWritable({ path: file });
    appendEvents(before, numbers(0, 5));
    await runToEnd({ sharedLog: before, claudeClient: new RecordingClient(), checkpoint });
    before.close();
    rmSync(file);
    const sharedLog = openWritable({ path: file });
    appendEvents(sharedLog, numbers(0, 9));
    const claudeClient = new RecordingClient();
    const { agent, told } = agentOf({ sharedLog, claudeClient, checkpoint });
    agent.start();
    await stopped(agent);
    expect(told.error).toMatchObject([
      { code: 'ERR_STRAND_FILE', message: expect.stringContaining('belongs to another log') },
    ]);
    expect(claudeClient.asked).toHaveLength(0);
  });

  test('beyond the end of its log is refused', async () => {
    const checkpoint = fresh();
    const sharedLog = logOf(2);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    const stored = readCheckpoint(checkpoint);
    const places = [
      { settledUpTo: 1000 },
      { settledBeyond: [[36, 48]] },
      { intents: [{ batchId: 'a', spans: [[36, 48]] }] },
      { verdicts: [{ kind: 'expired', spans: [[36, 48]] }] },
    ];
    for (const place of places) {
      writeFileSync(checkpoint, JSON.stringify({ ...stored, ...place }));
      const { agent, told } = agentOf({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
      agent.start();
      await stopped(agent);
      expect(told.error).toMatchObject([{ code: 'ERR_SHM_CURSOR' }]);
      expect(told.stopped).toStrictEqual([{ drained: false }]);
    }
  });

  test('in a folder that does not exist is refused by start()', () => {
    const checkpoint = path.join(freshFolder(), 'missing', 'agent.checkpoint');
    const { agent } = agentOf({ sharedLog: logOf(1), claudeClient: new RecordingClient(), checkpoint });
    expect(thrownBy(() => agent.start())).toMatchObject({
      code: 'ERR_STRAND_FILE',
      message: expect.stringMatching(/^the checkpoint cannot be locked .*No such file/),
    });
    mkdirSync(path.dirname(checkpoint));
    agent.start();
  });

  test('stays where it was when the process goes elsewhere', async () => {
    const folder = freshFolder();
    const sharedLog = logOf(2);
    const before = process.cwd();
    // Of a worker of the test runner that is a process.
    process.chdir(folder);
    const { agent } = agentOf({
      sharedLog,
      claudeClient: new RecordingClient(),
      checkpoint: 'agent.checkpoint',
    });
    process.chdir(before);
    agent.start();
    await agent.stop();
    expect(readCheckpoint(path.join(folder, 'agent.checkpoint')).settledUpTo).toBe(24);
  });

  test('under two names is one', async () => {
    const checkpoint = fresh();
    const sharedLog = logOf(2);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    const link = fresh();
    symlinkSync(checkpoint, link);
    const first = agentOf({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    first.agent.start();
    const second = agentOf({ sharedLog, claudeClient: new RecordingClient(), checkpoint: link });
    expect(thrownBy(() => second.agent.start())).toMatchObject({ code: 'ERR_STRAND_BUSY' });
    await first.agent.stop();
    second.agent.start();
    await second.agent.stop();
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test('is made where a link to it leads', async () => {
    const checkpoint = fresh();
    const link = fresh();
    symlinkSync(checkpoint, link);
    await runToEnd({ sharedLog: logOf(2), claudeClient: new RecordingClient(), checkpoint: link });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readCheckpoint(checkpoint).settledUpTo).toBe(24);
  });

  test('keeps its permissions', async () => {
    const checkpoint = fresh();
    const sharedLog = logOf(2);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    chmodSync(checkpoint, 0o600);
    appendEvents(sharedLog, [2]);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    expect(readCheckpoint(checkpoint).settledUpTo).toBe(36);
    expect(statSync(checkpoint).mode & 0o777).toBe(0o600);
  });

  test('belongs to one agent at a time', async () => {
    const checkpoint = fresh();
    const sharedLog = logOf(1);
    const claudeClient = new RecordingClient();
    const first = agentOf({ sharedLog, claudeClient, checkpoint });
    first.agent.start();
    const second = agentOf({ sharedLog, claudeClient, checkpoint });
    expect(thrownBy(() => second.agent.start())).toMatchObject({
      code: 'ERR_STRAND_BUSY',
      message: expect.stringContaining(checkpoint),
    });
    await first.agent.stop();
    second.agent.start();
    await second.agent.stop();
    expect(claudeClient.asked).toHaveLength(1);
  });

  test('of an agent that reads the log as another program does is the same', async () => {
    const checkpoint = fresh();
    const file = freshPath();
    const log = openWritable({ path: file, checksum: 'crc32c', maxFrameBytes: 100_000 });
    appendEvents(log, numbers(0, 300));
    const reader = createSharedLog({ path: file });
    const first = new RecordingClient(({ frames }) => {
      if (frames.some(({ payload }) => payload.id === 130))
        throw Object.assign(new Error('stop'), { fatal: true });
      return OUTPUT;
    });
    const { agent } = agentOf({ sharedLog: reader, claudeClient: first, checkpoint, maxBatchMessages: 10 });
    agent.start();
    await stopped(agent);
    reader.close();
    const claudeClient = new RecordingClient();
    await runToEnd({ sharedLog: log, claudeClient, checkpoint, maxBatchMessages: 1000 });
    expect(claudeClient.batches).toStrictEqual([numbers(130, 300)]);
  });
});

test('an agent without a checkpoint begins at the oldest frame each time', async () => {
  const sharedLog = logOf(3);
  for (let i = 0; i < 2; i++) {
    const claudeClient = new RecordingClient();
    await runToEnd({ sharedLog, claudeClient });
    expect(claudeClient.batches).toStrictEqual([[0, 1, 2]]);
  }
});

describe('an agent without a checkpoint yet', () => {
  test.each([
    ['oldest', [0, 1, 2, 3, 4]],
    ['latest', [3, 4]],
    [12n, [1, 2, 3, 4]],
  ] as const)('begins from %s', async (from, ids) => {
    const sharedLog = logOf(3);
    const claudeClient = new RecordingClient();
    const { agent } = agentOf({ sharedLog, claudeClient, from });
    agent.start();
    appendEvents(sharedLog, [3, 4]);
    await agent.stop();
    expect(claudeClient.batches.flat()).toStrictEqual(ids);
  });

  test('has the place where it began on record, and goes on from there', async () => {
    const checkpoint = fresh();
    const sharedLog = logOf(3);
    const { agent } = agentOf({ sharedLog, claudeClient: new RecordingClient(), checkpoint, from: 'latest' });
    agent.start();
    await until(() => existsSync(checkpoint));
    await agent.stop();
    expect(readCheckpoint(checkpoint).settledUpTo).toBe(36);
    appendEvents(sharedLog, [3]);
    const claudeClient = new RecordingClient();
    await runToEnd({ sharedLog, claudeClient, checkpoint, from: 'latest' });
    expect(claudeClient.batches).toStrictEqual([[3]]);
  });

  test('that is to begin where no frame does is refused, and leaves no checkpoint', async () => {
    const checkpoint = fresh();
    const { agent, told } = agentOf({
      sharedLog: logOf(3),
      claudeClient: new RecordingClient(),
      checkpoint,
      from: 5n,
    });
    agent.start();
    await stopped(agent);
    expect(told.error).toMatchObject([{ code: 'ERR_SHM_CURSOR' }]);
    expect(existsSync(checkpoint)).toBe(false);
  });
});
