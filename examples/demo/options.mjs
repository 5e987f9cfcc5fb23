// @ts-check

/** @import { Format } from './source/detect_format.mjs' */

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DemoError } from './demo_error.mjs';
import { FORMATS } from './source/detect_format.mjs';
import { STDIN } from './source/open_source.mjs';

/** How shells and other programs are told of a wrong command line. */
const USAGE = 2;

const DEFAULT_BATCH = 1_000;

/** @type {Readonly<Record<string, number>>} */
const UNITS = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

export const HELP = `Streams records from a file through shared memory: a worker thread parses and writes them,
the main thread reads them while they arrive, and draws what they say.

usage: npm run demo                     200,000 flights of the package vega-datasets
       npm run demo -- [options] FILE   a CSV, JSON or NDJSON file; - for the standard input

  --format FORMAT        csv, json or ndjson; unless given, by the name or the content
  --batch N              records written at once (${DEFAULT_BATCH})
  --index-capacity N     records the ring holds, a power of two (4096)
  --heap-capacity BYTES  room for text and JSON, also as 64K or 16M (1M, more for large records)
  --no-progress          no progress bar
  -h, --help             this text
`;

/**
 * @typedef {object} Options
 * @property {string} path
 * @property {Format | undefined} format
 * @property {number} batch
 * @property {number | undefined} indexCapacity
 * @property {number | undefined} heapCapacity
 * @property {boolean} progress
 */

/** @param {string} message */
function usageError(message) {
  return new DemoError(`${message}\ntry: npm run demo -- --help`, { exitCode: USAGE });
}

/**
 * @param {string} option
 * @param {string | undefined} text
 * @returns {number | undefined}
 */
function count(option, text) {
  if (text === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d+)([KMG]?)$/i.exec(text) ?? [];
  const value = Number(digits) * (UNITS[unit.toUpperCase()] ?? 1);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw usageError(`${option} takes a whole number from 1, such as 4096 or 64K, got '${text}'`);
  }
  return value;
}

/** @param {string | undefined} text @returns {Format | undefined} */
function format(text) {
  const found = FORMATS.find((name) => name === text?.toLowerCase());
  if (text !== undefined && found === undefined) {
    throw usageError(`--format takes ${FORMATS.join(', ')}, got '${text}'`);
  }
  return found;
}

function flightsPath() {
  return fileURLToPath(new URL('../data/flights-200k.json', import.meta.resolve('vega-datasets')));
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        format: { type: 'string' },
        batch: { type: 'string' },
        'index-capacity': { type: 'string' },
        'heap-capacity': { type: 'string' },
        'no-progress': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // Only the first sentence is about what was typed.
    const [message = ''] = /** @type {Error} */ (error).message.split(/\. |\n/);
    throw usageError(message);
  }
}

/**
 * npm runs scripts in the package's directory and says in INIT_CWD where its user is.
 *
 * @param {string} file
 */
function fromUsersDirectory(file) {
  const { INIT_CWD = '' } = process.env;
  return file === STDIN || INIT_CWD === '' || path.isAbsolute(file)
    ? file
    : path.join(path.relative('', INIT_CWD), file);
}

/**
 * @param {readonly string[]} args the command line behind the script's name
 * @returns {Options | 'help'}
 */
export function parseOptions(args) {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  if (positionals.length > 1) {
    throw usageError(`one file at a time: ${positionals.length} are named; quote a name with spaces`);
  }
  if (positionals[0] === '') throw usageError('the name of the file is empty');
  return {
    path: positionals[0] === undefined ? flightsPath() : fromUsersDirectory(positionals[0]),
    format: format(values.format),
    batch: count('--batch', values.batch) ?? DEFAULT_BATCH,
    indexCapacity: count('--index-capacity', values['index-capacity']),
    heapCapacity: count('--heap-capacity', values['heap-capacity']),
    progress: values['no-progress'] !== true,
  };
}
