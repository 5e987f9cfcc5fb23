// @ts-check

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const BLOCK_BYTES = 1 << 20;

/** Lines of a made-up log, none like the other, of a given length together. @param {number} megabytes */
function* blocks(megabytes) {
  let line = 0;
  let rest = '';
  for (let i = 0; i < megabytes; i++) {
    let text = rest;
    while (text.length < BLOCK_BYTES) {
      const user = (line * 7919) % 100_003;
      text += `${line++} GET /items/${user} ${user % 17 === 0 ? 404 : 200} ${(user * line) % 4093} ms\n`;
    }
    rest = text.slice(BLOCK_BYTES);
    yield Buffer.from(text.slice(0, BLOCK_BYTES));
  }
}

/**
 * Writes a packed file.
 *
 * @param {string} file
 * @param {number} megabytes unpacked
 * @returns {Promise<string>} the hash of what is packed
 */
export async function makeInput(file, megabytes) {
  const hash = createHash('sha3-512');
  function* hashed() {
    for (const block of blocks(megabytes)) {
      hash.update(block);
      yield block;
    }
  }
  await pipeline(Readable.from(hashed()), createGzip({ level: 1 }), createWriteStream(file));
  return hash.digest('hex');
}
