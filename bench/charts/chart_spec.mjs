import { amount, times } from '../harness/amount.mjs';
import { shortCommit } from '../harness/commit.mjs';

/** Of the card. Its parts are fixed, since without a browser nobody knows how wide text will be. */
export const WIDTH = 800;
const PADDING = 24;
const NAMES_WIDTH = 236;
const FIGURES_WIDTH = 160;
/** Where bars begin. */
export const LEFT = PADDING + NAMES_WIDTH;
const BARS_WIDTH = WIDTH - 2 * PADDING - NAMES_WIDTH - FIGURES_WIDTH;
const ROW_HEIGHT = 22;

/** On a white card; legible for who does not tell colours apart, since ours are darker as well. */
const COLOURS = {
  card: '#ffffff',
  ours: '#0b63c5',
  peer: '#b3bcc7',
  limit: '#bc4c00',
  text: '#1f2328',
  faint: '#59636e',
  grid: '#e4e8ec',
};

export const FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif";

/**
 * @typedef {import('./charts.mjs').Chart} Chart
 * @typedef {import('./charts.mjs').Panel} Panel
 * @typedef {import('../harness/results.mjs').Result} Result
 * @typedef {{ name: string, figure: number, text: string, ours: boolean, limit?: number }} Bar
 */

/**
 * A chart as a Vega-Lite specification.
 *
 * @param {Chart} chart
 * @param {Map<string, Result>} results by case
 * @returns {object | undefined} undefined where no panel has results
 */
export function chartSpec({ title, subtitle, scale, panels }, results) {
  const filled = panels
    .map((panel) => ({ ...panel, bars: barsOf(panel, results) }))
    .filter(({ bars }) => bars.length > 0);
  if (filled.length === 0) return undefined;
  const used = [...new Set(filled.map((panel) => results.get(panel.case)))];
  const sharedDomain = scale === 'log' ? logDomain(filled.flatMap(({ bars }) => bars)) : undefined;
  const drawn = filled.map(({ label, bars }) =>
    sharedDomain === undefined ? linearPanel(label, bars) : logPanel(label, bars, sharedDomain),
  );
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: COLOURS.card,
    padding: { left: PADDING, right: PADDING, top: 22, bottom: 18 },
    title: { text: title, subtitle: subtitleLines(subtitle, scale, filled) },
    spacing: 16,
    vconcat: [...drawn, captionPanel(captionLines(used))],
    config: CONFIG,
  };
}

/**
 * @param {Panel} panel
 * @param {Map<string, Result>} results
 * @returns {Bar[]}
 */
function barsOf({ case: name, metric, leaveOut = [] }, results) {
  const rows = (results.get(name)?.rows ?? []).filter(
    (row) => (metric === undefined || row.metric === metric) && !leaveOut.includes(row.contender),
  );
  // What the peers are compared with: the best of ours.
  const best = Math.min(...rows.filter(({ ours }) => ours).map(({ figure }) => figure));
  return rows.map(({ contender, figure, unit, ours, rate, limit }) => {
    const parts = [amount(figure, unit)];
    if (rate !== undefined) parts.push(amount(rate, 'GB/s'));
    if (!ours && Number.isFinite(best)) parts.push(times(figure / best));
    return {
      name: contender,
      figure,
      text: parts.join(' · '),
      ours,
      ...(limit === undefined ? {} : { limit }),
    };
  });
}

/** @param {Bar[]} bars */
function linearPanel(label, bars) {
  const largest = Math.max(...bars.map(({ figure, limit }) => Math.max(figure, limit ?? 0)));
  const x = { scale: { type: 'linear', domain: [0, largest], nice: false }, axis: null };
  return panelOf(label, bars, { x, from: 0 });
}

/**
 * @param {Bar[]} bars
 * @param {[number, number]} domain whole powers of ten
 */
function logPanel(label, bars, domain) {
  const values = [];
  for (let tick = domain[0]; tick <= domain[1] * 1.001; tick *= 10) values.push(Number(tick.toPrecision(1)));
  const x = {
    scale: { type: 'log', domain, nice: false },
    axis: { values, format: ',~r', title: null, grid: true, labelFlush: false },
  };
  return panelOf(label, bars, { x, from: domain[0] });
}

function panelOf(label, bars, { x, from }) {
  const y = { field: 'name', type: 'nominal', sort: null, title: null };
  const layer = [
    {
      mark: { type: 'bar', cornerRadiusEnd: 2, height: { band: 0.72 } },
      encoding: {
        x: { field: 'figure', type: 'quantitative', ...x },
        x2: { datum: from },
        color: {
          condition: { test: 'datum.ours', value: COLOURS.ours },
          value: COLOURS.peer,
        },
      },
    },
    {
      mark: { type: 'text', align: 'left', dx: 6, fontSize: 11.5 },
      encoding: {
        x: { field: 'figure', type: 'quantitative', ...x },
        text: { field: 'text' },
        color: { condition: { test: 'datum.ours', value: COLOURS.text }, value: COLOURS.faint },
      },
    },
  ];
  if (bars.some(({ limit }) => limit !== undefined)) {
    layer.push({
      transform: [{ filter: 'isValid(datum.limit)' }],
      mark: { type: 'tick', thickness: 2, color: COLOURS.limit, height: { band: 0.9 } },
      encoding: { x: { field: 'limit', type: 'quantitative', ...x } },
    });
  }
  return {
    title: {
      text: label,
      anchor: 'start',
      frame: 'group',
      dx: -NAMES_WIDTH,
      fontSize: 12,
      fontWeight: 600,
      offset: 6,
    },
    data: { values: bars },
    width: BARS_WIDTH,
    height: { step: ROW_HEIGHT },
    encoding: { y },
    layer,
  };
}

/** Text alone, below all panels. */
function captionPanel(lines) {
  return {
    data: { values: [{}] },
    width: BARS_WIDTH,
    height: 13 * lines.length,
    view: { stroke: null },
    mark: {
      type: 'text',
      text: lines,
      x: -NAMES_WIDTH,
      y: 0,
      align: 'left',
      baseline: 'top',
      fontSize: 10.5,
      lineHeight: 14,
      color: COLOURS.faint,
    },
  };
}

function subtitleLines(subtitle, scale, panels) {
  const shape =
    scale === 'log'
      ? 'Shorter is better; the axis is logarithmic.'
      : panels.length > 1
        ? 'Shorter is better; each group has its own scale.'
        : 'Shorter is better.';
  const limited = panels.some(({ bars }) => bars.some(({ limit }) => limit !== undefined));
  const compared = panels.some(({ bars }) => new Set(bars.map(({ ours }) => ours)).size === 2);
  const keys = [shape];
  if (compared) keys.push('n × is n times strand.');
  if (limited) keys.push('The orange tick is what memory allows.');
  return [subtitle, keys.join(' ')];
}

/** @param {Result[]} results */
function captionLines(results) {
  const each = (property) => [...new Set(results.map(property))].join(', ');
  const machine = [
    each(({ machine: { cpu } }) => cpu),
    `${each(({ machine: { cores } }) => cores)} cores`,
    each(({ machine: { platform } }) => platform),
    `Node ${each(({ machine: { node } }) => node)}`,
  ];
  const run = [
    `${each(({ trials }) => (trials === 1 ? '1 trial' : `${trials} trials`))} of each, one process per trial`,
    each(({ date }) => date.slice(0, 10)),
  ];
  const commits = results.filter(({ commit }) => commit !== undefined);
  if (commits.length > 0)
    run.push(`commit ${[...new Set(commits.map((r) => shortCommit(r.commit)))].join(', ')}`);
  const lines = [machine.join(' · '), run.join(' · ')];
  if (results.some(({ warnings }) => warnings.length > 0)) {
    lines.push('Measured with warnings: too few cores, or other work on the machine. See bench/results.');
  }
  return lines;
}

/** @param {Bar[]} bars */
function logDomain(bars) {
  const figures = bars.map(({ figure }) => figure);
  // The smallest bar keeps a length that shows.
  const least = 10 ** Math.floor(Math.log10(Math.min(...figures) / 1.5));
  return [least, 10 ** Math.ceil(Math.log10(Math.max(...figures)))];
}

const CONFIG = {
  font: FONT,
  // The title and description that the card gets say it in one place.
  aria: false,
  view: { stroke: null },
  title: {
    anchor: 'start',
    frame: 'group',
    dx: -NAMES_WIDTH,
    fontSize: 16,
    fontWeight: 600,
    color: COLOURS.text,
    subtitleColor: COLOURS.faint,
    subtitleFontSize: 12,
    subtitleLineHeight: 16,
    subtitlePadding: 6,
    offset: 14,
  },
  axis: {
    domain: false,
    ticks: false,
    gridColor: COLOURS.grid,
    labelColor: COLOURS.faint,
    labelFontSize: 10.5,
  },
  axisY: {
    labelColor: COLOURS.text,
    labelFontSize: 11.5,
    labelPadding: 8,
    // Names have a fixed place and are never cut.
    minExtent: NAMES_WIDTH,
    maxExtent: NAMES_WIDTH,
    labelLimit: 0,
  },
};
