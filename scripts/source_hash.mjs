// A hash of the addon's sources, compiled into the addon and written beside the built TypeScript, so that
// lib/native.ts can refuse an addon built from other sources.
//
//   node scripts/source_hash.mjs --header FILE   writes a C++ header that defines STRAND_ABI
//   node scripts/source_hash.mjs --json FILE     writes { "abi": … }

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { filesUnder, root } from './files.mjs';

function sourceHash() {
  // Documents and editors' left-overs do not change what is compiled.
  const files = filesUnder(['src', 'binding'], (name) => !/^\.|\.md$|~$|#$|\.orig$/.test(name));
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

function writeIfChanged(file, content) {
  let current;
  try {
    current = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  if (current === content) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

const { values } = parseArgs({ options: { header: { type: 'string' }, json: { type: 'string' } } });
const abi = sourceHash();
if (values.header) writeIfChanged(values.header, `#pragma once\n#define STRAND_ABI "${abi}"\n`);
if (values.json) writeIfChanged(values.json, `${JSON.stringify({ abi })}\n`);
