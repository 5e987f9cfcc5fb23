import { expect, test } from 'vitest';
import { agentOf, logOf, OUTPUT, RecordingClient, runToEnd } from '../support/agents.js';
import { thrownBy } from '../support/logs.js';

/** Samples of Prometheus's text format by their names and labels; a line that is none fails. */
function samplesOf(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true);
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (?:HELP ([a-z_]+) .+|TYPE ([a-z_]+) (counter|gauge|summary))$/.exec(line);
    if (comment !== null) {
      if (comment[2] !== undefined) types.set(comment[2], comment[3] ?? '');
      continue;
    }
    const sample = /^([a-z_]+)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)+\})? (NaN|[-+.\de]+)$/.exec(
      line,
    );
    expect(sample, line).not.toBeNull();
    const [, name = '', labels = '', value = ''] = sample ?? [];
    expect(types.has(name.replace(/_(sum|count)$/, '')), `${name} has a type`).toBe(true);
    expect(samples.has(name + labels), `${line} comes once`).toBe(false);
    samples.set(name + labels, Number(value));
  }
  for (const [name, type] of types) {
    expect(name.startsWith('strand_agent_')).toBe(true);
    expect(name.endsWith('_total')).toBe(type === 'counter');
  }
  return samples;
}

test('the text says what the object says', async () => {
  const latencies = [20, 10, 30];
  const claudeClient = new RecordingClient(({ attempt }) => {
    if (attempt === 1) throw new Error('no');
    return { ...OUTPUT, latencyMs: latencies.pop() ?? 0 };
  });
  const { agent } = await runToEnd({ sharedLog: logOf(6), claudeClient, maxBatchMessages: 2 });
  const metrics = agent.metrics();
  const samples = samplesOf(agent.metricsText());
  const { latencyMs, settledUpTo, backlogBytes, promptsUnderWay, ...counters } = metrics;
  for (const [name, value] of Object.entries(counters)) {
    const snake = name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    expect(samples.get(`strand_agent_${snake}_total`), name).toBe(value);
  }
  expect(counters).toMatchObject({ framesAnswered: 6, promptsSent: 6, promptsFailed: 3, retries: 3 });
  expect(samples.get('strand_agent_settled_up_to_bytes')).toBe(Number(settledUpTo));
  expect(samples.get('strand_agent_backlog_bytes')).toBe(backlogBytes);
  expect(samples.get('strand_agent_prompts_under_way')).toBe(promptsUnderWay);
  expect(latencyMs).toMatchObject({ count: 3, mean: 20, max: 30 });
  expect(samples.get('strand_agent_latency_seconds_count')).toBe(3);
  expect(samples.get('strand_agent_latency_seconds_sum')).toBeCloseTo(0.06);
  expect(samples.get('strand_agent_latency_seconds{quantile="0.5"}')).toBeCloseTo(
    (latencyMs.p50 ?? 0) / 1000,
  );
  expect(latencyMs.p50).toBeGreaterThan(19);
  expect(latencyMs.p50).toBeLessThan(21);
});

test('before the first answer there is no latency', () => {
  const { agent } = agentOf({ sharedLog: logOf(2), claudeClient: new RecordingClient() });
  expect(agent.metrics()).toMatchObject({
    settledUpTo: undefined,
    backlogBytes: undefined,
    latencyMs: { count: 0, mean: undefined, p50: undefined, p99: undefined, max: undefined },
  });
  expect(samplesOf(agent.metricsText()).get('strand_agent_latency_seconds{quantile="0.99"}')).toBeNaN();
});

test('labels are on every sample, with their texts escaped', () => {
  const { agent } = agentOf({ sharedLog: logOf(0), claudeClient: new RecordingClient() });
  const samples = samplesOf(agent.metricsText({ agent: 'or"de\\rs\n', zone_1: '' }));
  for (const name of samples.keys()) expect(name).toContain('agent="or\\"de\\\\rs\\n",zone_1=""');
  for (const labels of [{ 'a-b': 'x' }, { quantile: 'x' }, { __name: 'x' }, { a: 1 }, null, 'x']) {
    expect(thrownBy(() => agent.metricsText(labels as never))).toMatchObject({
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
  }
});
