import { Writable } from 'node:stream';
import { parentPort } from 'node:worker_threads';
import { DISTINCT_CHUNKS, makeChunks } from './chunks.mjs';

/**
 * The worker's side of a thread-stream: compares all text with what is sent, and answers a request of
 * `{ count }` once that many chunks have been read.
 *
 * @param {{ chunkBytes: number }} options
 */
export default function openDestination({ chunkBytes }) {
  const rotation = makeChunks(chunkBytes).join('');
  let request;
  let read = 0;
  let wrong = 0;
  let kept = [];

  function compare(text) {
    for (let at = 0; at < text.length; ) {
      const offset = (read + at) % rotation.length;
      const length = Math.min(text.length - at, rotation.length - offset);
      if (text.slice(at, at + length) !== rotation.slice(offset, offset + length)) wrong++;
      at += length;
    }
  }

  function answer() {
    if (request === undefined || read < request.count * chunkBytes) return;
    const text = kept.join('');
    const collected = Array.from({ length: text.length / chunkBytes }, (_, i) => ({
      chunk: text.slice(i * chunkBytes, (i + 1) * chunkBytes),
    }));
    parentPort.postMessage({ code: 'EVENT', name: 'read', args: [{ wrong, collected }] });
    request = undefined;
    read = 0;
    wrong = 0;
    kept = [];
  }

  parentPort.on('message', (message) => {
    if (message?.count === undefined) return;
    if (message.count % DISTINCT_CHUNKS !== 0) throw new Error('whole rotations only');
    request = message;
    answer();
  });

  return new Writable({
    decodeStrings: false,
    highWaterMark: 16 * 1024 * 1024,
    write(text, _encoding, done) {
      compare(text);
      // The request may come behind the first bytes; only a short check is ever collected.
      if (request === undefined || request.collect) kept.push(text);
      read += text.length;
      answer();
      done();
    },
  });
}
