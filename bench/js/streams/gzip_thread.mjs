/** Waits for `{ from, step, count, collect }`, gzips every `step`th piece of as many, and waits again, until `{ close }`. */

import { parentPort } from 'node:worker_threads';
import { gzipPiece, textPieces } from './gzip_pieces.mjs';

const pieces = textPieces();

parentPort.on('message', ({ close, from, step, count, collect }) => {
  if (close) {
    parentPort.close();
    return;
  }
  const kept = [];
  for (let i = from; i < count; i += step) {
    const packed = gzipPiece(pieces[i % pieces.length]);
    if (collect) kept.push(packed);
  }
  parentPort.postMessage(kept);
});
