import { expect, test } from 'vitest';
import { SANITIZED } from '../support/sanitized.js';
import { startChild } from '../support/threads.mjs';
import { inlineFile } from './support.js';

const MEBIBYTE = 2 ** 20;

test('100 MB pass through a worker stream of default rings, and the process keeps its size', async () => {
  const child = startChild(
    async ({ data, load, say }) => {
      const { createWorkerStream } = (await load(
        data.streams,
      )) as unknown as typeof import('../../../dist/streams.js');
      const CHUNKS = 100;
      const stream = createWorkerStream(data.file);
      const sizes: number[] = [];
      let bytes = 0;
      let sum = 0;
      const reading = (async () => {
        for await (const chunk of stream) {
          bytes += chunk.length;
          sum = (sum + (chunk[0] as number)) % 256;
        }
      })();
      for (let n = 0; n < CHUNKS; n++) {
        const isEnough = !stream.write(Buffer.alloc(1e6, n));
        if (isEnough) await new Promise<void>((resolve) => stream.once('drain', resolve));
        sizes.push(process.memoryUsage().rss);
      }
      stream.end();
      await reading;
      say({ bytes, sizes, stats: stream.stats() });
    },
    {
      streams: new URL('../../../dist/streams.js', import.meta.url).href,
      file: inlineFile('export default (bytes) => bytes'),
    },
  );
  const { bytes, sizes, stats } = await child.said<{
    bytes: number;
    sizes: number[];
    stats: { input: { queueDepth: number } };
  }>();
  await child.done();
  expect(bytes).toBe(1e8);
  expect(stats.input.queueDepth).toBe(0);
  // By then both threads' heaps have found their size.
  const settled = sizes.slice(30);
  const growth = (Math.max(...settled) - (settled[0] as number)) / MEBIBYTE;
  console.info(`over the last 70 MB the process grew by ${growth.toFixed(1)} MiB`);
  if (!SANITIZED) expect(growth).toBeLessThan(48);
});
