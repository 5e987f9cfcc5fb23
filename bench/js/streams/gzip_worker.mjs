import { gzipPiece } from './gzip_pieces.mjs';

/**
 * What the workers of a gzip stream run. On the worker's own thread: node's asynchronous zlib has threads of its own.
 *
 * @param {Buffer} bytes
 */
export default function gzip(bytes) {
  return gzipPiece(bytes);
}
