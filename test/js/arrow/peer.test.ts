import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { freshFolder, root } from '../support/markdown.js';

const run = promisify(execFile);

const program = `
try {
  await import(process.argv[1]);
  console.log(JSON.stringify('loaded'));
} catch (error) {
  const { name, code, message, cause } = error;
  console.log(JSON.stringify({ name, code, message, cause: cause?.code }));
}`;

/** What importing the entry point says, with `apache-arrow` from this place in the way of the installed one. */
async function importWith(hook: string): Promise<unknown> {
  const folder = freshFolder('arrow-peer');
  writeFileSync(path.join(folder, 'hooks.mjs'), hook);
  const register = `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url);`;
  writeFileSync(path.join(folder, 'register.mjs'), register);
  const entry = new URL(`file://${path.join(root, 'dist/arrow.js')}`).href;
  const preload = path.join(folder, 'register.mjs');
  const { stdout } = await run(process.execPath, [
    '--import',
    preload,
    '--input-type=module',
    '-e',
    program,
    entry,
  ]);
  return JSON.parse(stdout);
}

test('the entry point says how to install the peer that is missing', async () => {
  const answer = await importWith(`
    export async function resolve(specifier, context, next) {
      return next(specifier === 'apache-arrow' ? 'apache-arrow' : specifier,
        specifier === 'apache-arrow' ? { ...context, parentURL: 'file:///nowhere/at/all.mjs' } : context);
    }`);
  expect(answer).toMatchObject({
    name: 'StrandError',
    code: 'ERR_STRAND_PEER_MISSING',
    message: expect.stringContaining('npm install apache-arrow'),
    cause: 'ERR_MODULE_NOT_FOUND',
  });
});

test('a peer that fails to load says so itself', async () => {
  const answer = await importWith(`
    export async function resolve(specifier, context, next) {
      return specifier === 'apache-arrow'
        ? { url: 'data:text/javascript,throw new Error("broken build")', shortCircuit: true }
        : next(specifier, context);
    }`);
  expect(answer).toMatchObject({ name: 'Error', message: 'broken build' });
});
