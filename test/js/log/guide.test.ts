import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { codeWords, readDocument, root, runProgram, sectionsOf, tableRows } from '../support/markdown.js';

const run = promisify(execFile);
const sections = sectionsOf(readDocument('docs/log.md'));
const runnable = sections.filter(({ blocks }) => blocks.some(({ language }) => language === 'js'));

describe('docs/log.md', () => {
  test.each(runnable.map((found) => [found.title, found] as const))(
    '%s: prints what it says',
    async (title, found) => {
      const name = `log-guide-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
      const { stdout, stderr, promised } = await runProgram(name, found);
      expect(promised).not.toHaveLength(0);
      expect(stderr).toBe('');
      expect(stdout).toStrictEqual(promised);
    },
  );

  test('lists every option of createSharedLog', () => {
    const text = sections.find(({ title }) => title === 'Writing and reading')?.text ?? '';
    const table = text.split('\n\n').find((part) => part.startsWith('| Option |')) ?? '';
    const body =
      /interface SharedLogOptions\b[^{]*\{(.*?)^\}/ms.exec(
        readDocument('dist/log/create_shared_log.d.ts'),
      )?.[1] ?? '';
    const declared = [...body.matchAll(/^ {4}readonly (\w+)\??:/gm)].map(([, name = '']) => name);
    expect(declared).toContain('zeroCopy');
    const listed = tableRows(table).flatMap(([name = '']) => codeWords(name));
    expect(listed.sort()).toStrictEqual(declared.sort());
  });
});

test('examples/log: one process writes, another follows', async () => {
  const { stdout, stderr } = await run(process.execPath, [path.join(root, 'examples/log/main.mjs')]);
  expect(stderr).toBe('');
  expect(stdout).toBe('[1] written before anybody reads\n[2] woke the other process\n');
});
