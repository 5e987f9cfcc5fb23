import { Latencies } from './latencies.js';

/** What an agent has counted since it was made. */
export interface AgentMetrics {
  /** Read and given to the decoder. */
  readonly framesSeen: number;
  readonly framesDecoded: number;
  readonly framesAnswered: number;
  readonly framesExpired: number;
  /** Not decoded, or given up. */
  readonly framesFailed: number;
  /** Sent, with an answer that is lost; counted each time. Those that are sent again may be answered, too. */
  readonly framesInDoubt: number;
  /** Attempts. */
  readonly promptsSent: number;
  readonly promptsAnswered: number;
  /** Attempts that failed. */
  readonly promptsFailed: number;
  readonly promptsInDoubt: number;
  /** Attempts after the first of their batch. */
  readonly retries: number;
  readonly deadLetters: number;
  /** Attempts that wait for their answer. */
  readonly promptsUnderWay: number;
  /** Cursor before which everything is settled; undefined until the checkpoint has been read. */
  readonly settledUpTo: bigint | undefined;
  /** Committed bytes behind it. */
  readonly backlogBytes: number | undefined;
  /** How long answers took, in milliseconds; percentiles are right to 4.5 %. Undefined before the first. */
  readonly latencyMs: LatencyMetrics;
}

export interface LatencyMetrics {
  readonly count: number;
  readonly mean: number | undefined;
  readonly p50: number | undefined;
  readonly p90: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
}

type CounterName = Exclude<keyof AgentMetrics, 'latencyMs' | 'settledUpTo' | 'backlogBytes'>;

const COUNTERS = [
  'framesSeen',
  'framesDecoded',
  'framesAnswered',
  'framesExpired',
  'framesFailed',
  'framesInDoubt',
  'promptsSent',
  'promptsAnswered',
  'promptsFailed',
  'promptsInDoubt',
  'retries',
  'deadLetters',
  'promptsUnderWay',
] as const satisfies CounterName[];

/** Where an agent stands in its log. */
export interface LogPosition {
  /** Undefined while that is not known. */
  readonly settledUpTo: number | undefined;
  readonly committed: number;
}

/** An agent's counters. */
export class Counters {
  readonly latencies = new Latencies();
  readonly #counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<CounterName, number>;

  add(name: CounterName, amount = 1): void {
    this.#counts[name] += amount;
  }

  metrics({ settledUpTo, committed }: LogPosition): AgentMetrics {
    const { latencies } = this;
    const { count } = latencies;
    return {
      ...this.#counts,
      settledUpTo: settledUpTo === undefined ? undefined : BigInt(settledUpTo),
      backlogBytes: settledUpTo === undefined ? undefined : Math.max(0, committed - settledUpTo),
      latencyMs: {
        count,
        mean: count === 0 ? undefined : latencies.sumMs / count,
        p50: latencies.percentile(0.5),
        p90: latencies.percentile(0.9),
        p99: latencies.percentile(0.99),
        max: count === 0 ? undefined : latencies.maxMs,
      },
    };
  }
}
