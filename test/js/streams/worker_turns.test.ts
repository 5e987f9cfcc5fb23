import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { createWorkerStream } from '../../../dist/streams.js';
import { inlineFile, NUMBER, numbers } from './support.js';

const HEAR = `
  import { parentPort } from 'node:worker_threads';
  let stop = false;
  parentPort.once('message', () => { stop = true; });
  const work = () => { const end = performance.now() + 1; while (performance.now() < end); };
`;

// The input never runs dry, so that a worker that looks only when it does would never hear of it.
test.each([
  [
    'a function from batch to batch',
    1,
    'export default (batch) => { work(); return stop ? { n: 1 } : null; };',
  ],
  ['one of several in order', 2, 'export default (batch) => { work(); return stop ? { n: 1 } : null; };'],
  [
    'a generator function',
    1,
    'export default async function* (source) { for await (const batch of source.batches()) { work(); if (stop) yield { n: 1 }; } }',
  ],
])('%s hears its messages while there is always more to do', async (_, workers, text) => {
  const stream = createWorkerStream(inlineFile(HEAR + text), {
    schemaIn: NUMBER,
    schemaOut: NUMBER,
    batch: true,
    maxRecords: 8,
    indexCapacity: 64,
    workers,
  });
  const source = Readable.from(
    (function* () {
      for (;;) yield numbers(0, 16);
    })(),
  );
  source.pipe(stream);
  for (const worker of stream.workers) worker.postMessage('stop');
  for await (const batch of stream) {
    expect(batch[0]).toEqual({ n: 1 });
    break;
  }
  source.destroy();
});
