/** What a program does with the ends of a stream: writes until it is told to wait, reads by a listener. */

/**
 * @param {import('node:stream').Writable} stream
 * @param {unknown[]} chunks
 * @param {number} count in rotation
 * @returns {Promise<void>} settles when all are written, which does not say that they have gone
 */
export function writeAll(stream, chunks, count) {
  let next = 0;
  return new Promise((resolve) => {
    (function write() {
      while (next < count) {
        if (!stream.write(chunks[next++ % chunks.length])) {
          stream.once('drain', write);
          return;
        }
      }
      resolve();
    })();
  });
}

/**
 * @template T
 * @param {import('node:stream').Readable} stream
 * @param {number} length bytes or records
 * @param {(chunk: T & { length: number }) => void} visit
 * @returns {Promise<void>} settles when so much was read; the stream is paused then
 */
export function readSome(stream, length, visit) {
  let left = length;
  return new Promise((resolve) => {
    stream.on('data', function onData(chunk) {
      visit(chunk);
      left -= chunk.length;
      if (left > 0) return;
      stream.off('data', onData);
      stream.pause();
      resolve();
    });
    stream.resume();
  });
}
