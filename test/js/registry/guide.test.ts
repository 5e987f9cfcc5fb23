import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bind, Registry } from '../../../dist/registry.js';
import { readDocument, root, runProgram, sectionsOf } from '../support/markdown.js';
import { startThread } from '../support/threads.mjs';

const run = promisify(execFile);
const sections = sectionsOf(readDocument('docs/registry.md'));

describe('docs/registry.md', () => {
  const runnable = sections.filter(({ blocks }) => blocks.some(({ language }) => language === 'js'));

  test.each(runnable.map((found) => [found.title, found] as const))(
    '%s: prints what it says',
    async (_, found) => {
      const { stdout, stderr, promised } = await runProgram(`registry-${found.title.toLowerCase()}`, found);
      expect(promised).not.toHaveLength(0);
      expect(stderr).toBe('');
      expect(stdout).toStrictEqual(promised);
    },
  );
});

test('examples/registry: workers share a list that is replaced while it grows', async () => {
  const { stdout, stderr } = await run(process.execPath, [path.join(root, 'examples/registry/main.mjs')]);
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toStrictEqual([
    '100000 integers, each once: true',
    'every worker found its own: true',
    'the list was replaced: true, and is 163821 long',
    '',
  ]);
});

test('what the document of weave shows works: a registry that is bound in the parent, and nowhere else', async () => {
  using map = new Registry<{ foo: string; array: Uint8Array }>(1_000);
  const thread = startThread(async ({ registry, data, say, until }) => {
    const map = new registry.Registry<{ foo: string }>(data);
    await until(() => map.size > 0);
    say(await map.get(1));
  }, map.data);
  void bind(map, thread.worker);
  await map.set(1, { foo: 'bar', array: new Uint8Array(new SharedArrayBuffer(4)) });
  expect(await thread.said()).toMatchObject({ foo: 'bar' });
  await thread.done();
});
