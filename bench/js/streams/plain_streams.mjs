import { Readable, Writable } from 'node:stream';
import { readSome, writeAll } from './drive.mjs';

/**
 * What Node's streams alone cost: a writable that calls back at once, and a readable that has the same chunks, one
 * behind the other on one thread. Nothing goes from one to the other.
 *
 * @template T
 * @param {T[]} chunks
 * @param {import('node:stream').StreamOptions<any>} options
 */
export function openPlainStreams(chunks, options) {
  const writable = new Writable({
    ...options,
    write(_chunk, _encoding, done) {
      done();
    },
  });
  return {
    /**
     * @param {number} count
     * @param {number} length of `count` chunks together
     * @param {(chunk: T) => void} visit
     */
    async transfer(count, length, visit) {
      await writeAll(writable, chunks, count);
      // Each time from the first chunk on, as it was written.
      let next = 0;
      const readable = new Readable({
        ...options,
        read() {
          this.push(chunks[next++ % chunks.length]);
        },
      });
      await readSome(readable, length, visit);
      readable.destroy();
    },
  };
}
