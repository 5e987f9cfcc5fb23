import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ACCESSORS } from '../../dist/codec/accessors.js';
import { FIELD_BYTE_WIDTHS } from '../../dist/index.js';
import {
  blocksOf,
  codeWords,
  freshFolder,
  readDocument,
  root,
  runProgram,
  type Section,
  sectionsOf,
  tableRows,
  writeFiles,
} from './support/markdown.js';

const run = promisify(execFile);
const CPP_BUILD_MS = 300_000;

const readme = readDocument('README.md');
const sections = sectionsOf(readme);

function section(title: string): Section {
  const found = sections.find((candidate) => candidate.title === title);
  if (found === undefined) throw new Error(`README.md has no section '${title}'`);
  return found;
}

const folderName = (title: string) => title.toLowerCase().replaceAll(/\W+/g, '-');

describe('README.md, each section as one program', () => {
  const runnable = sections.filter(({ blocks }) => blocks.some((b) => b.language === 'js'));

  test.each(runnable.map((found) => [found.title, found] as const))(
    '%s: prints what it says',
    async (title, found) => {
      const { stdout, stderr, promised } = await runProgram(folderName(title), found);
      expect(promised, 'an example that promises nothing shows nothing').not.toHaveLength(0);
      expect(stderr).toBe('');
      expect(stdout).toStrictEqual(promised);
    },
  );
});

describe('README.md', () => {
  test('shows TypeScript that compiles, and mistakes that do not', () => {
    const blocks = blocksOf(readme).filter(({ language }) => language === 'ts');
    expect(blocks).not.toHaveLength(0);
    const folder = freshFolder('types');
    writeFiles(folder, new Map(blocks.map(({ text }, i) => [`${i}.ts`, text])));
    const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const program = ts.createProgram(
      blocks.map((_, i) => path.join(folder, `${i}.ts`)),
      { ...options, rootDir: root, noEmit: true, noUnusedLocals: false },
    );
    const messages = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
    expect(messages).toStrictEqual([]);
  });

  test('shows C++ out of the example that is built and run here', { timeout: CPP_BUILD_MS }, async () => {
    const source = readFileSync(path.join(root, 'examples/cpp/trades.cc'), 'utf8');
    const unindented = source.replaceAll(/^ {2}/gm, '');
    const shown = blocksOf(readme).filter(({ language }) => language === 'cpp');
    expect(shown).not.toHaveLength(0);
    for (const { text } of shown) expect(source.includes(text) || unindented.includes(text)).toBe(true);
    const cmake = blocksOf(readme).filter(({ language }) => language === 'cmake');
    expect(cmake.map(({ text }) => text)).toStrictEqual([readDocument('examples/cpp/CMakeLists.txt')]);

    // Kept from run to run: the core takes its time to compile.
    const build = path.join(root, 'build/documents/cpp');
    await run('cmake', ['-S', path.join(root, 'examples/cpp'), '-B', build, '-DCMAKE_BUILD_TYPE=Release']);
    await run('cmake', ['--build', build, '--parallel', '2']);
    const { stdout } = await run(path.join(build, 'trades'), { timeout: 50_000 });
    expect(stdout).toBe('100000 trades, ids add up to 4999950000\n');
  });

  test('lists every field type with its width and accessor', () => {
    const listed = tableRows(section('Schema and types').text).flatMap(
      ([types = '', widths = '', accessors = '']) => {
        const of = (cells: string[], i: number) => cells[i] ?? cells[0];
        const [width, accessor] = [widths.split(' '), codeWords(accessors)];
        return codeWords(types).map((type, i) => [type, of(width, i), of(accessor, i)]);
      },
    );
    const known = Object.entries(FIELD_BYTE_WIDTHS).map(([type, width]) => [
      type,
      type === 'fixed_bytes' ? '`length`' : `${width}`,
      ACCESSORS[type],
    ]);
    expect(listed.sort()).toStrictEqual(known.sort());
  });

  test('lists every code of an error', () => {
    const declared = readDocument('dist/errors.d.ts').match(/type StrandErrorCode = ([^;]+);/)?.[1] ?? '';
    const codes = [...declared.matchAll(/'(\w+)'/g)].map(([, code]) => code);
    expect(codes).not.toHaveLength(0);
    const listed = tableRows(section('Errors').text).map(([code = '']) => codeWords(code)[0]);
    expect(listed.sort()).toStrictEqual(codes.sort());
  });

  test('lists every script of package.json', () => {
    const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
    const [table = ''] = section('Development')
      .text.split('\n\n')
      .filter((part) => part.includes('npm run …'));
    const listed = tableRows(table).flatMap(([names = '']) => codeWords(names));
    expect(listed.sort()).toStrictEqual(Object.keys(scripts).sort());
  });

  test('names the system packages that the tests are run with', () => {
    const needed =
      readDocument('.ci/run')
        .match(/packages=\(([^)]*)\)/)?.[1]
        ?.trim()
        .split(/\s+/) ?? [];
    const [, line = ''] = /apt-get install (.*)$/m.exec(readme) ?? [];
    expect(line.split(' ').sort()).toStrictEqual(needed.sort());
  });

  test('links only to files that exist', () => {
    for (const file of [
      'README.md',
      'docs/arrow.md',
      'docs/choosing.md',
      'docs/columns.md',
      'docs/design.md',
      'docs/log.md',
      'docs/protocol.md',
      'docs/streams.md',
      'src/ring/protocol.md',
    ]) {
      for (const [, target = ''] of readDocument(file).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(existsSync(path.join(root, path.dirname(file), target)), `${file} → ${target}`).toBe(true);
      }
    }
  });
});
