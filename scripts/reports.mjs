// What the test runners said: vitest in reports/vitest.json, ctest in reports/BUILD/ctest.xml, and each shard of
// GoogleTest that came to its end in reports/BUILD/SHARD.xml.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './files.mjs';

/** Of a message, what is shown. */
const SHOWN_LINES = 6;
const SHOWN_COLUMNS = 200;

/** Where a sanitizer begins to say what went wrong. */
const COMPLAINT = /\b(ERROR|WARNING): |: runtime error: /;

/** GoogleTest begins a test. */
const BEGIN = /^\[ RUN {6}\] (.*)$/;

const ENTITIES = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const unescapeXml = (text) => text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name) => ENTITIES[name]);

/** Without empty lines and the test runner's part of a stack. */
const linesOf = (text) =>
  text.split('\n').filter((line) => line.trim() !== '' && !/^ +at .*node_modules/.test(line));

/** The elements of a JUnit report that are tests: attributes and content. */
function* casesOf(report) {
  for (const [, attributes, , content = ''] of report.matchAll(
    /<testcase\b([^>]*?)(\/>|>(.*?)<\/testcase>)/gs,
  )) {
    const values = attributes.matchAll(/(\w+)="([^"]*)"/g);
    yield {
      ...Object.fromEntries(Array.from(values, ([, key, value]) => [key, unescapeXml(value)])),
      content,
    };
  }
}

/** What vitest ran. */
function readVitest(report) {
  const { numPassedTests, testResults } = JSON.parse(report);
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = path.relative(root, name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // A file that does not load has no failed test.
    if (status === 'failed' && failed.length === 0) return [{ name: file, lines: linesOf(message) }];
    return failed.map(({ fullName, failureMessages }) => ({
      name: `${file}: ${fullName}`,
      lines: linesOf(failureMessages.join('\n')),
    }));
  });
  return { passed: numPassedTests, failures };
}

/** What GoogleTest ran in one shard. */
function readShard(report, where) {
  let passed = 0;
  const failures = [];
  for (const { classname, name, result, content } of casesOf(report)) {
    const failed = content.match(/<failure\b[^>]*><!\[CDATA\[(.*?)\]\]><\/failure>/s);
    if (failed) failures.push({ name: `${classname}.${name} (${where})`, lines: linesOf(failed[1]) });
    else if (result === 'completed') passed += 1;
  }
  return { passed, failures };
}

/** What ctest ran: a shard that wrote no report of its own died or hung, with the rest of its tests. */
function readCtest(directory) {
  const where = path.basename(directory);
  const all = { passed: 0, failures: [] };
  for (const { name, status, content } of casesOf(readFileSync(path.join(directory, 'ctest.xml'), 'utf8'))) {
    const own = path.join(directory, `${name}.xml`);
    if (existsSync(own)) {
      const { passed, failures } = readShard(readFileSync(own, 'utf8'), where);
      all.passed += passed;
      all.failures.push(...failures);
    } else if (status === 'run') {
      all.passed += 1;
    } else if (status === 'fail') {
      const lines = linesOf(unescapeXml(content.match(/<system-out>(.*)<\/system-out>/s)?.[1] ?? ''));
      const complaint = lines.findIndex((line) => COMPLAINT.test(line));
      const last = lines.findLast((line) => BEGIN.test(line))?.match(BEGIN)[1];
      all.failures.push({
        name: `${last ? `${last}, the last of ${name}` : name} (${where})`,
        lines: complaint === -1 ? lines.slice(-SHOWN_LINES) : lines.slice(complaint),
      });
    }
  }
  return all;
}

/**
 * Everything that was reported below `directory`: how many tests passed, and of each that failed its name and the
 * first lines of what went wrong.
 *
 * @param {string} directory
 * @returns {{ passed: number, failures: string[] }}
 */
export function readReports(directory) {
  const entries = existsSync(directory) ? readdirSync(directory) : [];
  const parts = entries.flatMap((entry) => {
    const at = path.join(directory, entry);
    if (entry.endsWith('.json')) return [readVitest(readFileSync(at, 'utf8'))];
    return existsSync(path.join(at, 'ctest.xml')) ? [readCtest(at)] : [];
  });
  return {
    passed: parts.reduce((sum, { passed }) => sum + passed, 0),
    failures: parts
      .flatMap(({ failures }) => failures)
      .map(({ name, lines }) => {
        const shown = lines.slice(0, SHOWN_LINES).map((line) => `      ${line.slice(0, SHOWN_COLUMNS)}`);
        return [`FAIL  ${name}`, ...shown].join('\n');
      }),
  };
}
