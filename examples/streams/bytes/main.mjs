// @ts-check

/** @import { Unpacked } from './unpack.mjs' */

// A file is unpacked and hashed in a worker, and its bytes go on to another file:
//
//   main thread:  fs.createReadStream ─┐                    ┌─> fs.createWriteStream
//                                      ring              ring
//   worker:                            └─> gunzip ─> hash ─┘
//
// The hash comes as a message. The main thread only moves chunks. Whether that is worth a worker is for you to see:
// --one-thread puts the same generator function between the files.
//
// node examples/streams/bytes/main.mjs [options] [FILE.gz [OUTPUT]]

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { createWorkerStream } from '@strand/core/streams';
import { ExampleError, report } from '../example_error.mjs';
import { parseCommand, wholeNumber } from '../parse_command.mjs';
import { makeInput } from './make_input.mjs';
import { unpack } from './unpack.mjs';

const HELP = `Unpacks a gzip file in a worker, which also hashes what comes out.

usage: node examples/streams/bytes/main.mjs [options] [FILE.gz [OUTPUT]]

  FILE.gz        unless given, a file of log lines is made and removed again
  OUTPUT         unless given, the name without .gz (of a file that was made: nothing is kept)
  --megabytes N  size of what is made, unpacked (64)
  --one-thread   without a worker, to compare
  -h, --help     this text
`;

/** Chunks of the files, and what each side of the worker stream holds. */
const CHUNK_BYTES = 256 * 1024;

/**
 * What stands between the files, and what it tells at its end.
 *
 * @param {boolean} oneThread
 * @param {(unpacked: Unpacked) => void} done
 */
function unpacker(oneThread, done) {
  if (oneThread) return (/** @type {AsyncIterable<Buffer>} */ source) => unpack(source, done);
  const stream = createWorkerStream(new URL('./worker.mjs', import.meta.url), { highWaterMark: CHUNK_BYTES });
  stream.workers[0]?.once('message', done);
  return stream;
}

/**
 * @param {string} input
 * @param {string} output
 * @param {boolean} oneThread
 * @returns {Promise<Unpacked>}
 */
async function unpackFile(input, output, oneThread) {
  /** @type {Unpacked | undefined} */
  let result;
  // Under another name, so that what has the output's name is whole.
  const part = `${output}.part`;
  try {
    await pipeline(
      createReadStream(input, { highWaterMark: CHUNK_BYTES }),
      unpacker(oneThread, (unpacked) => {
        result = unpacked;
      }),
      createWriteStream(part, { highWaterMark: CHUNK_BYTES }),
    );
    await rename(part, output);
  } catch (error) {
    await rm(part, { force: true });
    throw readable(/** @type {NodeJS.ErrnoException} */ (error), input);
  }
  if (result === undefined) throw new Error('the unpacking ended without a result');
  return result;
}

/**
 * Errors of the worker come out of the pipeline as those of the files do.
 *
 * @param {NodeJS.ErrnoException} error
 * @param {string} input
 */
function readable(error, input) {
  const { code = '', message } = error;
  // Of files, which the message names.
  if (error.syscall !== undefined) return new ExampleError(message, { cause: error });
  if (code.startsWith('Z_')) {
    return new ExampleError(`${input} is no gzip file, or is damaged: ${message}`, { cause: error });
  }
  return error;
}

/** @param {string | undefined} input @param {string | undefined} output */
function outputOf(input, output) {
  if (input === undefined || output !== undefined) return output;
  if (input.endsWith('.gz')) return input.slice(0, -'.gz'.length);
  throw new ExampleError(`${input} does not end in .gz: name the output too`);
}

/** @param {number} bytes */
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

async function main() {
  const { values, positionals } = parseCommand(
    {
      megabytes: { type: 'string', default: '64' },
      'one-thread': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    2,
  );
  if (values.help) return HELP;
  const megabytes = wholeNumber('--megabytes', values.megabytes);
  const [input, named] = positionals;
  const output = outputOf(input, named);
  const folder = await mkdtemp(path.join(tmpdir(), 'strand-bytes-'));
  try {
    const made = path.join(folder, 'log.gz');
    const expected = input === undefined ? await makeInput(made, megabytes) : undefined;
    const from = input ?? made;
    const to = output ?? path.join(folder, 'log');

    const start = performance.now();
    const before = performance.eventLoopUtilization();
    const { bytes, digest } = await unpackFile(from, to, values['one-thread']);
    const { utilization } = performance.eventLoopUtilization(before);
    const seconds = (performance.now() - start) / 1000;
    if (expected !== undefined && digest !== expected) throw new Error('what came out is not what went in');

    const lines = [
      `packed       ${mebibytes((await stat(from)).size)}${input === undefined ? ', made for this run' : ''}`,
      `unpacked     ${mebibytes(bytes)}${output === undefined ? '' : ` in ${output}`}`,
      `sha3-512     ${digest}${expected === undefined ? '' : ', as of what went in'}`,
      `time         ${seconds.toFixed(2)} s`,
      `main thread  busy for ${(100 * utilization).toFixed(0)} % of it`,
    ];
    return `${lines.join('\n')}\n`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

await report(main);
