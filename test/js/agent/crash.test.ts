import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseCheckpoint } from '../../../dist/agent/checkpoint.js';
import type * as AgentPackage from '../../../dist/agent.js';
import { AgentHistory, type Report } from '../support/agent_history.js';
import { freshPath, openWritable, type WritableLog } from '../support/logs.js';
import { LONG } from '../support/long.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { type Inside, startChild } from '../support/threads.mjs';

const KILLS = LONG ? 200 : 12;
const LIMITS = { concurrency: 3, maxBatchMessages: 4 };
const TTL_MILLIS = 60_000;
/** Frames that wait to be read, so that no life ends for want of them. */
const BACKLOG = 24;

/** What ends a life. A process that is to die exactly there kills itself: nothing of it runs behind that. */
type Death =
  | { readonly at: 'delay'; readonly millis: number }
  | { readonly at: 'request'; readonly nth: number; readonly moment: 'unserved' | 'served' | 'answered' }
  | { readonly at: 'report'; readonly nth: number }
  | { readonly at: 'rename'; readonly nth: number; readonly moment: 'before' | 'after' }
  /** In good order, but without waiting for answers. */
  | { readonly at: 'stop'; readonly nth: number }
  /** When everything is settled. */
  | { readonly at: 'end' };

/** What the service does with a prompt. A refused one is not served. */
type Reply = 'answer' | 'lose' | 'loseForGood' | 'refuse' | 'refuseForGood' | 'fatal';

type Said =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'request'; readonly batchId: string; readonly cursors: readonly number[] }
  | { readonly kind: 'stopped'; readonly drained: boolean; readonly error?: string }
  | Report;

interface LifeData {
  readonly agent: string;
  readonly port: number;
  readonly log: string;
  readonly checkpoint: string;
  readonly retryInDoubt: boolean;
  readonly ttlMs: number;
  readonly limits: typeof LIMITS;
  readonly death: Death;
}

/** One life of the agent. All that it says goes through one pipe, at once: requests and reports are in their order. */
async function live({ log, data, say, load }: Inside<LifeData>): Promise<void> {
  const { promises: files } = process.getBuiltinModule('node:fs');
  const { connect } = process.getBuiltinModule('node:net');
  const { death } = data;
  const die = () => process.kill(process.pid, 'SIGKILL');

  let renames = 0;
  const rename = files.rename;
  files.rename = async (from, to) => {
    renames++;
    const isLast = death.at === 'rename' && death.nth === renames;
    if (isLast && death.moment === 'before') die();
    await rename(from, to);
    if (isLast) die();
  };
  process.getBuiltinModule('node:module').syncBuiltinESMExports();
  const { createClaudeSonetAgent } = (await load(data.agent)) as unknown as typeof AgentPackage;

  /** Who waits for a reply of the service, by batch. */
  const asking = new Map<string, (reply: Reply) => void>();
  const service = connect(data.port, '127.0.0.1').setEncoding('utf8');
  let line = '';
  await new Promise<void>((resolve) => {
    service.on('data', (text) => {
      const lines = (line + text).split('\n');
      line = lines.pop() as string;
      for (const each of lines) {
        const [batchId, reply] = each.split(' ') as [string, Reply];
        if (batchId === 'welcome') resolve();
        asking.get(batchId)?.(reply);
      }
    });
  });

  let reports = 0;
  const agent = createClaudeSonetAgent<null>({
    sharedLog: log.createSharedLog({ path: data.log }),
    model: 'a model',
    checkpoint: data.checkpoint,
    retryInDoubt: data.retryInDoubt,
    ttlMs: data.ttlMs,
    maxLingerMs: 2,
    ...data.limits,
    retry: { maxAttempts: 3, baseMs: 1, maxMs: 2, budgetPerSecond: 1e6, budgetReserve: 1e6 },
    decoder: (bytes) => {
      const luck = Math.random();
      if (luck < 0.03) throw new Error('not understood');
      if (luck < 0.06) return { ok: false, error: 'not understood' };
      const { timestamp } = JSON.parse(String(bytes)) as { timestamp?: number };
      return { ok: true, frame: { payload: null, raw: bytes, timestamp } };
    },
    claudeClient: {
      sendPrompt: async ({ batchId, frames }) => {
        const reply = new Promise<Reply>((resolve) => asking.set(batchId, resolve));
        say({ kind: 'request', batchId, cursors: frames.map(({ cursor }) => Number(cursor)) });
        const kind = await reply;
        if (kind === 'answer') return { requestId: batchId, latencyMs: 1, raw: undefined };
        throw Object.assign(new Error(kind), {
          inDoubt: kind.startsWith('lose'),
          retryable: !kind.endsWith('ForGood'),
          fatal: kind === 'fatal',
        });
      },
    },
    onDeadLetter: async ({ cursors }) => {
      report('letter', cursors);
      await new Promise(setImmediate);
      if (death.at !== 'end' && Math.random() < 0.05) throw new Error('nobody takes it');
    },
  });
  function report(kind: Report['kind'], cursors: readonly bigint[], more: Partial<Report> = {}): void {
    say({ kind, cursors: cursors.map(Number), ...more });
    reports++;
    if (death.at === 'report' && death.nth === reports) die();
    if (death.at === 'stop' && death.nth === reports) void agent.stop({ drain: false, deadlineMs: 0 });
  }
  let error: string | undefined;
  agent
    .on('answer', ({ frames }) =>
      report(
        'answer',
        frames.map(({ cursor }) => cursor),
      ),
    )
    .on('expired', ({ cursor }) => report('expired', [cursor]))
    .on('decodeError', ({ cursor }) => report('decodeError', [cursor]))
    .on('deadLetter', ({ cursors }) => report('deadLetter', cursors))
    .on('inDoubt', ({ cursors, retried, error }) =>
      report('inDoubt', cursors, { retried, isOld: error === undefined }),
    )
    .on('error', (thrown) => {
      error = (thrown as Error).message;
    })
    .on('stopped', ({ drained }) => {
      say({ kind: 'stopped', drained, ...(error !== undefined && { error }) });
      service.destroy();
    });
  agent.start();
  say({ kind: 'started', pid: process.pid });
  if (death.at === 'end') await agent.stop();
}

/** A log that is appended to, the service that is asked, and the lives of the agent between them. */
class Lives {
  readonly history = new AgentHistory(LIMITS);
  /** How lives have ended. */
  readonly deaths: Record<string, number> = {};
  readonly #retryInDoubt: boolean;
  readonly #random: ReturnType<typeof seeded>;
  readonly #log: WritableLog;
  readonly #file = freshPath();
  readonly #checkpoint = freshPath('agent.checkpoint');
  readonly #server = createServer((socket) => this.#welcome(socket));
  #socket: Socket | undefined;
  #death: Death = { at: 'end' };
  #pid = 0;
  #requests = 0;
  #stopped: { readonly drained: boolean; readonly error?: string } | undefined;

  constructor(retryInDoubt: boolean) {
    this.#retryInDoubt = retryInDoubt;
    this.#random = seeded(seed + (retryInDoubt ? 0 : 1));
    this.#log = openWritable({ path: this.#file, capacityBytes: 2 ** 22 });
    onTestFinished(() => {
      this.#kill();
      this.#server.close();
    });
  }

  async run(kills: number): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    let killed = 0;
    while (killed < kills) {
      if (await this.#live(this.#drawDeath())) killed++;
      expect(this.history.broken, `seed ${seed}`).toEqual([]);
    }
    for (;;) {
      await this.#live({ at: 'end' });
      expect(this.history.broken, `seed ${seed}`).toEqual([]);
      if (this.#stopped?.error === undefined) break;
    }
    expect(this.#stopped).toEqual({ kind: 'stopped', drained: true });
    this.history.finished();
    expect(this.history.broken, `seed ${seed}`).toEqual([]);
    const { intents, verdicts, settledUpTo } = this.#readCheckpoint();
    expect([intents, verdicts, settledUpTo]).toEqual([[], [], this.#committed]);
  }

  /** → whether it was killed */
  async #live(death: Death): Promise<boolean> {
    this.#begin(death);
    // Whatever the moment of the death was.
    if (existsSync(this.#checkpoint)) this.#readCheckpoint();
    this.history.restarted();
    this.#append();
    const child = startChild(live, {
      agent: new URL('../../../dist/agent.js', import.meta.url).href,
      port: (this.#server.address() as AddressInfo).port,
      log: this.#file,
      checkpoint: this.#checkpoint,
      retryInDoubt: this.#retryInDoubt,
      ttlMs: TTL_MILLIS,
      limits: LIMITS,
      death,
    });
    let timer: NodeJS.Timeout | undefined;
    for (;;) {
      const said = await child.said<Said>().catch(() => undefined);
      if (said === undefined) break;
      this.#hear(said);
      if (said.kind === 'started' && death.at === 'delay')
        timer = setTimeout(() => this.#kill(), death.millis);
    }
    clearTimeout(timer);
    this.#pid = 0;
    const { code, signal, stderr } = await child.ended;
    if (signal !== 'SIGKILL' && (code !== 0 || this.#stopped === undefined)) {
      throw new Error(`seed ${seed}: the agent ended with ${signal ?? code}: ${stderr}`);
    }
    const end = signal === 'SIGKILL' ? death.at : (this.#stopped?.error ?? 'stopped');
    this.deaths[end] = (this.deaths[end] ?? 0) + 1;
    return signal === 'SIGKILL';
  }

  #begin(death: Death): void {
    this.#death = death;
    this.#requests = 0;
    this.#stopped = undefined;
  }

  #hear(said: Said): void {
    if (said.kind === 'started') this.#pid = said.pid;
    else if (said.kind === 'request') this.#serve(said);
    else if (said.kind === 'stopped') {
      this.#stopped = said;
      // It ends by itself, and its number may be another's then.
      this.#pid = 0;
    } else this.history.reported(said);
    if (this.#death.at !== 'end') this.#append();
  }

  /** What arrives from a process that is dead by now is served as well. */
  #serve({ batchId, cursors }: { readonly batchId: string; readonly cursors: readonly number[] }): void {
    this.#expectIntent(batchId, cursors);
    const death = this.#death;
    const isLast = death.at === 'request' && death.nth === ++this.#requests;
    if (isLast && death.moment === 'unserved') {
      this.#kill();
      return;
    }
    const reply = this.#drawReply();
    if (reply === 'answer' || reply.startsWith('lose')) this.history.served(cursors);
    if (isLast && death.moment === 'served') {
      this.#kill();
      return;
    }
    const socket = this.#socket;
    const send = (): void => void socket?.write(`${batchId} ${reply}\n`);
    if (isLast || this.#random.below(2) === 0) send();
    else setTimeout(send, this.#random.below(6));
    if (isLast) this.#kill();
  }

  /** On the disk at this moment. */
  #expectIntent(batchId: string, cursors: readonly number[]): void {
    const { intents = [] } = existsSync(this.#checkpoint) ? this.#readCheckpoint() : {};
    const spans = intents.find((intent) => intent.batchId === batchId)?.spans ?? [];
    const uncovered = cursors.filter((cursor) => !spans.some(([from, to]) => from <= cursor && cursor < to));
    if (uncovered.length > 0) this.history.broken.push(`no intent of ${uncovered} when they were sent`);
  }

  #readCheckpoint() {
    return parseCheckpoint(readFileSync(this.#checkpoint, 'utf8'), this.#checkpoint);
  }

  #kill(): void {
    if (this.#pid !== 0) process.kill(this.#pid, 'SIGKILL');
  }

  #welcome(socket: Socket): void {
    this.#socket = socket;
    // A process that is killed resets its connection.
    socket.on('error', () => {}).write('welcome\n');
    socket.resume();
  }

  /** More frames, where few are left to be read. */
  #append(): void {
    if (this.history.ahead >= BACKLOG / 2) return;
    while (this.history.ahead < BACKLOG) {
      this.history.appended(this.#committed);
      const timestamp = this.#drawTimestamp();
      this.#log.writer.append(
        Buffer.from(JSON.stringify({ timestamp, padding: 'x'.repeat(this.#random.below(40)) })),
      );
    }
  }

  get #committed(): number {
    return Number(this.#log.header.size - this.#log.header.dataOffset);
  }

  /** Some frames are too old, some will be in a moment, and some never are. */
  #drawTimestamp(): number | undefined {
    const oldest = Date.now() - TTL_MILLIS;
    switch (this.#random.below(12)) {
      case 0:
        return oldest - 1000;
      case 1:
        return oldest + this.#random.below(60);
      default:
        return this.#random.below(2) === 0 ? undefined : Date.now();
    }
  }

  #drawReply(): Reply {
    const luck = this.#random.below(200);
    if (luck < 20) return 'refuse';
    if (luck < 26) return 'refuseForGood';
    if (luck < 40) return 'lose';
    if (luck < 44) return 'loseForGood';
    if (luck < 45) return 'fatal';
    return 'answer';
  }

  #drawDeath(): Death {
    const random = this.#random;
    switch (random.below(9)) {
      case 0:
      case 1:
        return { at: 'delay', millis: random.below(60) };
      case 2:
      case 3:
        return {
          at: 'request',
          nth: random.between(1, 12),
          moment: random.pick(['unserved', 'served', 'answered'] as const),
        };
      case 4:
      case 5:
        return { at: 'report', nth: random.between(1, 24) };
      case 6:
      case 7:
        return {
          at: 'rename',
          nth: random.between(1, 30),
          moment: random.pick(['before', 'after'] as const),
        };
      default:
        return { at: 'stop', nth: random.between(1, 24) };
    }
  }
}

describe(`an agent that is killed ${KILLS} times, with a client and a decoder that fail`, () => {
  test.each([
    ['sends nothing again that is not reported in doubt, and loses nothing', true],
    ['that does not retry what is in doubt sends nothing twice, and loses nothing', false],
  ])('%s', { timeout: 900_000 }, async (_, retryInDoubt) => {
    const lives = new Lives(retryInDoubt);
    await lives.run(KILLS);
    const { counts, frames } = lives.history;
    console.info(`${frames} frames: ${JSON.stringify(counts)}; ends: ${JSON.stringify(lives.deaths)}`);
    if (!retryInDoubt) expect(counts.servedTwice).toBe(0);
  });
});
