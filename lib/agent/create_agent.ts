import { ClaudeSonetAgent } from './agent.js';
import { type AgentOptions, checkAgentOptions } from './options.js';

/**
 * An agent that follows a shared log, makes batches of its frames, and sends a prompt for each. It begins with `start()`.
 *
 * @throws TypeError, RangeError for options that make no sense
 */
export function createClaudeSonetAgent<P = unknown>(options: AgentOptions<P>): ClaudeSonetAgent<P> {
  return new ClaudeSonetAgent(checkAgentOptions(options));
}
