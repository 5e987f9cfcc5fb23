import path from 'node:path';
import { root } from './files.mjs';

/** Of a message, what is shown. */
const SHOWN_LINES = 6;
const SHOWN_COLUMNS = 200;

/** Where googletest or a sanitizer begins to say what went wrong. */
const COMPLAINT = /: Failure$|\b(ERROR|WARNING): |: runtime error: /;

const ENTITIES = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const unescapeXml = (text) => text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name) => ENTITIES[name]);

/** Without empty lines and the test runner's part of a stack. */
const linesOf = (text) =>
  text.split('\n').filter((line) => line.trim() !== '' && !/^ +at .*node_modules/.test(line));

function failuresOfVitest(report) {
  return JSON.parse(report).testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = path.relative(root, name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // A file that does not load has no failed test.
    if (status === 'failed' && failed.length === 0) return [{ name: file, lines: linesOf(message) }];
    return failed.map(({ fullName, failureMessages }) => ({
      name: `${file}: ${fullName}`,
      lines: linesOf(failureMessages.join('\n')),
    }));
  });
}

function failuresOfCtest(report) {
  const cases = report.matchAll(/<testcase name="([^"]*)"[^>]*status="fail"[^>]*>(.*?)<\/testcase>/gs);
  return Array.from(cases, ([, name, content]) => {
    const lines = linesOf(unescapeXml(content.match(/<system-out>(.*)<\/system-out>/s)?.[1] ?? ''));
    const complaint = lines.findIndex((line) => COMPLAINT.test(line));
    return {
      name: unescapeXml(name),
      lines: complaint === -1 ? lines.slice(-SHOWN_LINES) : lines.slice(complaint),
    };
  });
}

/**
 * The failed tests of a JSON report of vitest or a JUnit report of ctest, each as its name and the first lines of
 * what went wrong.
 *
 * @param {string} file its name
 * @param {string} report its content
 */
export function failuresIn(file, report) {
  const failures = file.endsWith('.json') ? failuresOfVitest(report) : failuresOfCtest(report);
  return failures.map(({ name, lines }) => {
    const shown = lines.slice(0, SHOWN_LINES).map((line) => `      ${line.slice(0, SHOWN_COLUMNS)}`);
    return [`FAIL  ${name} (${file})`, ...shown].join('\n');
  });
}
