/**
 * The benchmarks: what strand costs, beside what one would use otherwise.
 *
 *     npm run bench -- [--only CASE]… [--contender NAME]… [--runs N] [--quick] [--out DIRECTORY]
 *     npm run bench -- --charts
 *     npm run bench -- --against REVISION [--only CASE]…
 *
 * Every trial is a process of its own; the trials of the contenders take turns, so that what else
 * happens on the machine meets all of them. Before anything is timed all contenders of a case must
 * give equal records.
 */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawCharts } from './charts/draw_charts.mjs';
import { bandwidth, coreCases } from './core/cases.mjs';
import { compareCase, formatComparison, preparePackage } from './harness/against.mjs';
import { describeCommit, resolveCommit, shortCommit } from './harness/commit.mjs';
import { Launcher, PACKAGE } from './harness/launch.mjs';
import { describeMachine, formatCase, warningsFor } from './harness/report.mjs';
import { writeResult } from './harness/results.mjs';
import { limitsNamedBy, MeasuredLimits, summarize } from './harness/summary.mjs';
import { LEAST_RUNS } from './harness/verdict.mjs';
import { abortOnExitSignals, withWorktree } from './harness/worktree.mjs';
import { cases as jsCases } from './js/cases/index.mjs';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const CHARTS = fileURLToPath(new URL('../docs/charts', import.meta.url));
/** The limits first: what is held against them can say at once how far it is. */
const allCases = [bandwidth, ...jsCases, ...coreCases];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    contender: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    core: { type: 'string' },
    charts: { type: 'boolean', default: false },
    against: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

await main().catch((error) => fail(error.message));

async function main() {
  if (options.help) {
    console.log(`npm run bench -- [options]
  --only CASE         run this case; may be repeated (see --list)
  --contender NAME    run this contender; may be repeated
  --runs N            trials of each contender (default 5, with --quick 2, with --against 7)
  --quick             shorter trials, for a first look
  --out DIRECTORY     where results and charts go; without it only complete runs go to bench/results
                      and docs/charts
  --core DIRECTORY    executables of bench/core that are built already (default: build them)
  --charts            draw the charts from the results, without measuring
  --against REVISION  compare this checkout with another commit, built in a temporary worktree
  --list              name the cases and their contenders`);
  } else if (options.list) {
    for (const { name, title, contenders } of allCases) {
      console.log(`${name}: ${title}\n    ${Object.keys(contenders).join(' | ')}`);
    }
  } else if (options.charts) {
    await redrawCharts(options.out ?? RESULTS, options.out ?? CHARTS);
  } else if (options.against !== undefined) {
    await compareWith(options.against, chooseCases(), chooseRuns(7));
  } else {
    await runCases(chooseCases(), chooseRuns(options.quick ? 2 : 5));
  }
}

function chooseCases() {
  for (const name of options.only) {
    if (!allCases.some((benchCase) => benchCase.name === name)) {
      fail(`there is no case '${name}'; --list names them`);
    }
  }
  for (const name of options.contender) {
    if (!allCases.some(({ contenders }) => name in contenders)) {
      fail(`there is no contender '${name}'; --list names them`);
    }
  }
  return allCases.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
}

/** @param {number} usual */
function chooseRuns(usual) {
  if (options.runs === undefined) return usual;
  const runs = Number(options.runs);
  if (!Number.isSafeInteger(runs) || runs < 1)
    fail(`--runs wants a whole number from 1, not '${options.runs}'`);
  return runs;
}

/** @param {import('./js/cases/case.mjs').Case} benchCase */
function chooseContenders({ contenders }) {
  return Object.keys(contenders).filter(
    (name) => options.contender.length === 0 || options.contender.includes(name),
  );
}

/**
 * Where the core's executables are. Builds them as far as they are out of date: a stale one would be
 * measured in silence.
 *
 * @param {typeof allCases} chosen
 */
function provideCore(chosen) {
  if (options.core !== undefined) return path.resolve(options.core);
  if (!needsCore(chosen)) return '';
  const script = path.join(PACKAGE, 'scripts/cmake.mjs');
  const { status } = spawnSync(process.execPath, [script, 'bench'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) console.error('building the benchmarks of the core failed');
  return path.join(PACKAGE, 'build/release/bench');
}

/** @param {typeof allCases} chosen */
function needsCore(chosen) {
  return chosen.some((benchCase) => 'executable' in benchCase);
}

/**
 * Cases that are not chosen, but that measure the limits of those that are.
 *
 * @param {typeof allCases} chosen
 */
function missingLimits(chosen) {
  const named = limitsNamedBy(chosen);
  return allCases
    .filter((benchCase) => named.has(benchCase.name) && !chosen.includes(benchCase))
    .map((benchCase) => ({ benchCase, names: [...named.get(benchCase.name)] }));
}

/**
 * @param {typeof allCases} chosen
 * @param {number} runs
 */
async function runCases(chosen, runs) {
  const auxiliary = missingLimits(chosen);
  const coreDirectory = provideCore([...auxiliary.map(({ benchCase }) => benchCase), ...chosen]);
  const launcher = new Launcher({ quick: options.quick, coreDirectory });
  const partial = options.quick || options.contender.length > 0;
  const resultsDirectory = options.out ?? (partial ? undefined : RESULTS);
  const machine = describeMachine();
  const commit = describeCommit();
  announce(machine, commit);

  const limits = new MeasuredLimits();
  for (const { benchCase, names } of auxiliary) {
    const { rows, obstacles } = await runCase(launcher, benchCase, names, runs, limits);
    console.log(formatCase(benchCase, rows, obstacles, warningsFor(benchCase, machine)));
  }
  const allRows = [];
  for (const benchCase of chosen) {
    const { rows, obstacles } = await runCase(launcher, benchCase, chooseContenders(benchCase), runs, limits);
    const warnings = warningsFor(benchCase, machine);
    console.log(formatCase(benchCase, rows, obstacles, warnings));
    allRows.push(...rows);
    if (resultsDirectory !== undefined) {
      const { name, title, threads, metrics } = benchCase;
      const date = new Date().toISOString();
      const result = { name, title, threads, date, commit, machine, trials: runs, warnings, metrics, rows };
      await writeResult(resultsDirectory, result);
    }
  }

  const judged = allRows.filter(({ reached }) => reached !== undefined);
  const reached = judged.filter((row) => row.reached);
  console.log(`\n* the figure that counts. ${reached.length} of ${judged.length} targets reached.`);
  if (resultsDirectory !== undefined) await redrawCharts(resultsDirectory, options.out ?? CHARTS);
}

/**
 * @param {Launcher} launcher
 * @param {(typeof allCases)[number]} benchCase
 * @param {string[]} names of its contenders
 * @param {number} runs
 * @param {MeasuredLimits} limits grow by what the case measures
 */
async function runCase(launcher, benchCase, names, runs, limits) {
  /** @type {Map<string, string>} */
  const obstacles = new Map();
  const runsOfContender = new Map();
  for (const name of names) {
    const obstacle = await launcher.obstacle(benchCase, name);
    if (obstacle === undefined) runsOfContender.set(name, []);
    else obstacles.set(name, obstacle);
  }
  await checkEqual(launcher, benchCase, [...runsOfContender.keys()]);

  for (let trial = 1; trial <= runs; trial++) {
    for (const [name, measured] of runsOfContender) {
      showProgress(`${benchCase.name}: run ${trial} of ${runs}, ${name}`);
      measured.push(await launcher.measure(benchCase, name));
    }
  }
  showProgress('');
  const rows = summarize(benchCase, runsOfContender, limits);
  limits.add(benchCase, rows);
  return { rows, obstacles };
}

/**
 * @param {Launcher} launcher
 * @param {(typeof allCases)[number]} benchCase
 * @param {string[]} names
 */
async function checkEqual(launcher, benchCase, names) {
  let first;
  for (const name of names) {
    showProgress(`${benchCase.name}: checking ${name}`);
    const { digest, count } = await launcher.check(benchCase, name);
    first ??= { name, digest, count };
    if (digest !== first.digest || count !== first.count) {
      fail(
        `${benchCase.name}: '${name}' and '${first.name}' do not give equal records ` +
          `(${count} and ${first.count} of them); nothing was timed`,
      );
    }
  }
}

/**
 * @param {string} revision
 * @param {typeof allCases} chosen
 * @param {number} runs
 */
async function compareWith(revision, chosen, runs) {
  const commit = resolveCommit(revision);
  const machine = describeMachine();
  announce(machine, describeCommit());
  console.log(`against ${commit.slice(0, 7)} (${revision}), our contenders only, ${runs} runs of each`);
  if (runs < LEAST_RUNS) console.log(`WARNING: verdicts need ${LEAST_RUNS} runs`);
  // The machine's limits are the same on both sides.
  const cases = chosen.filter((benchCase) => benchCase !== bandwidth);

  const signal = abortOnExitSignals();
  await withWorktree({ repository: PACKAGE, commit, signal }, async (directory) => {
    const shared = { quick: options.quick, signal };
    const base = await preparePackage({
      directory,
      from: PACKAGE,
      executables: [...new Set(cases.filter((each) => 'executable' in each).map((each) => each.executable))],
      signal,
      say: (text) => showProgress(`${commit.slice(0, 7)}: ${text}`),
    });
    const launchers = {
      now: new Launcher({ ...shared, coreDirectory: provideCore(cases) }),
      base: new Launcher({ ...shared, ...base, packageDirectory: directory }),
    };
    for (const benchCase of cases) {
      const names = chooseContenders(benchCase);
      const { rows, skipped } = await compareCase(benchCase, {
        ...launchers,
        runs,
        names,
        signal,
        showProgress,
      });
      showProgress('');
      console.log(formatComparison(benchCase, rows, skipped));
      for (const warning of warningsFor(benchCase, machine)) console.log(`WARNING: ${warning}`);
    }
  });
}

/**
 * @param {string} resultsDirectory
 * @param {string} chartsDirectory
 */
async function redrawCharts(resultsDirectory, chartsDirectory) {
  const files = await drawCharts(resultsDirectory, chartsDirectory);
  console.log(`\ncharts: ${files.map((file) => path.relative(process.cwd(), file)).join(', ') || 'none'}`);
}

/**
 * @param {ReturnType<typeof describeMachine>} machine
 * @param {import('./harness/commit.mjs').Commit | undefined} commit
 */
function announce({ cpu, cores, platform, node }, commit) {
  const parts = [cpu, `${cores} cores`, platform, `Node ${node}`];
  if (commit !== undefined) parts.push(`commit ${shortCommit(commit)}`);
  console.log(parts.join(', '));
}

/** @param {string} text */
function showProgress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** @param {string} message */
function fail(message) {
  showProgress('');
  console.error(message);
  process.exit(1);
}
