import { describe, expect, test } from 'vitest';
import {
  codeWords,
  readDocument,
  runProgram,
  type Section,
  sectionsOf,
  tableRows,
} from '../support/markdown.js';

const sections = sectionsOf(readDocument('docs/streams.md'));
const runnable = sections.filter(({ blocks }) => blocks.some(({ language }) => language === 'js'));

function section(title: string): Section {
  const found = sections.find((candidate) => candidate.title === title);
  if (found === undefined) throw new Error(`docs/streams.md has no section '${title}'`);
  return found;
}

/** Names of the options in a table whose head begins with `| Option |`. */
function tableOfOptions({ text }: Section, columns: number): string[] {
  const [table = ''] = text
    .split('\n\n')
    .filter((part) => part.startsWith('| Option |'))
    .slice(-1);
  return tableRows(table).flatMap((cells) => {
    expect(cells).toHaveLength(columns);
    return codeWords(cells[0] ?? '');
  });
}

/** Names of the optional properties that an interface declares. */
function declared(file: string, name: string): string[] {
  const body = new RegExp(`interface ${name}\\b[^{]*\\{(.*?)^\\}`, 'ms').exec(readDocument(file))?.[1] ?? '';
  return [...body.matchAll(/^ {4}readonly (\w+)\?:/gm)].map(([, property = '']) => property);
}

describe('docs/streams.md', () => {
  test.each(runnable.map((found) => [found.title, found] as const))(
    '%s: prints what it says',
    async (title, found) => {
      const name = `streams-guide-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
      const { stdout, stderr, promised } = await runProgram(name, found);
      expect(promised).not.toHaveLength(0);
      expect(stderr).toBe('');
      expect(stdout).toStrictEqual(promised);
    },
  );

  test('lists every option of readables and writables', () => {
    const options = [
      ...declared('dist/streams/modes.d.ts', 'ModeOptions'),
      ...declared('dist/streams/modes.d.ts', 'CommonOptions'),
      ...declared('dist/streams/source_options.d.ts', 'ReadStreamOptions'),
      ...declared('dist/streams/sink_options.d.ts', 'WriteStreamOptions'),
    ];
    expect(options).toContain('zeroCopy');
    expect(tableOfOptions(section('What a chunk is'), 3).sort()).toStrictEqual(options.sort());
  });

  test('lists every option of worker streams', () => {
    const options = declared('dist/streams/workers/options.d.ts', 'WorkerStreamOptions');
    expect(options).toContain('ordered');
    expect(tableOfOptions(section('Worker files'), 3).sort()).toStrictEqual(options.sort());
  });
});
