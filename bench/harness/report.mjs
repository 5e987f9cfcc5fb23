import os from 'node:os';
import Table from 'cli-table3';
import { YARDSTICK_LIMIT } from './summary.mjs';

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
  const table = new Table({
    head: ['', 'minimum', 'median', 'spread', 'replaced', 'target', 'reached'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  const several = Object.keys(benchCase.metrics).length > 1;
  for (const row of rows) {
    const over = benchCase.metrics[row.metric].over;
    table.push([
      several ? `${row.contender}: ${row.metric}` : row.contender,
      mark(amount(row.minimum, row.unit), over === 'minimum'),
      mark(amount(row.median, row.unit), over === 'median'),
      `${Math.round(row.spread * 100)} %`,
      comparable(row) ? amount(row.replaced, row.unit) : '',
      row.target === undefined ? '' : `≤ ${amount(row.target, row.unit)}`,
      row.reached === undefined ? '' : row.reached ? 'yes' : 'NO',
    ]);
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

/** The figure that counts stands out in the column that it comes from. */
function mark(text, counts) {
  return counts ? `${text} *` : text;
}

/**
 * @param {number} value
 * @param {string} unit
 */
function amount(value, unit) {
  const digits =
    value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return `${value.toFixed(digits)} ${unit}`;
}
