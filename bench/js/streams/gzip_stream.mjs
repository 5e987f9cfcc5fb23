import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { createWorkerStream } from '@strand/core/streams';
import { openComparison } from './compare_stretch.mjs';
import { writeAll } from './drive.mjs';
import { gzipPiece, PIECE_BYTES, textPieces } from './gzip_pieces.mjs';

const pieces = textPieces();
const packed = pieces.map(gzipPiece);
const packedBytes = packed.reduce((sum, { length }) => sum + length, 0);

/**
 * A worker stream whose workers are all at work: none of their start is on the clock. What it gives is read as it comes.
 *
 * @param {number} workers
 */
export async function openGzipStream(workers) {
  const stream = createWorkerStream(new URL('./gzip_worker.mjs', import.meta.url), { workers });
  const comparison = openComparison(packed);
  /** @type {Buffer[] | undefined} */
  let kept;
  let received = 0;
  stream.on('data', (bytes) => {
    received += bytes.length;
    comparison.compare(bytes);
    kept?.push(bytes);
  });
  // Once in rotation, so that the pieces behind them begin where the comparison does.
  await writeAll(stream, pieces, pieces.length);
  while (received < packedBytes) await pause(1);
  if (stream.stats().workers.some(({ input }) => input.consumed === 0))
    throw new Error('a worker was not used');
  return {
    /**
     * Gzips that many pieces and ends the stream.
     *
     * @param {number} count
     */
    async gzip(count) {
      const ended = once(stream, 'end');
      await writeAll(stream, pieces, count);
      stream.end();
      await ended;
      const wrong = comparison.takeWrong();
      if (wrong > 0) throw new Error(`${wrong} stretches have come back changed`);
    },
    /**
     * The same, and unpacks what has come back.
     *
     * @param {number} count
     */
    async collect(count) {
      kept = [];
      await this.gzip(count);
      const text = gunzipSync(Buffer.concat(kept)).toString('latin1');
      return Array.from({ length: text.length / PIECE_BYTES }, (_, i) => ({
        piece: text.slice(i * PIECE_BYTES, (i + 1) * PIECE_BYTES),
      }));
    },
    async close() {
      if (!stream.closed) await once(stream, 'close');
    },
  };
}
