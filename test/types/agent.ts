// Compiled, never run: what an agent takes and gives.

import {
  type AgentFrame,
  type AgentMetrics,
  type ClaudeClient,
  createAnthropicClient,
  createClaudeSonetAgent,
  createClaudeSonnetAgent,
  type Decoder,
  type PromptOutput,
  type StopResult,
} from '../../dist/agent.js';
import { createSharedLog } from '../../dist/log.js';
import { expectTrue, type Same } from './expect_type.js';

interface Order {
  id: number;
}

const sharedLog = createSharedLog({ path: 'orders.log' });
const decoder: Decoder<Order> = (raw) => {
  const payload: Order = JSON.parse(raw.toString());
  return payload.id > 0
    ? { ok: true, frame: { payload, raw, timestamp: 5n } }
    : { ok: false, error: new Error('no') };
};
const claudeClient: ClaudeClient<Order> = {
  async sendPrompt({ model, prompt, frames, batchId, attempt, signal }) {
    expectTrue<Same<typeof frames, readonly AgentFrame<Order>[]>>();
    signal.throwIfAborted();
    return { requestId: model + prompt + batchId, latencyMs: attempt, raw: frames[0]?.payload.id };
  },
};

const agent = createClaudeSonetAgent({
  sharedLog,
  model: 'claude-sonnet-5-5',
  decoder,
  claudeClient,
  formatPrompt: (frames) => frames.map(({ payload }) => payload.id).join(),
  checkpoint: new URL('file:///orders.checkpoint'),
  retry: { maxAttempts: 3 },
  onDeadLetter: async ({ frames }) => void frames[0]?.payload.id,
});
// The payload's type is the decoder's, a client for any payload fits.
const inferred = createClaudeSonnetAgent({
  sharedLog,
  model: 'm',
  decoder: (raw) => ({ ok: true, frame: { payload: raw.length, raw } }),
  claudeClient: createAnthropicClient({ system: 'short', maxTokens: 5 }),
  formatPrompt: (frames) => frames.map(({ payload }) => payload.toFixed()).join(),
  onDeadLetter: ({ frames }) => frames[0]?.payload.toFixed(),
  retry: { maxAttempts: undefined },
});
inferred.on('answer', ({ frames }) => {
  const payloads = frames.map(({ payload }) => payload);
  expectTrue<Same<typeof payloads, number[]>>();
});

agent.on('answer', ({ frames, output }) => {
  expectTrue<Same<typeof output, PromptOutput>>();
  const id: number | undefined = frames[0]?.payload.id;
  return id;
});
agent.on('inDoubt', ({ cursors, retried }) => [cursors[0] === 5n, retried === true]);
// @ts-expect-error: no such event
agent.on('answered', () => {});
// @ts-expect-error: options that it does not have
agent.configure({ linger: 5 });
agent.configure({ maxLingerMs: 5 });
// @ts-expect-error: a client is missing
createClaudeSonetAgent({ sharedLog, model: 'm', decoder });
// @ts-expect-error: a decoder is no promise
createClaudeSonetAgent({ sharedLog, model: 'm', claudeClient, decoder: async (raw: Buffer) => decoder(raw) });
// @ts-expect-error: keys are texts
createAnthropicClient({ apiKey: 5 });

agent.start();
const metrics: AgentMetrics = agent.metrics();
expectTrue<Same<typeof metrics.settledUpTo, bigint | undefined>>();
expectTrue<Same<typeof metrics.latencyMs.p99, number | undefined>>();
const text: string = agent.metricsText({ agent: 'orders' });
const result = await agent.stop({ drain: false, deadlineMs: text.length });
expectTrue<Same<typeof result, StopResult>>();
