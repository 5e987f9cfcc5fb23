import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { freshFolder } from '../support/logs.js';
import { root } from '../support/markdown.js';
import { closedAddress, startMessages } from '../support/messages_server.js';
import { copyPackage } from '../support/second_copy.js';

const run = promisify(execFile);

/** A process that takes longer hangs. */
const PATIENCE_MILLIS = 100_000;

const program = `
const [entry, baseURL, apiKey] = process.argv.slice(1);
const { createAnthropicClient, createClaudeSonetAgent } = await import(entry);
const tell = (value) => console.log(JSON.stringify({ entry: typeof createClaudeSonetAgent, ...value }));
try {
  // A timer that is left would keep the process alive for longer than its patience.
  const client = createAnthropicClient({ baseURL, apiKey: apiKey || undefined, timeoutMs: 1_000_000 });
  const { signal } = new AbortController();
  const { raw } = await client.sendPrompt({ model: 'm', prompt: 'p', frames: [], batchId: 'b', attempt: 1, signal });
  tell({ text: raw.content[0].text });
} catch (error) {
  const { name, code, message, fatal, inDoubt } = error;
  tell({ name, code, message, fatal, inDoubt });
}`;

/** What the program says in a process whose environment has no keys and whose user has no profile; once it has ended. */
async function tell(entry: string, baseURL: string, apiKey = ''): Promise<unknown> {
  const { stdout } = await run(
    process.execPath,
    ['--input-type=module', '-e', program, entry, baseURL, apiKey],
    { env: { PATH: process.env.PATH, HOME: freshFolder() }, timeout: PATIENCE_MILLIS },
  );
  return JSON.parse(stdout);
}

/** A copy of the package where no other package is installed. */
function lonelyPackage(): { readonly entry: string; readonly folder: string } {
  const copy = copyPackage('same');
  onTestFinished(() => copy.remove());
  const folder = path.dirname(path.dirname(fileURLToPath(copy.index)));
  return { entry: new URL('agent.js', copy.index).href, folder };
}

const installed = new URL(`file://${path.join(root, 'dist/agent.js')}`).href;

test('without the peer the entry point loads, and a client says how to install it', async () => {
  const { entry } = lonelyPackage();
  expect(await tell(entry, 'http://127.0.0.1')).toMatchObject({
    entry: 'function',
    name: 'StrandError',
    code: 'ERR_STRAND_PEER_MISSING',
    message: expect.stringContaining('npm install @anthropic-ai/sdk'),
  });
});

test('a peer that fails to load says so itself', async () => {
  const { entry, folder } = lonelyPackage();
  const peer = path.join(folder, 'node_modules/@anthropic-ai/sdk');
  mkdirSync(peer, { recursive: true });
  writeFileSync(path.join(peer, 'index.js'), "throw new Error('broken build');");
  expect(await tell(entry, 'http://127.0.0.1')).toMatchObject({ name: 'Error', message: 'broken build' });
});

test('a package that the peer misses says so itself', async () => {
  const { entry, folder } = lonelyPackage();
  const peer = path.join(folder, 'node_modules/@anthropic-ai/sdk');
  mkdirSync(peer, { recursive: true });
  writeFileSync(path.join(peer, 'index.js'), "require('not-installed-either');");
  expect(await tell(entry, 'http://127.0.0.1')).toMatchObject({
    code: 'MODULE_NOT_FOUND',
    message: expect.stringContaining('not-installed-either'),
  });
});

test('with the peer beside it the same package sends prompts, and lets the process end', async () => {
  const { entry, folder } = lonelyPackage();
  mkdirSync(path.join(folder, 'node_modules/@anthropic-ai'), { recursive: true });
  const peer = path.join(root, 'node_modules/@anthropic-ai/sdk');
  symlinkSync(peer, path.join(folder, 'node_modules/@anthropic-ai/sdk'));
  const { baseURL } = await startMessages();
  expect(await tell(entry, baseURL, 'key')).toStrictEqual({ entry: 'function', text: 'understood' });
});

test('without a key every prompt fails for good, and nothing is sent', async () => {
  const { baseURL, requests } = await startMessages();
  expect(await tell(installed, baseURL)).toMatchObject({
    fatal: true,
    message: expect.stringMatching(/authentication/i),
  });
  expect(requests).toStrictEqual([]);
});

test('a service that is gone lets the process end', async () => {
  const answer = await tell(installed, await closedAddress(), 'key');
  expect(answer).toMatchObject({ inDoubt: false });
});
