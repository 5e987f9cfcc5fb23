import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import {
  blocksOf,
  codeWords,
  freshFolder,
  readDocument,
  root,
  runProgram,
  sectionsOf,
  tableRows,
  writeFiles,
} from '../support/markdown.js';

const run = promisify(execFile);
const document = readDocument('docs/claude-sonet-agent.md');
const sections = sectionsOf(document);
const runnable = sections.filter(({ blocks }) => blocks.some(({ language }) => language === 'js'));

/** Names in the first column of a table of a section. */
function listed(title: string, heading: string, column = 0): string[] {
  const text = sections.find((section) => section.title === title)?.text ?? '';
  const table = text.split('\n\n').find((part) => part.startsWith(`| ${heading} |`)) ?? '';
  return tableRows(table).flatMap((row) => codeWords(row[column] ?? ''));
}

/** Members that an interface of the package's types declares. */
function declared(file: string, name: string): string[] {
  const body = new RegExp(`interface ${name}\\b[^{]*\\{(.*?)^\\}`, 'ms').exec(
    readDocument(`dist/agent/${file}`),
  )?.[1];
  return [...(body ?? '').matchAll(/^ {4}(?:readonly )?(\w+)\??:/gm)].map(([, member = '']) => member);
}

describe('docs/claude-sonet-agent.md', () => {
  test.each(runnable.map((found) => [found.title, found] as const))(
    '%s: prints what it says',
    async (title, found) => {
      const name = `agent-guide-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
      const { stdout, stderr, promised } = await runProgram(name, found);
      expect(promised).not.toHaveLength(0);
      expect(stderr).toBe('');
      expect(stdout).toStrictEqual(promised);
    },
  );

  test.each([
    [
      'Options',
      'Option',
      [...declared('options.d.ts', 'AgentOptions'), ...declared('options.d.ts', 'BatchingOptions')],
    ],
    ['Claude', 'Option', declared('anthropic_client.d.ts', 'AnthropicClientOptions')],
    ['Retries', '`retry`', declared('backoff.d.ts', 'RetryOptions')],
    ['Events', 'Event', declared('types.d.ts', 'AgentEvents')],
    ['Metrics', '`metrics()`', declared('metrics.d.ts', 'AgentMetrics')],
  ])('%s: the table lists all there are', (title, heading, names) => {
    expect(names.length).toBeGreaterThan(3);
    expect(listed(title, heading).sort()).toStrictEqual([...names].sort());
  });

  test('Metrics: the table names what Prometheus is told', () => {
    const source = readDocument('lib/agent/prometheus.ts');
    for (const name of listed('Metrics', '`metrics()`', 1)) {
      expect(source).toContain(`'${name.replace(/_total$/, '')}'`);
    }
  });

  test('shows TypeScript that compiles', () => {
    const blocks = blocksOf(document).filter(({ language }) => language === 'ts');
    const folder = freshFolder('agent-types');
    writeFiles(folder, new Map(blocks.map(({ text }, i) => [`${i}.ts`, text])));
    const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const files = blocks.map((_, i) => path.join(folder, `${i}.ts`));
    const program = ts.createProgram(files, {
      ...options,
      rootDir: root,
      noEmit: true,
      noUnusedLocals: false,
    });
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(blocks).not.toHaveLength(0);
    expect(messages).toStrictEqual([]);
  });
});

test('examples/agent: every event is answered, also where the first attempt fails', async () => {
  const { stdout, stderr } = await run(process.execPath, [path.join(root, 'examples/agent/main.mjs')]);
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toStrictEqual([
    'attempt 1 failed: 529',
    '3 events answered: 3 events, 1 of them errors. The last: info: backup goes to disk 3',
    '3 events answered: 3 events, 2 of them errors. The last: error: backup is given up',
    '{',
    '  drained: true,',
    '  framesAnswered: 6,',
    '  promptsSent: 3,',
    '  retries: 1,',
    '  deadLetters: 0',
    '}',
    '',
  ]);
});
