/**
 * The benchmarks: what strand costs, beside what one would use otherwise.
 *
 *     npm run bench -- [--only CASE]… [--contender NAME]… [--runs N] [--quick] [--out DIRECTORY]
 *
 * Every trial is a process of its own; the trials of the contenders take turns, so that what else
 * happens on the machine meets all of them. Before anything is timed all contenders of a case must
 * give equal records.
 */

import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coreCases } from './core/cases.mjs';
import { Launcher } from './harness/launch.mjs';
import { describeMachine, formatCase, warningsFor } from './harness/report.mjs';
import { summarize } from './harness/summary.mjs';
import { cases as jsCases } from './js/cases/index.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const allCases = [...jsCases, ...coreCases];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    contender: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    core: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(`npm run bench -- [options]
  --only CASE         run this case; may be repeated (see --list)
  --contender NAME    run this contender; may be repeated
  --runs N            trials of each contender (default 5, with --quick 2)
  --quick             shorter trials, for a first look
  --out DIRECTORY     where the results go; without it only complete runs go to bench/results
  --core DIRECTORY    executables of bench/core that are built already (default: build them)
  --list              name the cases and their contenders`);
} else if (options.list) {
  for (const { name, title, contenders } of allCases) {
    console.log(`${name}: ${title}\n    ${Object.keys(contenders).join(' | ')}`);
  }
} else {
  await runCases(chooseCases(), chooseRuns()).catch((error) => fail(error.message));
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

function chooseRuns() {
  if (options.runs === undefined) return options.quick ? 2 : 5;
  const runs = Number(options.runs);
  if (!Number.isSafeInteger(runs) || runs < 1)
    fail(`--runs wants a whole number from 1, not '${options.runs}'`);
  return runs;
}

/** Builds the executables as far as they are out of date: a stale one would be measured in silence. */
function buildCore() {
  const { status } = spawnSync(process.execPath, [path.join(ROOT, 'scripts/cmake.mjs'), 'bench'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) console.error('building the benchmarks of the core failed');
  return path.join(ROOT, 'build/release/bench');
}

/**
 * @param {typeof allCases} chosen
 * @param {number} runs
 */
async function runCases(chosen, runs) {
  const needsCore = chosen.some((benchCase) => 'executable' in benchCase);
  const coreDirectory = options.core ?? (needsCore ? buildCore() : '');
  const launcher = new Launcher({ quick: options.quick, coreDirectory });
  const partial = options.quick || options.contender.length > 0;
  const resultsDirectory = options.out ?? (partial ? undefined : RESULTS);
  const machine = describeMachine();
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}`);

  const allRows = [];
  for (const benchCase of chosen) {
    const { rows, obstacles } = await runCase(launcher, benchCase, runs);
    const warnings = warningsFor(benchCase, machine);
    console.log(formatCase(benchCase, rows, obstacles, warnings));
    allRows.push(...rows);
    if (resultsDirectory !== undefined) {
      await writeResults(resultsDirectory, { benchCase, machine, warnings, rows });
    }
  }

  const judged = allRows.filter(({ reached }) => reached !== undefined);
  const reached = judged.filter((row) => row.reached);
  console.log(`\n* the figure that counts. ${reached.length} of ${judged.length} targets reached.`);
}

/**
 * @param {Launcher} launcher
 * @param {(typeof allCases)[number]} benchCase
 * @param {number} runs
 */
async function runCase(launcher, benchCase, runs) {
  const names = Object.keys(benchCase.contenders).filter(
    (name) => options.contender.length === 0 || options.contender.includes(name),
  );
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
  return { rows: summarize(benchCase, runsOfContender), obstacles };
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

async function writeResults(directory, { benchCase, machine, warnings, rows }) {
  const { name, title, threads } = benchCase;
  const result = { name, title, threads, date: new Date().toISOString(), machine, warnings, rows };
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
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
