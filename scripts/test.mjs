// `npm test`: builds everything, then runs every check and every test, and ends with the tests that failed, the steps
// and one line of counts. A check that fails does not keep the others from running; only without a build there is
// nothing to test.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { failuresIn } from './failures.mjs';
import { root } from './files.mjs';
import { run } from './run.mjs';

const reports = path.join(root, 'build/reports');
const SHOWN_FAILURES = 20;

const build = ['build:test', 'build:ts'];
const checks = [
  'lint:js',
  'lint:cpp',
  'test:types',
  'test:cpp',
  'test:js',
  'test:package',
  'test:windows',
  'test:asan',
  'test:tsan',
  'test:fuzz',
];

const contentOf = (file) => readFileSync(path.join(reports, file), 'utf8');

/** Counts of one JUnit file of ctest or one JSON file of vitest. */
function countsOf(file) {
  const content = contentOf(file);
  if (file.endsWith('.json')) {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(content);
    // A file that does not load is a failed suite without a failed test.
    return { passed: numPassedTests, failed: numFailedTests || numFailedTestSuites };
  }
  const count = (name) =>
    Number(content.match(new RegExp(`<testsuite[^>]*\\b${name}="(\\d+)"`, 's'))?.[1] ?? 0);
  const idle = count('skipped') + count('disabled');
  return { passed: count('tests') - count('failures') - idle, failed: count('failures') };
}

function reportFiles() {
  try {
    return readdirSync(reports);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return [];
  }
}

function reported() {
  return reportFiles()
    .map(countsOf)
    .reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }), {
      passed: 0,
      failed: 0,
    });
}

rmSync(reports, { recursive: true, force: true });
const results = [];
// Steps that fail without a failing test in their report.
let otherFailures = 0;

function step(script) {
  console.log(`\n── ${script}`);
  const started = performance.now();
  const failedBefore = reported().failed;
  const ok = run('npm', ['run', '--silent', script]) === 0;
  if (!ok && reported().failed === failedBefore) otherFailures += 1;
  results.push(
    `${ok ? 'ok  ' : 'FAIL'}  ${script.padEnd(14)} ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return ok;
}

if (build.every(step)) checks.forEach(step);

const failures = reportFiles().flatMap((file) => failuresIn(file, contentOf(file)));
if (failures.length > 0) console.log(`\n${failures.slice(0, SHOWN_FAILURES).join('\n')}`);
if (failures.length > SHOWN_FAILURES) console.log(`… and ${failures.length - SHOWN_FAILURES} more`);

const { passed, failed } = reported();
console.log(`\n${results.join('\n')}\n\n${passed} passed, ${failed + otherFailures} failed`);
process.exit(failed + otherFailures === 0 ? 0 : 1);
