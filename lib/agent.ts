export type { ClaudeSonetAgent } from './agent/agent.js';
export { type AnthropicClientOptions, createAnthropicClient } from './agent/anthropic_client.js';
export type { RetryOptions } from './agent/backoff.js';
export {
  createClaudeSonetAgent,
  createClaudeSonetAgent as createClaudeSonnetAgent,
} from './agent/create_agent.js';
export type { AgentMetrics, LatencyMetrics } from './agent/metrics.js';
export type { AgentOptions, BatchingOptions } from './agent/options.js';
export type { MetricLabels } from './agent/prometheus.js';
export type {
  AgentEvents,
  AgentFrame,
  Answer,
  ClaudeClient,
  DeadLetter,
  DecodedFrame,
  DecodeResult,
  Decoder,
  InDoubt,
  PromptFault,
  PromptInput,
  PromptOutput,
  Retry,
  StopOptions,
  StopResult,
} from './agent/types.js';
