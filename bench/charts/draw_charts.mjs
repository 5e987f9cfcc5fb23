import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { amount } from '../harness/amount.mjs';
import { readResults } from '../harness/results.mjs';
import { chartSpec } from './chart_spec.mjs';
import { charts } from './charts.mjs';
import { renderSvg } from './render_svg.mjs';

/**
 * Draws every chart that there are results for.
 *
 * @param {string} resultsDirectory
 * @param {string} chartsDirectory
 * @returns {Promise<string[]>} the files
 */
export async function drawCharts(resultsDirectory, chartsDirectory) {
  const results = await readResults(resultsDirectory);
  const files = [];
  for (const chart of charts) {
    const spec = chartSpec(chart, results);
    if (spec === undefined) continue;
    const svg = await renderSvg(spec, { title: chart.title, description: describe(chart, results) });
    const file = path.join(chartsDirectory, `${chart.name}.svg`);
    await mkdir(chartsDirectory, { recursive: true });
    await writeFile(file, svg);
    files.push(file);
  }
  return files;
}

/** The figures in words. */
function describe({ subtitle, panels }, results) {
  const said = panels.map(({ case: name, metric, label }) => {
    const rows = (results.get(name)?.rows ?? []).filter(
      (row) => metric === undefined || row.metric === metric,
    );
    return rows.length === 0
      ? ''
      : ` ${label}: ${rows.map(({ contender, figure, unit }) => `${contender} ${amount(figure, unit)}`).join(', ')}.`;
  });
  return `${subtitle}${said.join('')}`;
}
