// @ts-check

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { DemoError } from '../demo_error.mjs';

const CHUNK_BYTES = 256 * 1024;
/** How the standard input is named. */
export const STDIN = '-';

/**
 * @typedef {object} Source
 * @property {string} name as messages call it
 * @property {number | undefined} size bytes; undefined for a pipe
 * @property {AsyncIterable<Buffer>} chunks
 */

/** @type {Readonly<Record<string, (name: string) => string>>} */
const MESSAGES = {
  ENOENT: (name) => `${name} does not exist`,
  ENOTDIR: (name) => `${name} does not exist: a part of its path is no directory`,
  EISDIR: (name) => `${name} is a directory: name a CSV, JSON or NDJSON file in it`,
  EACCES: (name) => `${name} may not be read: permission denied`,
  EPERM: (name) => `${name} may not be read: the operation is not permitted`,
  ELOOP: (name) => `${name} is a loop of symbolic links`,
  ENAMETOOLONG: () => 'the file name is too long',
  ENXIO: (name) => `${name} is no file that can be read`,
  EMFILE: (name) => `${name} cannot be opened: too many files are open`,
};

/**
 * What is said of a file that cannot be opened or read.
 *
 * @param {string} name
 * @param {unknown} error as `node:fs` throws them
 * @returns {unknown} a `DemoError` for an error of the file system
 */
export function describeFileError(name, error) {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error;
  const describe = MESSAGES[String(error.code)];
  return new DemoError(describe?.(name) ?? `${name} cannot be read: ${error.message}`);
}

/**
 * Opens a file, or the standard input for `-`.
 *
 * @param {string} path
 * @returns {Promise<Source>}
 */
export async function openSource(path) {
  if (path === STDIN) {
    const name = 'the standard input';
    const stream = createReadStream('', { fd: 0, autoClose: false, highWaterMark: CHUNK_BYTES });
    return { name, size: undefined, chunks: withErrors(name, stream) };
  }
  try {
    const file = await open(path);
    const stats = await file.stat();
    if (stats.isDirectory()) {
      await file.close();
      throw Object.assign(new Error('directory'), { code: 'EISDIR', syscall: 'open' });
    }
    const stream = file.createReadStream({ highWaterMark: CHUNK_BYTES });
    return { name: path, size: stats.isFile() ? stats.size : undefined, chunks: withErrors(path, stream) };
  } catch (error) {
    throw describeFileError(path, error);
  }
}

/**
 * @param {string} name
 * @param {AsyncIterable<Buffer>} chunks
 */
async function* withErrors(name, chunks) {
  try {
    yield* chunks;
  } catch (error) {
    throw describeFileError(name, error);
  }
}
