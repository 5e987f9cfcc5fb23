// Runs the vitest suites under other versions of Node.js, as the npm packages node-<platform>-<arch> carry them.
//
//   node scripts/test_nodes.mjs [VERSION …]   22 and 24 unless told

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from './run.mjs';

const versions = process.argv.slice(2);
if (versions.length === 0) versions.push('22', '24');

const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const directory = mkdtempSync(path.join(tmpdir(), 'strand-nodes-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const failed = [];
for (const version of versions) {
  const prefix = path.join(directory, version);
  const node = path.join(prefix, 'node_modules', name, 'bin/node');
  console.log(`\n── Node.js ${version}`);
  const ok =
    run('npm', ['install', '--silent', '--no-save', '--prefix', prefix, `${name}@${version}`]) === 0 &&
    run(node, ['--version']) === 0 &&
    run(node, ['node_modules/vitest/vitest.mjs', 'run']) === 0;
  if (!ok) failed.push(version);
}
if (failed.length > 0) console.error(`Failed under Node.js ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
