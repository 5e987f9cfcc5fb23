// `npm test`: builds everything, then runs every check and every test, and ends with the tests that failed, the steps
// and one line of counts. A check that fails does not keep the others from running; only without a build there is
// nothing to test.

import { rmSync } from 'node:fs';
import path from 'node:path';
import { root } from './files.mjs';
import { readReports } from './reports.mjs';
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

rmSync(reports, { recursive: true, force: true });
const results = [];
// Steps that fail without a failing test in their report.
let otherFailures = 0;

function step(script) {
  console.log(`\n── ${script}`);
  const started = performance.now();
  const failedBefore = readReports(reports).failures.length;
  const ok = run('npm', ['run', '--silent', script]) === 0;
  if (!ok && readReports(reports).failures.length === failedBefore) otherFailures += 1;
  results.push(
    `${ok ? 'ok  ' : 'FAIL'}  ${script.padEnd(14)} ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return ok;
}

if (build.every(step)) checks.forEach(step);

const { passed, failures } = readReports(reports);
if (failures.length > 0) console.log(`\n${failures.slice(0, SHOWN_FAILURES).join('\n')}`);
if (failures.length > SHOWN_FAILURES) console.log(`… and ${failures.length - SHOWN_FAILURES} more`);

const failed = failures.length + otherFailures;
console.log(`\n${results.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
