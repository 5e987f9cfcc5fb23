import { describe, expect, test } from 'vitest';
import { FIELD_BYTE_WIDTHS } from '../../../dist/index.js';
import { codeWords, readDocument, runProgram, sectionsOf, tableRows, wholeOf } from '../support/markdown.js';

const guide = readDocument('docs/columns.md');

describe('docs/columns.md', () => {
  test('prints what it says, as one program from top to bottom', async () => {
    const { stdout, stderr, promised } = await runProgram('columns-guide', wholeOf('columns', guide));
    expect(promised).not.toHaveLength(0);
    expect(stderr).toBe('');
    expect(stdout).toStrictEqual(promised);
  });

  test('knows every field type', () => {
    const reading = sectionsOf(guide).find(({ title }) => title === 'Reading one column')?.text ?? '';
    const named = tableRows(reading).flatMap(([types = '']) => codeWords(types));
    expect(named.sort()).toStrictEqual(Object.keys(FIELD_BYTE_WIDTHS).sort());
  });
});
