import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { FIELD_BYTE_WIDTHS } from '../../../dist/index.js';
import {
  blocksOf,
  codeWords,
  freshFolder,
  programOf,
  promisedOutput,
  readDocument,
  sectionsOf,
  tableRows,
  writeFiles,
} from '../support/markdown.js';

const run = promisify(execFile);
const guide = readDocument('docs/arrow.md');

describe('docs/arrow.md', () => {
  test('prints what it says, as one program from top to bottom', async () => {
    const whole = { title: 'arrow', text: guide, blocks: blocksOf(guide) };
    const promised = promisedOutput(whole);
    expect(promised).not.toHaveLength(0);
    const folder = freshFolder('arrow-guide');
    writeFiles(folder, programOf(whole));
    const { stdout, stderr } = await run(process.execPath, [path.join(folder, 'main.mjs')], {
      timeout: 50_000,
    });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toStrictEqual(promised);
  });

  test('knows every field type', () => {
    const reading = sectionsOf(guide).find(({ title }) => title === 'Reading')?.text ?? '';
    const named = tableRows(reading).flatMap(([types = '']) => codeWords(types));
    expect(named.sort()).toStrictEqual(Object.keys(FIELD_BYTE_WIDTHS).sort());
  });
});
