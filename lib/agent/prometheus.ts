import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import type { AgentMetrics } from './metrics.js';

/** Labels of all samples, as `{ agent: 'orders' }`. */
export type MetricLabels = Readonly<Record<string, string>>;

type Sample = readonly [labels: MetricLabels, value: number];

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly help: string;
  /** By what is appended to the name. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
}

const PREFIX = 'strand_agent_';
const MILLIS = 1000;
const LABEL_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Metrics in the text format of Prometheus, version 0.0.4.
 *
 * Source: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format".
 */
export function prometheusText(metrics: AgentMetrics, labels: MetricLabels = {}): string {
  checkLabels(labels);
  return familiesOf(metrics)
    .map((family) => textOf(family, labels))
    .join('');
}

function familiesOf(metrics: AgentMetrics): Family[] {
  const { latencyMs } = metrics;
  const seconds = (millis: number | undefined) => (millis === undefined ? Number.NaN : millis / MILLIS);
  const single = (name: string, type: 'counter' | 'gauge', help: string, value: number): Family => ({
    name,
    type,
    help,
    samples: { '': [[{}, value]] },
  });
  const counter = (name: string, help: string, value: number) =>
    single(`${name}_total`, 'counter', help, value);
  const gauge = (name: string, help: string, value: number) => single(name, 'gauge', help, value);
  return [
    counter('frames_seen', 'Frames read from the log.', metrics.framesSeen),
    counter('frames_decoded', 'Frames that the decoder understood.', metrics.framesDecoded),
    counter('frames_answered', 'Frames whose prompt was answered.', metrics.framesAnswered),
    counter('frames_expired', 'Frames that were too old to be sent.', metrics.framesExpired),
    counter('frames_failed', 'Frames that were not decoded, or given up.', metrics.framesFailed),
    counter('frames_in_doubt', 'Frames that were sent and whose answer is lost.', metrics.framesInDoubt),
    counter('prompts_sent', 'Attempts at a prompt.', metrics.promptsSent),
    counter('prompts_answered', 'Prompts that were answered.', metrics.promptsAnswered),
    counter('prompts_failed', 'Attempts that failed.', metrics.promptsFailed),
    counter('prompts_in_doubt', 'Prompts whose answer is lost.', metrics.promptsInDoubt),
    counter('retries', 'Attempts after the first.', metrics.retries),
    counter('dead_letters', 'Batches that were given up.', metrics.deadLetters),
    gauge('prompts_under_way', 'Attempts that wait for their answer.', metrics.promptsUnderWay),
    gauge(
      'settled_up_to_bytes',
      'Cursor before which everything is settled.',
      Number(metrics.settledUpTo ?? Number.NaN),
    ),
    gauge('backlog_bytes', 'Committed bytes that are not settled.', metrics.backlogBytes ?? Number.NaN),
    {
      name: 'latency_seconds',
      type: 'summary',
      help: 'How long answers took.',
      samples: {
        '': [
          [{ quantile: '0.5' }, seconds(latencyMs.p50)],
          [{ quantile: '0.9' }, seconds(latencyMs.p90)],
          [{ quantile: '0.99' }, seconds(latencyMs.p99)],
        ],
        _sum: [[{}, ((latencyMs.mean ?? 0) * latencyMs.count) / MILLIS]],
        _count: [[{}, latencyMs.count]],
      },
    },
  ];
}

function textOf({ name, type, help, samples }: Family, labels: MetricLabels): string {
  const full = `${PREFIX}${name}`;
  const lines = [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`];
  for (const [suffix, values] of Object.entries(samples)) {
    for (const [own, value] of values)
      lines.push(`${full}${suffix}${labelText({ ...labels, ...own })} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function labelText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function checkLabels(labels: unknown): void {
  if (typeof labels !== 'object' || labels === null) {
    throw argumentError(`labels are an object of texts, got ${describeValue(labels)}`);
  }
  for (const [name, value] of Object.entries(labels)) {
    if (!LABEL_NAME.test(name) || name === 'quantile') {
      throw argumentError(
        `a label's name is letters, digits and _, and not 'quantile', got ${describeValue(name)}`,
      );
    }
    if (typeof value !== 'string')
      throw argumentError(`label '${name}' is a text, got ${describeValue(value)}`);
  }
}
