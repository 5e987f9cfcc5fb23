// Packs the package as npm would publish it and checks the result: its manifest and types, that it loads with the
// addon it carries, and that it holds every source that its users need to build the addon again.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './files.mjs';
import { run } from './run.mjs';

const directory = mkdtempSync(path.join(tmpdir(), 'strand-package-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

function must(command, args, options) {
  const status = run(command, args, options);
  if (status !== 0) process.exit(status);
}

// Scripts are left out: `prepare` would build again what is under test.
const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], {
  cwd: root,
  encoding: 'utf8',
});
const [{ filename }] = JSON.parse(packed);
const tarball = path.join(directory, filename);

const bin = path.join(root, 'node_modules/.bin');
must(path.join(bin, 'publint'), ['run', tarball, '--strict']);
must(path.join(bin, 'attw'), [tarball, '--profile', 'esm-only', '--no-definitely-typed']);

// An application that has the package installed, with its dependencies from this checkout.
const scope = path.join(directory, 'app/node_modules/@strand');
mkdirSync(scope, { recursive: true });
must('tar', ['-xzf', tarball, '-C', scope]);
must('mv', ['package', 'core'], { cwd: scope });
for (const dependency of ['node-addon-api', 'node-api-headers']) {
  symlinkSync(path.join(root, 'node_modules', dependency), path.join(scope, '..', dependency));
}
const app = path.join(directory, 'app');
const evaluate = (code) => must(process.execPath, ['--input-type=module', '--eval', code], { cwd: app });
evaluate("await import('@strand/core')");

// A stream through a worker, whose thread runs a file of the package and loads one of the application. A program in a
// file, since workers inherit --input-type.
writeFileSync(
  path.join(app, 'double.mjs'),
  'export default (batch) => batch.map(({ n }) => ({ n: 2 * n }));',
);
writeFileSync(
  path.join(app, 'main.mjs'),
  `import { createWorkerStream } from '@strand/core/streams';
  const fields = [{ name: 'n', type: 'u32' }];
  const stream = createWorkerStream('double.mjs', { schemaIn: fields, schemaOut: fields });
  stream.end({ n: 21 });
  const [{ n } = {}, ...more] = await stream.toArray();
  if (n !== 42 || more.length > 0) throw new Error('a worker stream of the package made 2 × 21 ' + n);`,
);
must(process.execPath, ['main.mjs'], { cwd: app });

// The optional peer: a clear error without it, and with it an entry point that shares the application's copy.
evaluate(`
  const { code } = await import('@strand/core/arrow').then(() => ({}), (error) => error);
  if (code !== 'ERR_STRAND_PEER_MISSING') throw new Error('without apache-arrow the import gave ' + code);`);
symlinkSync(path.join(root, 'node_modules/apache-arrow'), path.join(scope, '..', 'apache-arrow'));
evaluate(`
  const { arrowSchema } = await import('@strand/core/arrow');
  const { Schema } = await import('apache-arrow');
  if (!(arrowSchema({ fields: [] }) instanceof Schema)) throw new Error('apache-arrow was loaded twice');`);

// The other one: an entry point that loads without it, and a client that tells.
const client = `
  import { createAnthropicClient } from '@strand/core/agent';
  const answerOf = () => {
    try {
      return typeof createAnthropicClient({ apiKey: 'none' }).sendPrompt;
    } catch ({ code }) {
      return code;
    }
  };`;
evaluate(`${client}
  if (answerOf() !== 'ERR_STRAND_PEER_MISSING') throw new Error('without the SDK a client gave ' + answerOf());`);
mkdirSync(path.join(scope, '../@anthropic-ai'));
symlinkSync(path.join(root, 'node_modules/@anthropic-ai/sdk'), path.join(scope, '../@anthropic-ai/sdk'));
evaluate(`${client}
  if (answerOf() !== 'function') throw new Error('with the SDK a client gave ' + answerOf());`);

const installed = path.join(scope, 'core');
const packedHash = path.join(directory, 'abi.json');
must(process.execPath, ['scripts/source_hash.mjs', '--json', packedHash], { cwd: installed });
if (readFileSync(packedHash, 'utf8') !== readFileSync(path.join(installed, 'dist/abi.json'), 'utf8')) {
  console.error('The packed src/ and binding/ are not the sources that dist/ and the addon were built from.');
  process.exit(1);
}
must('cmake', ['--preset', 'release'], { cwd: installed });
console.log(`${filename}: loads, and its users can build it`);
