import { describe, expect, test } from 'vitest';
import {
  CTRL_BASE,
  CTRL_COMMIT_SEQ,
  CTRL_GATE,
  CTRL_HEAP_COMMIT,
  CTRL_HEAP_WRITE,
  CTRL_READ_CURSOR,
  CTRL_WRITE_SEQ,
  createStrand,
  StrandCapacityError,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { numbered } from '../support/numbered.mjs';
import { startThread } from '../support/threads.mjs';

const CAPACITY = 64;

/** A strand that has come as far as that, empty. */
function strandAt(position: number, heapPosition: number, base = 0) {
  const strand = createStrand(numbered.fields, { indexCapacity: CAPACITY, heapCapacity: 1000 });
  const words = new BigUint64Array(strand.sab, 0, 128);
  const store = (index: number, value: number): void => {
    words[index / 2] = BigInt(value);
  };
  store(CTRL_BASE, base);
  for (const index of [CTRL_WRITE_SEQ, CTRL_COMMIT_SEQ, CTRL_READ_CURSOR, CTRL_GATE]) store(index, position);
  for (const index of [CTRL_HEAP_WRITE, CTRL_HEAP_COMMIT]) store(index, heapPosition);
  return strand;
}

describe('positions', () => {
  test.each([
    ['2^31 records', 2 ** 31 - 100, 0],
    ['2^32 records', 2 ** 32 - 100, 0],
    ['2^40 records', 2 ** 40 - 100, 0],
    ['2^31 bytes of heap', 0, 2 ** 31 - 1000],
    ['2^32 bytes of heap', 0, 2 ** 32 - 1000],
    ['2^40 bytes of heap', 0, 2 ** 40 - 1000],
    ['all of them', 2 ** 32 - 100, 2 ** 32 - 1000],
  ])('pass %s in a stream between two threads', async (_, position, heapPosition) => {
    const strand = strandAt(position, heapPosition);
    const producer = startThread(
      ({ strand, data, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        writer.begin();
        for (let n = 0; n < 1000; n += 20) writer.writeRecordBatch(numbered.records(data.position + n, 20));
        writer.finalize();
      },
      { strand, position },
    );
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    expect(await numbered.drain(view, { from: position, token })).toBe(position + 1000);
    expect(view.windowStart).toBe(position + 1000 - CAPACITY);
    await producer.done();
  });

  test.each([2 ** 31, 2 ** 32, 2 ** 40])('pass %i behind a base, as after many resets', async (limit) => {
    const base = limit - 2 * CAPACITY;
    const strand = strandAt(base, limit - 1000, base);
    const producer = startThread(({ strand, data, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.writeRecordBatch(numbered.records(0, 500));
      writer.finalize();
    }, strand);
    const view = new StrandView(strand);
    expect(await numbered.drain(view)).toBe(500);
    await producer.done();
    const writer = new StrandWriter(strand);
    writer.reset();
    writer.writeRecordBatch(numbered.records(0, 10));
    writer.finalize();
    expect(await numbered.drain(view)).toBe(10);
  });

  test('end at 2^53 with a clean refusal; what was written before stays', async () => {
    const start = 2 ** 53 - CAPACITY - 10;
    const strand = strandAt(start, 0);
    const producer = startThread(
      ({ strand, data, say, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        writer.begin();
        let written = 0;
        try {
          for (; ; written++) writer.write(numbered.record(data.start + written));
        } catch (error) {
          say({ written, name: (error as Error).name, message: (error as Error).message });
        }
        writer.finalize();
      },
      { strand, start },
    );
    const view = new StrandView(strand);
    expect(await numbered.drain(view, { from: start })).toBe(2 ** 53);
    const { written, name, message } = await producer.said<{
      written: number;
      name: string;
      message: string;
    }>();
    expect(written).toBe(CAPACITY + 10);
    expect(name).toBe('StrandCapacityError');
    expect(message).toMatch(/2\^53.*create a new strand/);
    await producer.done();
    expect(() => new StrandWriter(strand).reset()).toThrow(StrandCapacityError);
  });
});
