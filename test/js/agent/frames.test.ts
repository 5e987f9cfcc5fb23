import { describe, expect, test } from 'vitest';
import type { DecodeResult } from '../../../dist/agent.js';
import {
  agentOf,
  appendEvents,
  decoder,
  type Event,
  freshCheckpoint,
  HeldClient,
  logOf,
  numbers,
  OUTPUT,
  RecordingClient,
  readCheckpoint,
  runToEnd,
  stopped,
  until,
} from '../support/agents.js';
import { openWritable } from '../support/logs.js';

describe('a frame that the decoder does not understand', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('bad frame');
      },
      'bad frame',
    ],
    ['says that it is not ok', () => ({ ok: false, error: new Error('bad frame') }), 'bad frame'],
    ['says so without an error', () => ({ ok: false }), 'gave no error'],
    ['returns nothing', () => undefined, 'the decoder returns { ok, frame }'],
    ['returns no frame', () => ({ ok: true }), 'the decoder returns a frame'],
    [
      'throws what has no message',
      () => {
        throw Object.assign(new Error(), { message: 42 });
      },
      undefined,
    ],
    [
      'throws what throws',
      () => {
        throw Object.defineProperty(new Error(), 'message', {
          get: () => {
            throw new Error('getter');
          },
        });
      },
      undefined,
    ],
    [
      'throws what is gone',
      () => {
        const { proxy, revoke } = Proxy.revocable(new Error(), {});
        revoke();
        throw proxy;
      },
      undefined,
    ],
    [
      'gives a timestamp that is none',
      () => ({ ok: true, frame: { payload: 1, timestamp: Number.NaN } }),
      'got NaN',
    ],
    ['gives a Date', () => ({ ok: true, frame: { payload: 1, timestamp: new Date() } }), 'class Date'],
  ])('costs that frame alone where it %s', async (_, bad, message) => {
    const claudeClient = new RecordingClient();
    const { agent, told } = await runToEnd({
      sharedLog: logOf(5),
      claudeClient,
      checkpoint: freshCheckpoint(),
      decoder: (raw) => (String(raw) === '{"id":2}' ? (bad() as DecodeResult<Event>) : decoder(raw)),
    });
    expect(claudeClient.batches).toStrictEqual([[0, 1, 3, 4]]);
    expect(told.error).toHaveLength(0);
    const [{ cursor, error }] = told.decodeError as [{ cursor: bigint; error: Error }];
    expect(cursor).toBe(24n);
    if (message !== undefined) expect(error.message).toContain(message);
    expect(agent.metrics()).toMatchObject({
      framesSeen: 5,
      framesDecoded: 4,
      framesFailed: 1,
      framesAnswered: 4,
      backlogBytes: 0,
    });
  });

  test('is told of with whatever was thrown', async () => {
    for (const thrown of [undefined, null, 0, 'text', Symbol('s')]) {
      const { told } = await runToEnd({
        sharedLog: logOf(1),
        claudeClient: new RecordingClient(),
        checkpoint: freshCheckpoint(),
        decoder: () => {
          throw thrown;
        },
      });
      expect(told.decodeError).toStrictEqual([{ cursor: 0n, error: thrown }]);
    }
  });

  test('is settled on the disk though nothing else comes', async () => {
    const checkpoint = freshCheckpoint();
    const { agent } = agentOf({
      sharedLog: logOf(2),
      claudeClient: new RecordingClient(),
      checkpoint,
      decoder: () => ({ ok: false, error: new Error('no') }),
    });
    agent.start();
    await until(() => agent.metrics().backlogBytes === 0 && readCheckpoint(checkpoint).settledUpTo === 24);
    expect(readCheckpoint(checkpoint).verdicts).toStrictEqual([]);
  });

  test.each([
    ['returns a promise', () => Promise.reject(new Error('later')), 'returned a promise'],
    // biome-ignore lint/suspicious/noThenProperty: that is what is refused
    ['returns what is like a promise', () => ({ then: () => {} }), 'returned a promise'],
    [
      'says that it is fatal',
      () => {
        throw Object.assign(new Error('no table'), { fatal: true });
      },
      'no table',
    ],
  ])(
    'is not to blame where the decoder %s: the agent stops, and settles nothing of it',
    async (_, bad, message) => {
      const checkpoint = freshCheckpoint();
      const claudeClient = new RecordingClient();
      const { agent, told } = agentOf({
        sharedLog: logOf(5),
        claudeClient,
        checkpoint,
        decoder: (raw) => (String(raw) === '{"id":2}' ? (bad() as never) : decoder(raw)),
      });
      agent.start();
      await stopped(agent);
      expect(told.error).toMatchObject([{ message: expect.stringContaining(message) }]);
      expect(told.decodeError).toHaveLength(0);
      // Those in front of it are answered.
      expect(claudeClient.batches).toStrictEqual([[0, 1]]);
      expect(readCheckpoint(checkpoint)).toMatchObject({ settledUpTo: 24, verdicts: [] });
    },
  );

  test('does not keep a batch waiting that is due, however many there are', async () => {
    const sharedLog = openWritable({ capacityBytes: 16 * 1024 * 1024 });
    appendEvents(sharedLog, numbers(0, 1));
    const claudeClient = new RecordingClient();
    const { agent } = agentOf({
      sharedLog,
      claudeClient,
      decoder: (raw) => (raw.length > 8 ? { ok: false, error: new Error('no') } : decoder(raw)),
    });
    // Always more to read: each frame that is told of brings another.
    agent.on('decodeError', () => sharedLog.writer.append(Buffer.from('123456789')));
    for (let i = 0; i < 600; i++) sharedLog.writer.append(Buffer.from('123456789'));
    agent.start();
    await until(() => claudeClient.asked.length === 1);
    agent.removeAllListeners('decodeError');
  });
});

describe('a frame that is older than ttlMs', () => {
  const old = () => Date.now() - 60_000;

  test('is not sent, and one without a timestamp never grows old', async () => {
    const claudeClient = new RecordingClient();
    const sharedLog = openWritable();
    appendEvents(sharedLog, [
      { id: 0, at: old() },
      { id: 1, at: Date.now() + 60_000 },
      { id: 2 },
      { id: 3, at: old() },
    ]);
    const { agent, told } = await runToEnd({ sharedLog, claudeClient, ttlMs: 30_000 });
    expect(claudeClient.batches).toStrictEqual([[1, 2]]);
    expect(told.expired).toHaveLength(2);
    expect(told.expired[0]).toStrictEqual({ cursor: 0n });
    expect(agent.metrics()).toMatchObject({
      framesExpired: 2,
      framesDecoded: 4,
      framesAnswered: 2,
      backlogBytes: 0,
    });
  });

  test('is told by a bigint as well', async () => {
    const claudeClient = new RecordingClient();
    await runToEnd({
      sharedLog: logOf(2),
      claudeClient,
      ttlMs: 30_000,
      decoder: (raw) => {
        const payload = JSON.parse(String(raw)) as Event;
        return {
          ok: true,
          frame: { payload, raw, timestamp: BigInt(payload.id === 0 ? old() : Date.now()) },
        };
      },
    });
    expect(claudeClient.batches).toStrictEqual([[1]]);
  });

  test('is not sent if it grew old in its batch', async () => {
    const claudeClient = new HeldClient();
    const sharedLog = openWritable();
    const at = Date.now();
    appendEvents(sharedLog, [{ id: 0 }, { id: 1, at }, { id: 2 }]);
    const { agent, told } = agentOf({ sharedLog, claudeClient, maxBatchMessages: 1, ttlMs: 60_000 });
    agent.start();
    await until(() => claudeClient.held.length === 1 && agent.metrics().framesSeen >= 2);
    agent.configure({ ttlMs: 0, maxBatchMessages: 10 });
    await until(() => Date.now() > at);
    claudeClient.held[0]?.answer();
    await until(() => claudeClient.held.length === 2);
    claudeClient.held[1]?.answer();
    await agent.stop();
    expect(claudeClient.held[1]?.frames.map(({ payload }) => payload.id)).toStrictEqual([2]);
    expect(told.expired).toHaveLength(1);
  });

  test('is left out of the next attempt, and a batch of nothing else is over', async () => {
    const checkpoint = freshCheckpoint();
    const sharedLog = openWritable();
    const now = Date.now();
    appendEvents(sharedLog, [{ id: 0, at: now }, { id: 1 }, { id: 2, at: now }]);
    let ttl = (_: object) => {};
    const claudeClient = new RecordingClient(({ attempt, frames }) => {
      if (attempt > 1) return OUTPUT;
      ttl({ ttlMs: 0 });
      throw Object.assign(new Error('no'), { retryAfterMs: 3, inDoubt: frames.length === 1 });
    });
    const { agent, told } = agentOf({ sharedLog, claudeClient, checkpoint, maxBatchMessages: 3 });
    ttl = (options) => agent.configure(options);
    agent.start();
    await agent.stop();
    expect(claudeClient.batches).toStrictEqual([[0, 1, 2], [1]]);
    // What is another prompt is another batch.
    const [first, second] = claudeClient.asked;
    expect(second?.batchId).not.toBe(first?.batchId);
    expect(second?.attempt).toBe(2);
    expect(told.expired).toMatchObject([{ cursor: 0n }, {}]);
    expect(told.answer).toHaveLength(1);
    expect(agent.metrics()).toMatchObject({ framesExpired: 2, framesAnswered: 1, backlogBytes: 0 });
    expect(readCheckpoint(checkpoint)).toMatchObject({ intents: [], verdicts: [], settledBeyond: [] });
  });
});

test('every frame is counted in one way, however it went', async () => {
  const { default: fc } = await import('fast-check');
  const { seed } = await import('../support/seed.js');
  const fate = fc.constantFrom('answered', 'undecodable', 'expired', 'retried', 'lost', 'refused');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fate, { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      async (fates, maxBatchMessages, concurrency, retryInDoubt) => {
        const sharedLog = openWritable();
        appendEvents(
          sharedLog,
          fates.map((name, id) => ({ id, at: name === 'expired' ? 1 : Date.now() })),
        );
        const served: number[] = [];
        const claudeClient = new RecordingClient(({ frames, attempt }) => {
          const names = frames.map(({ payload }) => fates[payload.id]);
          if (names.includes('refused')) throw Object.assign(new Error('no'), { retryable: false });
          if (names.includes('retried') && attempt === 1) throw new Error('no');
          served.push(...frames.map(({ payload }) => payload.id));
          if (names.includes('lost') && attempt < 3) throw Object.assign(new Error('cut'), { inDoubt: true });
          return OUTPUT;
        });
        const { agent, told } = await runToEnd({
          sharedLog,
          claudeClient,
          maxBatchMessages,
          concurrency,
          retryInDoubt,
          ttlMs: 30_000,
          checkpoint: freshCheckpoint(),
          decoder: (raw) => {
            const result = decoder(raw);
            if (result.ok && fates[result.frame.payload.id] === 'undecodable') throw new Error('no');
            return result;
          },
        });
        const { framesSeen, framesAnswered, framesExpired, framesFailed, framesInDoubt } = agent.metrics();
        expect(framesSeen).toBe(fates.length);
        const listed = retryInDoubt ? 0 : framesInDoubt;
        expect(framesAnswered + framesExpired + framesFailed + listed).toBe(fates.length);
        const { settledUpTo, backlogBytes } = agent.metrics();
        expect(backlogBytes).toBe(0);
        expect(settledUpTo).toBe(sharedLog.header.size - sharedLog.header.dataOffset);
        expect(told.error).toHaveLength(0);
        if (framesInDoubt === 0) expect(new Set(served).size).toBe(served.length);
        sharedLog.close();
      },
    ),
    { seed, numRuns: 40 },
  );
});
