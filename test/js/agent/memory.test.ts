import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type * as AgentPackage from '../../../dist/agent.js';
import { freshPath, openWritable } from '../support/logs.js';
import { startChild } from '../support/threads.mjs';

const FRAMES = 1_000_000;
/** By then everything that is kept for good is there, and compiled. */
const EARLY = 200_000;
const AT_ONCE = 4000;
/** Where there is one, nothing waits for a disk: it is written to thousands of times. */
const NO_DISK = '/dev/shm';
/** What is on its way at one moment and not at another. A byte for each frame between them would be 800,000. */
const FEW_BYTES = 3_000_000;

interface Sample {
  readonly frames: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** A log of a million frames of eight bytes. */
function millionFrames(): string {
  const path = freshPath();
  const { writer } = openWritable({ path, capacityBytes: FRAMES * 12 + 65_536 });
  const frames = Array.from({ length: AT_ONCE }, () => Buffer.alloc(8));
  for (let first = 0; first < FRAMES; first += AT_ONCE) {
    frames.forEach((frame, i) => {
      frame.writeDoubleLE(first + i);
    });
    writer.appendBatch(frames);
  }
  return path;
}

describe('memory stays as it is over a million frames', () => {
  test.each(['answered', 'expired', 'undecodable'] as const)('that are %s', async (fate) => {
    const child = startChild(
      async ({ log, data, say, load }) => {
        const { createClaudeSonetAgent } = (await load(data.agent)) as unknown as typeof AgentPackage;
        const { gc } = globalThis as unknown as { gc: () => void };
        // Making a million errors takes longer than everything else.
        const notUnderstood = new Error('not understood');
        let frames = 0;
        const done = (count: number) => {
          const before = frames;
          frames += count;
          for (const moment of [data.early, data.frames]) {
            if (!(before < moment && frames >= moment)) continue;
            gc();
            gc();
            const { heapUsed, external, arrayBuffers } = process.memoryUsage();
            say({ frames, heapUsed, external, arrayBuffers });
          }
        };
        const agent = createClaudeSonetAgent<number>({
          sharedLog: log.createSharedLog({ path: data.path }),
          model: 'a model',
          checkpoint: data.checkpoint,
          maxBatchMessages: 1000,
          concurrency: 4,
          ttlMs: 1000,
          decoder: (bytes) => {
            if (data.fate === 'undecodable') throw notUnderstood;
            const timestamp = data.fate === 'expired' ? 0 : undefined;
            return { ok: true, frame: { payload: bytes.readDoubleLE(), raw: bytes, timestamp } };
          },
          claudeClient: {
            sendPrompt: async ({ batchId }) => ({ requestId: batchId, latencyMs: 1, raw: undefined }),
          },
        });
        agent
          .on('answer', (answer) => done(answer.frames.length))
          .on('expired', () => done(1))
          .on('decodeError', () => done(1));
        const started = performance.now();
        agent.start();
        const { drained } = await agent.stop();
        const { framesAnswered, framesExpired, framesFailed } = agent.metrics();
        say({
          drained,
          framesAnswered,
          framesExpired,
          framesFailed,
          seconds: (performance.now() - started) / 1000,
        });
      },
      {
        agent: new URL('../../../dist/agent.js', import.meta.url).href,
        path: millionFrames(),
        checkpoint: freshPath('agent.checkpoint', existsSync(NO_DISK) ? NO_DISK : undefined),
        fate,
        frames: FRAMES,
        early: EARLY,
      },
      { execArgv: ['--expose-gc'] },
    );
    const [early, late, { seconds, ...end }] = (await child.done()) as [Sample, Sample, { seconds: number }];
    console.info(
      `a million frames ${fate} in ${seconds.toFixed(1)} s, ${Math.round(FRAMES / seconds)} a second: ` +
        `${JSON.stringify(early)} → ${JSON.stringify(late)}`,
    );
    expect(end).toEqual({
      drained: true,
      framesAnswered: fate === 'answered' ? FRAMES : 0,
      framesExpired: fate === 'expired' ? FRAMES : 0,
      framesFailed: fate === 'undecodable' ? FRAMES : 0,
    });
    expect(late.heapUsed - early.heapUsed).toBeLessThan(FEW_BYTES);
    expect(late.external - early.external).toBeLessThan(FEW_BYTES);
    expect(late.arrayBuffers - early.arrayBuffers).toBeLessThan(FEW_BYTES);
  });
});

test('no more frames wait for a slow disk to take their verdicts than there may be on record at once', async () => {
  const mostAtOnce = 1100;
  const path = freshPath();
  const { writer } = openWritable({ path, capacityBytes: 2 ** 20 });
  for (let i = 0; i < 5 * AT_ONCE; i += AT_ONCE) {
    writer.appendBatch(Array.from({ length: AT_ONCE }, () => Buffer.alloc(8)));
  }
  const child = startChild(
    async ({ log, data, say, load }) => {
      const { createClaudeSonetAgent } = (await load(data.agent)) as unknown as typeof AgentPackage;
      const { promises: files } = process.getBuiltinModule('node:fs');
      const handle = await files.open(data.path);
      Object.getPrototypeOf(handle).datasync = async () => {
        // Time enough to read all there is.
        for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate);
      };
      await handle.close();
      let waiting = 0;
      let most = 0;
      const agent = createClaudeSonetAgent({
        sharedLog: log.createSharedLog({ path: data.path }),
        model: 'a model',
        checkpoint: data.checkpoint,
        decoder: () => {
          most = Math.max(most, ++waiting);
          return { ok: false, error: 'not understood' };
        },
        claudeClient: { sendPrompt: () => Promise.reject(new Error('asked')) },
      });
      agent.on('decodeError', () => waiting--).start();
      say({ ...(await agent.stop()), waiting, most });
    },
    {
      agent: new URL('../../../dist/agent.js', import.meta.url).href,
      path,
      checkpoint: freshPath('agent.checkpoint'),
    },
  );
  const [{ most, ...end }] = (await child.done()) as [{ most: number }];
  expect(end).toEqual({ drained: true, waiting: 0 });
  expect(most).toBeLessThan(mostAtOnce);
  expect(most).toBeGreaterThan(mostAtOnce / 2);
});
