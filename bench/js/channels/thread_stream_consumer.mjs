import { Writable } from 'node:stream';
import { parentPort } from 'node:worker_threads';
import { sumFive, workloads } from '../records.mjs';

/**
 * The worker's side of a thread-stream of NDJSON: parses every line and adds every field up, and answers a
 * request of `{ records }` once that many have been read.
 *
 * @param {{ workloadName: string, workloadOptions?: object }} options
 */
export default function openDestination({ workloadName, workloadOptions }) {
  const { internTable } = workloads[workloadName](workloadOptions);
  let request;
  let rest = '';
  let read = 0;
  let total = 0;
  let collected = [];

  function take(line) {
    const { id, score, category, label, meta = null } = JSON.parse(line);
    total += sumFive(id, score, internTable[category], label, meta);
    read++;
    // The request may come behind the first records; only a short check is ever collected.
    if (request === undefined || request.collect) {
      collected.push({ id, score, category: internTable[category], label, meta });
    }
  }

  function answer() {
    if (request === undefined || read < request.records) return;
    parentPort.postMessage({ code: 'EVENT', name: 'read', args: [{ total, collected }] });
    request = undefined;
    read = 0;
    total = 0;
    collected = [];
  }

  parentPort.on('message', (message) => {
    if (message?.records === undefined) return;
    request = message;
    answer();
  });

  return new Writable({
    decodeStrings: false,
    highWaterMark: 16 * 1024 * 1024,
    write(text, _encoding, done) {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) take(line);
      answer();
      done();
    },
  });
}
