import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { codeWords, readDocument, root, runProgram, sectionsOf, tableRows } from '../support/markdown.js';

const run = promisify(execFile);
const sections = sectionsOf(readDocument('docs/shared-strand.md'));

describe('docs/shared-strand.md', () => {
  test('prints what it says', async () => {
    const found = sections.find(({ title }) => title === 'Two processes');
    if (found === undefined) throw new Error('the guide has no example');
    const { stdout, stderr, promised } = await runProgram('shared-strand-guide', found);
    expect(promised).not.toHaveLength(0);
    expect(stderr).toBe('');
    expect(stdout).toStrictEqual(promised);
  });

  test('lists every option', () => {
    const text = sections.find(({ title }) => title === 'Two processes')?.text ?? '';
    const table = text.split('\n\n').find((part) => part.startsWith('| Option |')) ?? '';
    const body = (file: string, name: string) =>
      new RegExp(`interface ${name}\\b[^{]*\\{(.*?)^\\}`, 'ms').exec(readDocument(file))?.[1] ?? '';
    const declared = [
      body('dist/shared_strand.d.ts', 'SharedStrandOptions'),
      body('dist/strand.d.ts', 'StrandOptions'),
    ].flatMap((text) => [...text.matchAll(/^ {4}readonly (\w+)\??:/gm)].map(([, name = '']) => name));
    expect(declared).toContain('schema');
    const listed = tableRows(table).flatMap(([name = '']) => codeWords(name));
    expect(listed.sort()).toStrictEqual(declared.sort());
  });
});

test('examples/shared_strand: a process writes, a worker of another one reads', async () => {
  const { stdout, stderr } = await run(process.execPath, [
    path.join(root, 'examples/shared_strand/main.mjs'),
  ]);
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toStrictEqual(
    [0, 1, 2, 3].map((sensor) => `sensor ${sensor}: 25000 readings, ${20 + sensor}.0 °C`).concat(''),
  );
});
