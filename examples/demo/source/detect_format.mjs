// @ts-check

import path from 'node:path';
import { DemoError } from '../demo_error.mjs';

/** @typedef {'csv' | 'json' | 'ndjson'} Format */

/** @type {readonly Format[]} */
export const FORMATS = ['csv', 'json', 'ndjson'];

/** @type {Readonly<Record<string, Format>>} */
const EXTENSIONS = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
};

const HINT = 'CSV, JSON and NDJSON are read';

/**
 * What other kinds of files begin with, and what to do about it.
 *
 * @type {readonly (readonly [bytes: readonly number[], message: string])[]}
 */
const FOREIGN = [
  [[0xff, 0xfe], 'is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)'],
  [[0xfe, 0xff], 'is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)'],
  [[0x1f, 0x8b], 'is compressed: unpack it, or pipe it in (zcat FILE | npm run demo -- -)'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed: unpack it, or pipe it in (zstdcat FILE | npm run demo -- -)'],
  [[0x50, 0x4b, 0x03, 0x04], `is a zip archive or an office document: ${HINT}`],
];

/**
 * Refuses what cannot be text.
 *
 * @param {string} name
 * @param {Buffer} head the file's beginning
 */
export function refuseBinary(name, head) {
  for (const [bytes, message] of FOREIGN) {
    if (bytes.every((byte, at) => head[at] === byte)) throw new DemoError(`${name} ${message}`);
  }
  if (head.includes(0)) throw new DemoError(`${name} is binary: ${HINT}`);
}

/**
 * The format that a name says; of a name that says none, what the beginning looks like.
 *
 * @param {string} name
 * @param {string} head the text's beginning
 * @returns {Format}
 */
export function detectFormat(name, head) {
  const extension = path.extname(name).toLowerCase();
  const named = Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined;
  if (named !== undefined) return named;
  const text = head.trimStart();
  if (text.startsWith('[')) return 'json';
  // One object a line; the parser for JSON also takes objects that go over several.
  if (text.startsWith('{')) return /^\{.*\}\s*?\n/.test(text) ? 'ndjson' : 'json';
  throw new DemoError(`${name} is of an unknown format: say which with --format ${FORMATS.join(', ')}`);
}
