/** Compares the package with an older or newer state of itself. */

import { cp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import Table from 'cli-table3';
import { amount } from './amount.mjs';
import { runCommand, runNpm } from './command.mjs';
import { isOurs } from './summary.mjs';
import { compareRuns } from './verdict.mjs';

const CORE_BUILD = 'build/release/bench';

/**
 * Installs and builds the package in `directory`, with the benchmarks of `from`: both sides of a
 * comparison are measured by the same code, each loading the package that it lies in. `executables` are those of
 * bench/core/ that are wanted.
 *
 * @param {{ directory: string, from: string, executables: string[], signal?: AbortSignal, say: (text: string) => void }} options
 * @returns {Promise<{ coreDirectory: string }>}
 */
export async function preparePackage({ directory, from, executables, signal, say }) {
  const there = { cwd: directory, signal };
  say('installing and building it');
  // Its `prepare` script builds the addon and the TypeScript.
  await runNpm(['ci'], there);
  await rm(path.join(directory, 'bench'), { recursive: true, force: true });
  await cp(path.join(from, 'bench'), path.join(directory, 'bench'), {
    recursive: true,
    filter: (file) => file !== path.join(from, 'bench/results'),
  });
  if (executables.length > 0) {
    say("building the core's benchmarks there");
    await cp(path.join(from, 'cmake/StrandBench.cmake'), path.join(directory, 'cmake/StrandBench.cmake'));
    await buildCore(executables, there);
  }
  return { coreDirectory: path.join(directory, CORE_BUILD) };
}

/** Builds what can be built: a benchmark of what that core lacks does not keep the others from running. */
async function buildCore(executables, there) {
  await runCommand('cmake', ['--preset', 'bench'], there);
  for (const executable of executables) {
    const target = ['--target', `strand_bench_${executable}`];
    const parallel = ['--parallel', `${os.availableParallelism()}`];
    // One that is missing is reported with its cases.
    await runCommand('cmake', ['--build', '--preset', 'bench', ...target, ...parallel], there).catch(() => {
      there.signal?.throwIfAborted();
    });
  }
}

/**
 * @typedef {import('./launch.mjs').Launcher} Launcher
 * @typedef {import('./verdict.mjs').Comparison & { contender: string, metric: string, unit: string,
 *   runsNow: number[], runsBase: number[] }} ComparedRow
 *
 * Runs our contenders of one case on both sides, in turns.
 *
 * @param {import('../js/cases/case.mjs').Case} benchCase
 * @param {{ now: Launcher, base: Launcher, runs: number, names: string[], signal?: AbortSignal,
 *   showProgress: (text: string) => void }} options
 * @returns {Promise<{ rows: ComparedRow[], skipped: Map<string, string> }>} and why contenders were skipped
 */
export async function compareCase(benchCase, { now, base, runs, names, signal, showProgress }) {
  const rows = [];
  const skipped = new Map();
  for (const name of names.filter((candidate) => isOurs(candidate, benchCase.contenders[candidate]))) {
    showProgress(`${benchCase.name}: checking ${name}`);
    const obstacle = await obstacleToComparing(benchCase, name, { now, base, signal });
    if (obstacle !== undefined) {
      skipped.set(name, obstacle);
      continue;
    }
    const trialsNow = [];
    const trialsBase = [];
    const sides = [
      [now, trialsNow],
      [base, trialsBase],
    ];
    for (let run = 1; run <= runs; run++) {
      showProgress(`${benchCase.name}: run ${run} of ${runs}, ${name}`);
      // Who goes first changes, so that what grows or fades with time meets both.
      sides.reverse();
      for (const [launcher, trials] of sides) trials.push(await launcher.measure(benchCase, name));
    }
    for (const [metric, { unit, over }] of Object.entries(benchCase.metrics)) {
      const runsNow = trialsNow.map((trial) => trial[metric]);
      const runsBase = trialsBase.map((trial) => trial[metric]);
      rows.push({
        contender: name,
        metric,
        unit,
        ...compareRuns(runsNow, runsBase, over),
        runsNow,
        runsBase,
      });
    }
  }
  return { rows, skipped };
}

/** Why a contender cannot be compared, or undefined where both sides give the same records. */
async function obstacleToComparing(benchCase, name, { now, base, signal }) {
  const obstacleNow = await now.obstacle(benchCase, name);
  if (obstacleNow !== undefined) return obstacleNow;
  const obstacleBase = await base.obstacle(benchCase, name);
  if (obstacleBase !== undefined) return `base: ${obstacleBase}`;
  const resultNow = await now.check(benchCase, name);
  let resultBase;
  try {
    resultBase = await base.check(benchCase, name);
  } catch (error) {
    signal?.throwIfAborted();
    return `base: ${error.reason ?? error.message}`;
  }
  const same = resultNow.digest === resultBase.digest && resultNow.count === resultBase.count;
  return same ? undefined : 'base: it gave other records';
}

/**
 * @param {import('../js/cases/case.mjs').Case} benchCase
 * @param {ComparedRow[]} rows
 * @param {Map<string, string>} skipped
 */
export function formatComparison(benchCase, rows, skipped) {
  const lines = [`\n${benchCase.name}: ${benchCase.title}`];
  if (rows.length > 0) {
    const table = new Table({
      head: ['', 'now', 'base', 'now / base', 'spread', ''],
      colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
      style: { head: [], border: [], compact: true },
    });
    const several = Object.keys(benchCase.metrics).length > 1;
    for (const row of rows) {
      table.push([
        several ? `${row.contender}: ${row.metric}` : row.contender,
        amount(row.now, row.unit),
        amount(row.base, row.unit),
        row.ratio.toFixed(2),
        `${Math.round(row.spread * 100)} %`,
        row.verdict,
      ]);
    }
    lines.push(table.toString());
  }
  for (const [contender, reason] of skipped) lines.push(`skipped: ${contender} (${reason})`);
  return lines.join('\n');
}
