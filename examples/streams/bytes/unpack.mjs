// @ts-check

import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What comes out of gunzip together, rather than 16 KiB. */
const CHUNK_BYTES = 256 * 1024;

/**
 * What all of the unpacked bytes were.
 *
 * @typedef {{ readonly bytes: number, readonly digest: string }} Unpacked
 */

/**
 * Unpacks what it reads, and passes it on.
 *
 * @param {AsyncIterable<Buffer>} source
 * @param {(unpacked: Unpacked) => void} done
 */
export async function* unpack(source, done) {
  const hash = createHash('sha3-512');
  let bytes = 0;
  // An error of the source or of gunzip is thrown by the loop.
  for await (const chunk of pipeline(source, createGunzip({ chunkSize: CHUNK_BYTES }), () => {})) {
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  done({ bytes, digest: hash.digest('hex') });
}
