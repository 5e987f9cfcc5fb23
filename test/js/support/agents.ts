import { existsSync, readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import {
  type AgentOptions,
  type ClaudeClient,
  type ClaudeSonetAgent,
  createClaudeSonetAgent,
  type Decoder,
  type PromptInput,
  type PromptOutput,
} from '../../../dist/agent.js';
import type { SharedLog } from '../../../dist/log.js';
import { freshPath, openWritable, type WritableLog } from './logs.js';

/** What the frames of these tests hold. */
export interface Event {
  readonly id: number;
  readonly at?: number;
}

export const decoder: Decoder<Event> = (raw) => {
  const payload = JSON.parse(String(raw)) as Event;
  return { ok: true, frame: { payload, raw, timestamp: payload.at } };
};

export const OUTPUT: PromptOutput = { requestId: 'request', latencyMs: 1, raw: null };

export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

export const idsOf = ({ frames }: Pick<PromptInput<Event>, 'frames'>): number[] =>
  frames.map(({ payload }) => payload.id);

export function appendEvents(log: WritableLog, events: readonly (number | Event)[]): void {
  log.writer.appendBatch(
    events.map((event) => Buffer.from(JSON.stringify(typeof event === 'number' ? { id: event } : event))),
  );
}

/** The path of a checkpoint that does not exist yet. */
export const freshCheckpoint = (): string => freshPath('agent.checkpoint');

/** A log with an event of each number from 0 on. */
export function logOf(count: number): WritableLog {
  const log = openWritable({ capacityBytes: 1024 * 1024 });
  appendEvents(log, numbers(0, count));
  return log;
}

type Answer = (input: PromptInput<Event>) => Promise<PromptOutput> | PromptOutput;

/** A client that keeps what it was asked. */
export class RecordingClient implements ClaudeClient<Event> {
  readonly asked: PromptInput<Event>[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer = () => OUTPUT) {
    this.#answer = answer;
  }

  async sendPrompt(input: PromptInput<Event>): Promise<PromptOutput> {
    this.asked.push(input);
    return this.#answer(input);
  }

  /** The frames of each prompt. */
  get batches(): number[][] {
    return this.asked.map(idsOf);
  }
}

/** Prompts that wait until the test answers them. */
export class HeldClient implements ClaudeClient<Event> {
  readonly held: (PromptInput<Event> & {
    readonly answer: () => void;
    readonly fail: (error: unknown) => void;
  })[] = [];

  sendPrompt(input: PromptInput<Event>): Promise<PromptOutput> {
    return new Promise((resolve, reject) => {
      this.held.push({ ...input, answer: () => resolve(OUTPUT), fail: reject });
    });
  }
}

type Options = Partial<AgentOptions<Event>> & {
  readonly sharedLog: SharedLog;
  readonly claudeClient: ClaudeClient<Event>;
};

export interface Reports {
  readonly agent: ClaudeSonetAgent<Event>;
  /** What it has told, by the name of the event. */
  readonly told: Record<(typeof EVENTS)[number], unknown[]>;
}

const EVENTS = [
  'answer',
  'retry',
  'deadLetter',
  'decodeError',
  'expired',
  'inDoubt',
  'error',
  'stopped',
] as const;

/** An agent that does not wait long between attempts, and is stopped with the test. */
export function agentOf(options: Options): Reports {
  const agent = createClaudeSonetAgent<Event>({
    model: 'model',
    decoder,
    maxLingerMs: 0,
    retry: { baseMs: 0 },
    ...options,
  });
  const told = Object.fromEntries(EVENTS.map((name) => [name, []])) as unknown as Reports['told'];
  for (const name of EVENTS) (agent as NodeJS.EventEmitter).on(name, (value) => told[name].push(value));
  onTestFinished(async () => void (await agent.stop({ deadlineMs: 0 })));
  return { agent, told };
}

/** Starts it, and stops it when everything is settled. */
export async function runToEnd(options: Options): Promise<Reports> {
  const reports = agentOf(options);
  reports.agent.start();
  await reports.agent.stop();
  return reports;
}

/** Resolves when a condition holds, which something in the loop brings about. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Some turns of the loop: an agent that has nothing to do has come to wait by then. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

export interface StoredCheckpoint {
  readonly version: number;
  readonly log?: string;
  readonly settledUpTo: number;
  readonly settledBeyond: [number, number][];
  readonly intents: { readonly batchId: string; readonly spans: [number, number][] }[];
  readonly verdicts: { readonly kind: string; readonly spans: [number, number][] }[];
}

export function readCheckpoint(file: string): StoredCheckpoint {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Whether a checkpoint on the disk says that a batch with these frames may be sent. */
export function isIntended(file: string, { batchId, frames }: PromptInput<Event>): boolean {
  if (!existsSync(file)) return false;
  const spans = readCheckpoint(file).intents.find((intent) => intent.batchId === batchId)?.spans ?? [];
  return frames.every(({ cursor }) => spans.some(([from, to]) => from <= cursor && cursor < to));
}

/** Resolves when an agent has stopped, be it by an error. */
export function stopped(agent: ClaudeSonetAgent<Event>): Promise<unknown> {
  return new Promise((resolve) => agent.once('stopped', resolve));
}
