import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { createWorkerStream } from '@strand/core/streams';
import { writeAll } from './drive.mjs';
import { PIECE_BYTES, textPieces } from './gzip_pieces.mjs';

const pieces = textPieces();

/**
 * A worker stream whose workers are all at work: none of their start is on the clock. What it gives is read as it comes.
 *
 * @param {number} workers
 */
export async function openGzipStream(workers) {
  const stream = createWorkerStream(new URL('./gzip_worker.mjs', import.meta.url), { workers });
  /** @type {Buffer[]} */
  const output = [];
  stream.on('data', (bytes) => output.push(bytes));
  const warmUp = 8 * workers;
  await writeAll(stream, pieces, warmUp);
  for (;;) {
    const { input, workers: each } = stream.stats();
    if (input.queueDepth === 0 && each.every(({ input: { consumed } }) => consumed > 0)) break;
    await pause(1);
  }
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
    },
    /**
     * The same, and unpacks what has come back.
     *
     * @param {number} count
     */
    async collect(count) {
      await this.gzip(count);
      const text = gunzipSync(Buffer.concat(output))
        .toString('latin1')
        .slice(warmUp * PIECE_BYTES);
      return Array.from({ length: text.length / PIECE_BYTES }, (_, i) => ({
        piece: text.slice(i * PIECE_BYTES, (i + 1) * PIECE_BYTES),
      }));
    },
    async close() {
      if (!stream.closed) await once(stream, 'close');
    },
  };
}
