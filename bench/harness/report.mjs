import os from 'node:os';
import Table from 'cli-table3';
import { amount, times } from './amount.mjs';
import { YARDSTICK_LIMIT } from './summary.mjs';

/**
 * Columns after the contender's name; those without anything to say are left out.
 *
 * @type {{ head: string, align?: 'left', always?: boolean, cell: (row: import('./summary.mjs').Row,
 *   metric?: import('../js/cases/case.mjs').Metric) => string }[]}
 */
const COLUMNS = [
  {
    head: 'minimum',
    always: true,
    cell: (row, metric) => mark(amount(row.minimum, row.unit), metric?.over === 'minimum'),
  },
  {
    head: 'median',
    always: true,
    cell: (row, metric) => mark(amount(row.median, row.unit), metric?.over === 'median'),
  },
  { head: 'spread', always: true, cell: (row) => `${Math.round(row.spread * 100)} %` },
  { head: 'throughput', cell: ({ rate }) => (rate === undefined ? '' : amount(rate, 'GB/s')) },
  { head: 'limit', cell: ({ limit, unit }) => (limit === undefined ? '' : amount(limit, unit)) },
  { head: '× the limit', cell: ({ limitRatio }) => (limitRatio === undefined ? '' : times(limitRatio)) },
  { head: '× the best peer', cell: ({ peerRatio }) => (peerRatio === undefined ? '' : times(peerRatio)) },
  { head: 'replaced', cell: (row) => (comparable(row) ? amount(row.replaced, row.unit) : '') },
  { head: 'target', cell: targetOf },
  {
    head: 'reached',
    align: 'left',
    cell: ({ reached }) => (reached === undefined ? '' : reached ? 'yes' : 'NO'),
  },
];

/** What a reader must know of the machine to believe the figures. */
export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    platform: `${os.platform()}-${os.arch()}`,
    node: process.version,
    loadAverage: os.loadavg()[0],
  };
}

/**
 * @param {import('../js/cases/case.mjs').Case} benchCase
 * @param {import('./summary.mjs').Row[]} rows
 * @param {Map<string, string>} obstacles why some contenders did not run
 * @param {string[]} warnings
 */
export function formatCase(benchCase, rows, obstacles, warnings) {
  const several = Object.keys(benchCase.metrics).length > 1;
  const columns = COLUMNS.filter(({ always, cell }) => always || rows.some((row) => cell(row) !== ''));
  const table = new Table({
    head: ['', ...columns.map(({ head }) => head)],
    colAligns: ['left', ...columns.map(({ align = 'right' }) => align)],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const name = several ? `${row.contender}: ${row.metric}` : row.contender;
    table.push([name, ...columns.map(({ cell }) => cell(row, benchCase.metrics[row.metric]))]);
  }
  const lines = [`\n${benchCase.name}: ${benchCase.title}`, table.toString()];
  for (const [contender, obstacle] of obstacles) lines.push(`not run: ${contender} (${obstacle})`);
  for (const { contender, yardstickRatio } of rows) {
    if (yardstickRatio === undefined) continue;
    lines.push(`${contender}: ${yardstickRatio.toFixed(2)} × the ring it stands for`);
    if (yardstickRatio > YARDSTICK_LIMIT) {
      lines.push(`WARNING: more than ${YARDSTICK_LIMIT} ×; it is no fair yardstick on this machine`);
    }
  }
  for (const warning of warnings) lines.push(`WARNING: ${warning}`);
  return lines.join('\n');
}

/**
 * @param {import('../js/cases/case.mjs').Case} benchCase
 * @param {ReturnType<typeof describeMachine>} machine
 */
export function warningsFor({ threads }, { cores, loadAverage }) {
  const warnings = [];
  if (cores < threads) {
    warnings.push(
      `${threads} threads share ${cores} core${cores === 1 ? '' : 's'}: ` +
        'these figures say how well they take turns, not how fast they work side by side',
    );
  }
  if (loadAverage > cores / 2) {
    warnings.push(
      `other work is running (load average ${loadAverage.toFixed(1)} on ${cores} cores): figures are too high`,
    );
  }
  return warnings;
}

/** The figures of the ring that strand replaces stand beside strand's and the yardstick's. */
function comparable({ replaced, target, yardstickRatio }) {
  return replaced !== undefined && (target !== undefined || yardstickRatio !== undefined);
}

/** @param {import('./summary.mjs').Row} row */
function targetOf({ target, limitTarget, peerTarget, unit }) {
  const targets = [];
  if (target !== undefined) targets.push(`≤ ${amount(target, unit)}`);
  if (limitTarget !== undefined) targets.push(`≤ ${times(limitTarget)} the limit`);
  if (peerTarget !== undefined) targets.push(`≤ ${times(peerTarget)} the best peer`);
  return targets.join(', ');
}

/** The figure that counts stands out in the column that it comes from. */
function mark(text, counts) {
  return counts ? `${text} *` : text;
}
