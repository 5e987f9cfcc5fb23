import { describe, expect, test } from 'vitest';
import { chartSpec } from '../../../bench/charts/chart_spec.mjs';
import type { Chart } from '../../../bench/charts/charts.mjs';
import { charts } from '../../../bench/charts/charts.mjs';
import { renderSvg } from '../../../bench/charts/render_svg.mjs';
import { bandwidth, coreCases } from '../../../bench/core/cases.mjs';
import type { Result } from '../../../bench/harness/results.mjs';
import { cases as jsCases } from '../../../bench/js/cases/index.mjs';

const row = (contender: string, figure: number, ours = false, more = {}) => ({
  contender,
  ours,
  metric: 'cost',
  unit: 'ns',
  runs: [figure],
  minimum: figure,
  median: figure,
  spread: 0,
  figure,
  ...more,
});

const result: Result = {
  name: 'some-case',
  title: 'a case',
  threads: 2,
  date: '2026-01-02T03:04:05.678Z',
  commit: { hash: '0123456789abcdef', dirty: false },
  machine: { cpu: 'Some CPU', cores: 4, platform: 'linux-x64', node: 'v20.20.0', loadAverage: 0 },
  trials: 5,
  warnings: [],
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  rows: [row('strand', 20, true), row('peer <A> & B', 90), row('another', 4000)],
};

const chart: Chart = {
  name: 'some-chart',
  title: 'A chart',
  subtitle: 'Time per record.',
  scale: 'linear',
  panels: [{ case: 'some-case', label: 'a panel' }],
};

const results = new Map([[result.name, result]]);
const texts = { title: 'A chart', description: 'what it shows' };

async function draw(drawn: Chart = chart, of: Map<string, Result> = results): Promise<string> {
  const spec = chartSpec(drawn, of);
  if (spec === undefined) throw new Error('there is nothing to draw');
  return renderSvg(spec, texts);
}

/** Every text of a picture, in its order. */
const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/gs)].map(([, text = '']) =>
    text.replace(/<[^>]*>/g, ' ').trim(),
  );

describe('a chart', () => {
  test('says every name, every figure and how peers compare with ours, as text', async () => {
    expect(textsOf(await draw())).toEqual(
      expect.arrayContaining([
        'strand',
        'peer &lt;A&gt; &amp; B',
        'another',
        '20.0 ns',
        '90.0 ns · 4.5 ×',
        '4000 ns · 200 ×',
      ]),
    );
  });

  test('names the machine, the commit and the day of the run', async () => {
    const all = textsOf(await draw()).join('\n');
    for (const part of ['Some CPU', '4 cores', 'v20.20.0', '0123456', '2026-01-02'])
      expect(all).toContain(part);
  });

  test('says when it was measured in a way that distorts it', async () => {
    const busy = new Map([[result.name, { ...result, warnings: ['other work is running'] }]]);
    expect(textsOf(await draw(chart, busy)).join()).toContain('Measured with warnings');
    expect(textsOf(await draw()).join()).not.toContain('Measured with warnings');
  });

  test('says when its axis is logarithmic', async () => {
    expect(textsOf(await draw({ ...chart, scale: 'log' })).join()).toContain('logarithmic');
    expect(textsOf(await draw()).join()).not.toContain('logarithmic');
  });

  test('is the same to the byte each time', async () => {
    expect(await draw()).toBe(await draw());
    const logarithmic: Chart = { ...chart, scale: 'log' };
    expect(await draw(logarithmic)).toBe(await draw(logarithmic));
  });

  test('is a small picture on a white card with a title for who cannot see it', async () => {
    const svg = await draw();
    expect(svg).toMatch(
      /^<svg [^>]*role="img"[^>]*><title>A chart<\/title><desc>what it shows<\/desc><rect /,
    );
    expect(svg).toMatch(/<rect [^>]*rx="8" fill="#ffffff"/);
    expect(svg.length).toBeLessThan(30 * 1024);
  });

  test('marks the limit of the memory where there is one', async () => {
    const limited = { ...result, rows: result.rows.map((each) => ({ ...each, limit: 10 })) };
    const svg = await draw(chart, new Map([[result.name, limited]]));
    expect(textsOf(svg).join()).toContain('what memory allows');
    expect(svg).toContain('#bc4c00');
    expect(await draw()).not.toContain('#bc4c00');
  });

  test('leaves out panels without results, and is none without any', () => {
    const two: Chart = { ...chart, panels: [...chart.panels, { case: 'not-run', label: 'another panel' }] };
    expect(JSON.stringify(chartSpec(two, results))).not.toContain('another panel');
    expect(chartSpec(chart, new Map())).toBeUndefined();
  });
});

describe('the charts of the documents', () => {
  test('show cases and metrics that there are', () => {
    const cases = [bandwidth, ...jsCases, ...coreCases];
    for (const { panels } of charts) {
      for (const panel of panels) {
        const shown = cases.find(({ name }) => name === panel.case);
        expect(shown, panel.case).toBeDefined();
        const metrics = Object.keys(shown?.metrics ?? {});
        if (panel.metric === undefined) expect(metrics, panel.case).toHaveLength(1);
        else expect(metrics).toContain(panel.metric);
      }
    }
  });
});
