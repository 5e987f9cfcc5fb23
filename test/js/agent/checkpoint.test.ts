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
import { createSharedLog } from '../../../dist/log.js';
import {
  agentOf,
  appendEvents,
  freshCheckpoint,
  isIntended,
  logOf,
  numbers,
  OUTPUT,
  RecordingClient,
  readCheckpoint,
  runToEnd,
  stopped,
  turns,
  until,
} from '../support/agents.js';
import { freshFolder, freshPath, openWritable, thrownBy } from '../support/logs.js';

describe('an intent', () => {
  test('is on the disk before its prompt is sent, at every attempt', async () => {
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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

describe('a checkpoint', () => {
  test('is the file that a URL names, too', async () => {
    const checkpoint = new URL(`file://${freshCheckpoint()}`);
    await runToEnd({ sharedLog: logOf(1), claudeClient: new RecordingClient(), checkpoint });
    expect(JSON.parse(readFileSync(checkpoint, 'utf8'))).toMatchObject({ settledUpTo: 12 });
  });

  test('is whole whenever it is looked at, and nothing is left beside it', async () => {
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
    writeFileSync(checkpoint, 'damaged');
    const { agent, told } = agentOf({ sharedLog: logOf(0), claudeClient: new RecordingClient(), checkpoint });
    agent.start();
    expect(await agent.stop()).toStrictEqual({ drained: false });
    expect(told.error).toHaveLength(1);
  });

  test('of another log at the same path is refused', async () => {
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(2);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    const link = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
    const link = freshCheckpoint();
    symlinkSync(checkpoint, link);
    await runToEnd({ sharedLog: logOf(2), claudeClient: new RecordingClient(), checkpoint: link });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readCheckpoint(checkpoint).settledUpTo).toBe(24);
  });

  test('keeps its permissions', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = logOf(2);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    chmodSync(checkpoint, 0o600);
    appendEvents(sharedLog, [2]);
    await runToEnd({ sharedLog, claudeClient: new RecordingClient(), checkpoint });
    expect(readCheckpoint(checkpoint).settledUpTo).toBe(36);
    expect(statSync(checkpoint).mode & 0o777).toBe(0o600);
  });

  test('belongs to one agent at a time', async () => {
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
    const checkpoint = freshCheckpoint();
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
