import type { Ledger } from './ledger.js';
import type { Counters } from './metrics.js';
import type { AgentSettings, Batching } from './options.js';
import type { AgentEvents } from './types.js';

/** What the parts of an agent share. */
export interface AgentParts<P> {
  readonly settings: AgentSettings<P>;
  /** As it is now: it changes while the agent runs. */
  readonly batching: () => Batching;
  readonly ledger: Ledger;
  readonly counters: Counters;
  /** Aborted when nobody waits for anything any more. */
  readonly aborted: AbortSignal;
  readonly tell: <K extends keyof AgentEvents<P>>(event: K, value: AgentEvents<P>[K][0]) => void;
}
