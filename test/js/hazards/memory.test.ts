import { describe, expect, test } from 'vitest';
import { SANITIZED } from '../support/sanitized.js';
import { startChild } from '../support/threads.mjs';

const MEBIBYTE = 2 ** 20;

describe('a million records with 100 MB of payload', () => {
  test('pass through a strand of 1 MiB, and the process keeps its size', async () => {
    const child = startChild(async ({ strand, say, startThread }) => {
      const RECORDS = 1_000_000;
      const ring = strand.createStrand(
        [
          { name: 'n', type: 'u32' },
          { name: 'text', type: 'utf8' },
        ],
        { indexCapacity: 8192, heapCapacity: 900_000 },
      );
      const producer = startThread(
        ({ strand, data }) => {
          const writer = new strand.StrandWriter(data.ring);
          writer.begin();
          for (let n = 0; n < data.records; n += 1000) {
            const batch = Array.from({ length: 1000 }, (_, i) => ({
              n: n + i,
              text: String(n + i).padStart(100, '-'),
            }));
            writer.writeRecordBatch(batch);
          }
          writer.finalize();
        },
        { ring, records: RECORDS },
      );
      const view = new strand.StrandView(ring);
      const cursor = view.allocateCursor();
      const sizes: number[] = [];
      let characters = 0;
      for (let seq = 0; view.status !== 'eos'; view.acknowledgeRead(seq)) {
        const committed = await view.waitForCommit(seq);
        for (; seq < committed; seq++) {
          cursor.seek(seq);
          if (cursor.getU32('n') !== seq)
            throw new Error(`record ${seq} has the number ${cursor.getU32('n')}`);
          characters += cursor.getString('text')?.length ?? 0;
          if (seq % 50_000 === 0) sizes.push(process.memoryUsage().rss);
        }
      }
      await producer.done();
      say({ bytes: ring.sab.byteLength, characters, sizes });
    }, null);
    const { bytes, characters, sizes } = await child.said<{
      bytes: number;
      characters: number;
      sizes: number[];
    }>();
    await child.done();
    expect(bytes).toBeLessThan(1.05 * MEBIBYTE);
    expect(characters).toBe(100_000_000);
    // By then both threads' JavaScript heaps have found their size.
    const settled = sizes.slice(6);
    const growth = (Math.max(...settled) - (settled[0] as number)) / MEBIBYTE;
    console.info(`over the last 700,000 records the process grew by ${growth.toFixed(1)} MiB`);
    if (!SANITIZED) expect(growth).toBeLessThan(48);
  });
});
