import { describe, expect, test } from 'vitest';
import type * as AgentPackage from '../../../dist/agent.js';
import { createClaudeSonetAgent } from '../../../dist/agent.js';
import { freshPath, open, openWritable, type WritableLog } from '../support/logs.js';
import { type Inside, startChild } from '../support/threads.mjs';

const AGENT = new URL('../../../dist/agent.js', import.meta.url).href;
/** Long enough for what is done ten times a second to show. */
const IDLE_MILLIS = 400;
const HOUR = 3_600_000;

/** A log with a frame, and where it is. */
function logWithFrame(): { readonly path: string; readonly log: WritableLog } {
  const path = freshPath();
  const log = openWritable({ path });
  log.writer.append(Buffer.from('first'));
  return { path, log };
}

describe('an agent that idles', () => {
  test('has no timer and asks its log nothing, until there is a frame', async () => {
    const { path, log } = logWithFrame();
    const child = startChild(
      async ({ log, data, say, load, until }) => {
        const { createClaudeSonetAgent } = (await load(data.agent)) as unknown as typeof AgentPackage;
        const calls: string[] = [];
        let waits = 0;
        /** Counts what is asked of an object, by whatever name. */
        const counting = <T extends object>(target: T): T =>
          new Proxy(target, {
            get: (_, name) => {
              const value: unknown = Reflect.get(target, name, target);
              if (typeof value !== 'function') {
                calls.push(String(name));
                return value;
              }
              return (...args: unknown[]) => {
                calls.push(String(name));
                const result: unknown = value.apply(target, args);
                if (name === 'wait') {
                  waits++;
                  void (result as Promise<boolean>).finally(() => waits--).catch(() => {});
                }
                return name === 'createIterator' ? counting(result as object) : result;
              };
            },
          });
        const sharedLog = log.createSharedLog({ path: data.path });
        const agent = createClaudeSonetAgent({
          sharedLog: counting(sharedLog),
          model: 'a model',
          checkpoint: data.checkpoint,
          maxLingerMs: 1,
          decoder: (raw) => ({ ok: true, frame: { payload: String(raw), raw } }),
          claudeClient: {
            sendPrompt: async ({ prompt }) => ({ requestId: prompt, latencyMs: 1, raw: undefined }),
          },
        });
        let answers = 0;
        agent.on('answer', () => answers++).start();
        /** What is there when the agent has nothing to do, after a while. */
        const idle = async (expected: number) => {
          await until(() => answers === expected && waits === 1);
          await new Promise(setImmediate);
          const before = calls.length;
          const timers = [];
          for (let i = 0; i < 2; i++) {
            timers.push(...process.getActiveResourcesInfo().filter((name) => name === 'Timeout'));
            await new Promise((resolve) => setTimeout(resolve, data.millis / 2));
            await new Promise(setImmediate);
          }
          return { timers, calls: calls.slice(before), waits };
        };
        say(await idle(1));
        say(await idle(2));
        const { drained } = await agent.stop();
        say({ drained, asked: calls.includes('nextLargest') });
        sharedLog.close();
      },
      { agent: AGENT, path, checkpoint: freshPath('agent.checkpoint'), millis: IDLE_MILLIS },
    );
    const nothing = { timers: [], calls: [], waits: 1 };
    expect(await child.said()).toEqual(nothing);
    log.writer.append(Buffer.from('second'));
    expect(await child.said()).toEqual(nothing);
    expect(await child.done()).toEqual([{ drained: true, asked: true }]);
  });

  test('keeps its process alive', async () => {
    const { path, log } = logWithFrame();
    const child = startChild(
      async ({ log, data, say, load }) => {
        const { createClaudeSonetAgent } = (await load(data.agent)) as unknown as typeof AgentPackage;
        const agent = createClaudeSonetAgent<string>({
          sharedLog: log.createSharedLog({ path: data.path }),
          model: 'a model',
          maxLingerMs: 1,
          decoder: (raw) => ({ ok: true, frame: { payload: String(raw), raw } }),
          claudeClient: {
            sendPrompt: async ({ prompt }) => ({ requestId: prompt, latencyMs: 1, raw: undefined }),
          },
        });
        process.once('beforeExit', () => say('leaving'));
        agent.on('answer', ({ frames }) => {
          say(frames.map(({ payload }) => payload));
          if (frames.some(({ payload }) => payload === 'second')) void agent.stop();
        });
        agent.start();
      },
      { agent: AGENT, path },
    );
    expect(await child.said()).toEqual(['first']);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MILLIS));
    log.writer.append(Buffer.from('second'));
    expect(await child.said()).toEqual(['second']);
    expect(await child.done()).toEqual(['leaving']);
  });
});

interface Stopping {
  /** Answers, says nothing for ever, asks for an hour of patience, or leaves no hope: such letters nobody ever takes. */
  readonly client: 'answers' | 'never answers' | 'is busy' | 'refuses';
  /** When to stop. */
  readonly when: 'unstarted' | 'started' | 'answer' | 'asked' | 'retry' | 'decoded' | 'letter';
  readonly stop: readonly AgentPackage.StopOptions[];
  readonly drained: boolean;
  readonly maxLingerMs?: number;
  readonly hasCheckpoint?: boolean;
}

interface StoppingData extends Stopping {
  readonly agent: string;
  readonly path: string;
  readonly checkpoint: string;
  readonly hour: number;
}

/** Does what there is to do up to a moment, stops, and leaves the rest to the event loop. */
async function stopping({ log, data, say, load }: Inside<StoppingData>) {
  const { createClaudeSonetAgent } = (await load(data.agent)) as unknown as typeof AgentPackage;
  let reach: () => void = () => {};
  const moment = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const at = (name: Stopping['when']) => {
    if (data.when === name) reach();
  };
  const agent = createClaudeSonetAgent({
    sharedLog: log.createSharedLog({ path: data.path }),
    model: 'a model',
    maxLingerMs: data.maxLingerMs ?? 1,
    ...(data.hasCheckpoint && { checkpoint: data.checkpoint }),
    decoder: (raw) => {
      at('decoded');
      return { ok: true, frame: { payload: String(raw), raw } };
    },
    onDeadLetter: () => {
      at('letter');
      return new Promise(() => {});
    },
    claudeClient: {
      sendPrompt: ({ prompt }) => {
        at('asked');
        if (data.client === 'never answers') return new Promise(() => {});
        if (data.client === 'answers')
          return Promise.resolve({ requestId: prompt, latencyMs: 1, raw: undefined });
        return Promise.reject(
          Object.assign(new Error('busy'), { retryAfterMs: data.hour, retryable: data.client === 'is busy' }),
        );
      },
    },
  });
  let stops = 0;
  agent
    .on('answer', () => at('answer'))
    .on('retry', () => at('retry'))
    .on('stopped', () => stops++)
    .on('error', (error) => say(String(error)));
  at('unstarted');
  if (data.when !== 'unstarted') agent.start();
  at('started');
  await moment;
  const results = await Promise.all(data.stop.map((options) => agent.stop(options)));
  say({ results, stops, resources: process.getActiveResourcesInfo().filter((name) => name === 'Timeout') });
}

describe('stop() leaves nothing that keeps the process alive', () => {
  const soon = { deadlineMs: 20 };
  test.each<[string, Stopping]>([
    ['of an agent that idles', { client: 'answers', when: 'answer', stop: [{}], drained: true }],
    [
      'of one with a checkpoint',
      { client: 'answers', when: 'answer', stop: [{}], drained: true, hasCheckpoint: true },
    ],
    ['before start()', { client: 'answers', when: 'unstarted', stop: [{}], drained: false }],
    ['right behind start()', { client: 'answers', when: 'started', stop: [{}], drained: true }],
    [
      'right behind start(), with a checkpoint, and nothing to be sent',
      {
        client: 'answers',
        when: 'started',
        stop: [{ drain: false }],
        drained: false,
        hasCheckpoint: true,
      },
    ],
    [
      'while a frame waits for others',
      { client: 'answers', when: 'decoded', stop: [{}], drained: true, maxLingerMs: HOUR },
    ],
    [
      'while a frame waits for others, which it gives up',
      { client: 'answers', when: 'decoded', stop: [{ drain: false }], drained: false, maxLingerMs: HOUR },
    ],
    [
      'with a client that never answers',
      { client: 'never answers', when: 'asked', stop: [soon], drained: false },
    ],
    [
      'with a client that never answers, and a checkpoint',
      { client: 'never answers', when: 'asked', stop: [soon], drained: false, hasCheckpoint: true },
    ],
    [
      'with a client that never answers, by the shorter of two deadlines',
      { client: 'never answers', when: 'asked', stop: [{ deadlineMs: HOUR }, soon, {}], drained: false },
    ],
    [
      'while it waits for another attempt',
      { client: 'is busy', when: 'retry', stop: [soon], drained: false },
    ],
    [
      'while it waits for another attempt, and has a checkpoint',
      { client: 'is busy', when: 'retry', stop: [soon], drained: false, hasCheckpoint: true },
    ],
    ['while nobody takes a dead letter', { client: 'refuses', when: 'letter', stop: [soon], drained: false }],
    [
      'while nobody takes a dead letter, and it has a checkpoint',
      { client: 'refuses', when: 'letter', stop: [soon], drained: false, hasCheckpoint: true },
    ],
    [
      'with a deadline that is far away',
      { client: 'answers', when: 'answer', stop: [{ deadlineMs: HOUR }], drained: true },
    ],
  ])('%s', async (_, plan) => {
    const { path } = logWithFrame();
    const child = startChild(stopping, {
      ...plan,
      agent: AGENT,
      path,
      checkpoint: freshPath('agent.checkpoint'),
      hour: HOUR,
    });
    const results = plan.stop.map(() => ({ drained: plan.drained }));
    expect(await child.done()).toEqual([{ results, stops: 1, resources: [] }]);
  });
});

test('a dead letter that nobody has taken by the deadline is handed over at the next start', async () => {
  const { path } = logWithFrame();
  const checkpoint = freshPath('agent.checkpoint');
  const letters: [batchId: string, cursors: readonly bigint[]][] = [];
  const told: string[] = [];
  /** Starts an agent, and stops it when it has asked for a letter to be taken. */
  const start = async (answer: () => Promise<void>): Promise<AgentPackage.StopResult> => {
    let agent: AgentPackage.ClaudeSonetAgent<null>;
    const stopped = new Promise<AgentPackage.StopResult>((resolve) => {
      agent = createClaudeSonetAgent<null>({
        sharedLog: open({ path }),
        model: 'a model',
        checkpoint,
        maxLingerMs: 1,
        decoder: (raw) => ({ ok: true, frame: { payload: null, raw } }),
        claudeClient: {
          sendPrompt: () => Promise.reject(Object.assign(new Error('refused'), { retryable: false })),
        },
        onDeadLetter: ({ batchId, cursors }) => {
          letters.push([batchId, cursors]);
          resolve(agent.stop({ deadlineMs: 20 }));
          return answer();
        },
      });
      agent.on('deadLetter', ({ batchId }) => told.push(batchId)).start();
    });
    return stopped;
  };
  expect(await start(() => new Promise(() => {}))).toEqual({ drained: false });
  expect(told).toEqual([]);
  expect(await start(() => Promise.resolve())).toEqual({ drained: true });
  expect(letters).toEqual([
    [told[0], [0n]],
    [told[0], [0n]],
  ]);
});
