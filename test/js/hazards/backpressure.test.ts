import { describe, expect, test } from 'vitest';
import { createStrand, StrandView, StrandWriter } from '../../../dist/index.js';
import { numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startThread, until } from '../support/threads.mjs';

const text = [{ name: 'text', type: 'utf8' }] as const;

describe('a heap too small for what is unread', () => {
  test('never lets an unread payload be overwritten, however often the producer tries', async () => {
    const strand = createStrand(numbered.fields, { indexCapacity: 64, heapCapacity: 256 });
    const view = new StrandView(strand);
    const producer = startThread(async ({ strand, data, say, hear, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      for (let next = 0; next < 400; ) {
        await hear();
        next += writer.tryWriteRecordBatch(numbered.records(next, 400 - next));
        say(next);
      }
      writer.finalize();
    }, strand);

    const cursor = view.allocateCursor();
    let seq = 0;
    for (let committed = 0; committed < 400; seq++) {
      producer.say('try');
      committed = await producer.said<number>();
      expect(view.committedCount).toBe(committed);
      expect(committed).toBeGreaterThan(seq);
      numbered.check(cursor, seq, committed);
      view.acknowledgeRead(seq + 1);
    }
    expect(seq).toBeGreaterThan(350);
    await producer.done();
  });

  test('blocks the producer until enough is released', async () => {
    const strand = createStrand(text, { indexCapacity: 64, heapCapacity: 100 });
    const view = new StrandView(strand);
    const producer = startThread(({ strand, data }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      for (const length of [30, 30, 30, 95]) writer.write({ text: 'x'.repeat(length) });
      writer.finalize();
    }, strand);
    for (let released = 0; released < 3; released++) {
      await until(() => view.stats().producerStalls === 1);
      expect(view.committedCount).toBe(3);
      view.acknowledgeRead(released + 1);
    }
    expect(await view.waitForCommit(3)).toBe(4);
    await producer.done();
  });

  test('lets payloads of 30 and 65 bytes pass in a heap of 100 from any position', async () => {
    const strand = createStrand(text, { indexCapacity: 8, heapCapacity: 100 });
    const view = new StrandView(strand);
    const producer = startThread(
      async ({ strand, data, hear }) => {
        const writer = new strand.StrandWriter(data.strand);
        writer.begin();
        for (let start = 0; start < 100; start++) {
          for (const lengths of [
            [30, 65],
            [65, 30],
            [65, 65],
            [100, 1],
          ]) {
            // Nothing is unread: the heap restarts. The first payload then takes the position to `start`.
            await hear();
            writer.writeRecordBatch([start, ...lengths].map((length) => ({ text: 'x'.repeat(length) })));
          }
        }
        writer.finalize();
      },
      { strand },
    );

    const cursor = view.allocateCursor();
    let seq = 0;
    for (let start = 0; start < 100; start++) {
      for (const lengths of [
        [30, 65],
        [65, 30],
        [65, 65],
        [100, 1],
      ]) {
        producer.say('next');
        for (const length of [start, ...lengths]) {
          await view.waitForCommit(seq);
          cursor.seek(seq);
          expect(cursor.getString('text')).toBe('x'.repeat(length));
          seq++;
          view.acknowledgeRead(seq);
        }
      }
    }
    await producer.done();
  });

  test('lets single payloads of 30 and 65 bytes pass in a heap of 100 whatever lies in it', async () => {
    const random = seeded(seed);
    const lengths = Array.from({ length: 3000 }, () => random.pick([30, 65, 30, 65, 1, 99, 100, 0]));
    const strand = createStrand(text, { indexCapacity: 8, heapCapacity: 100 });
    const view = new StrandView(strand);
    const producer = startThread(
      ({ strand, data }) => {
        const writer = new strand.StrandWriter(data.strand);
        for (const length of data.lengths) writer.write({ text: 'y'.repeat(length) });
        writer.finalize();
      },
      { strand, lengths },
    );

    const cursor = view.allocateCursor();
    let seq = 0;
    let committed = 0;
    // The end shows with the final count, which may be further than this consumer has read.
    while (view.status !== 'eos' || seq < committed) {
      committed = await view.waitForCommit(seq);
      const upTo = Math.min(committed, seq + random.between(1, 3));
      for (; seq < upTo; seq++) {
        cursor.seek(seq);
        expect(cursor.getString('text')).toBe('y'.repeat(lengths[seq] as number));
      }
      view.acknowledgeRead(seq);
    }
    expect(seq).toBe(lengths.length);
    await producer.done();
  });
});

describe('a batch larger than the strand', () => {
  test.each([
    ['the ring', { indexCapacity: 16, heapCapacity: 1 << 20 }],
    ['the heap', { indexCapacity: 4096, heapCapacity: 300 }],
    ['both', { indexCapacity: 8, heapCapacity: 150 }],
    ['a ring of one record', { indexCapacity: 1, heapCapacity: 100 }],
  ])('passes from worker to main where it is larger than %s', async (_, capacities) => {
    const strand = createStrand(numbered.fields, capacities);
    const producer = startThread(({ strand, data, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      for (const from of [0, 1000, 2000]) writer.writeRecordBatch(numbered.records(from, 1000));
      writer.finalize();
    }, strand);
    expect(await numbered.drain(new StrandView(strand))).toBe(3000);
    await producer.done();
  });

  test('passes from main to worker while the main thread is blocked in writeRecordBatch', async () => {
    const strand = createStrand(numbered.fields, { indexCapacity: 32, heapCapacity: 512 });
    const consumer = startThread(({ strand, data, say, numbered }) => {
      const view = new strand.StrandView(data);
      say('ready');
      say(numbered.drainSync(view));
    }, strand);
    await consumer.said();
    const writer = new StrandWriter(strand);
    writer.begin();
    writer.writeRecordBatch(numbered.records(0, 5000));
    writer.finalize();
    expect(await consumer.said()).toBe(5000);
    expect(writer.stats().stalls).toBeGreaterThan(0);
  });

  test('of random lengths passes through strands of random size', async () => {
    const random = seeded(seed);
    for (let round = 0; round < 12; round++) {
      const strand = createStrand(numbered.fields, {
        indexCapacity: 2 ** random.below(8),
        heapCapacity: random.between(70, 1500),
      });
      const lengths = Array.from({ length: 30 }, () => random.below(200));
      const producer = startThread(
        ({ strand, data, numbered }) => {
          const writer = new strand.StrandWriter(data.strand);
          let next = 0;
          for (const length of data.lengths) {
            writer.writeRecordBatch(numbered.records(next, length));
            next += length;
          }
          writer.finalize();
        },
        { strand, lengths },
      );
      const total = lengths.reduce((sum, length) => sum + length, 0);
      expect(await numbered.drain(new StrandView(strand)), `seed ${seed}, round ${round}`).toBe(total);
      await producer.done();
    }
  });
});

describe('a producer in another thread', () => {
  test('is told field and index of a record that can never fit, and nothing of its batch shows', async () => {
    const strand = createStrand(text, { indexCapacity: 8, heapCapacity: 100 });
    const view = new StrandView(strand);
    const producer = startThread(({ strand, data, say }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      writer.write({ text: 'first' });
      try {
        writer.writeRecordBatch([{ text: 'a' }, { text: 'b' }, { text: 'c'.repeat(101) }]);
      } catch (error) {
        const { name, field, record } = error as InstanceType<typeof strand.StrandCapacityError>;
        say({ name, field, record });
      }
      writer.write({ text: 'second' });
      writer.finalize();
    }, strand);
    expect(await producer.said()).toEqual({ name: 'StrandCapacityError', field: 'text', record: 2 });
    await producer.done();
    expect(await view.waitForCommit(1)).toBe(2);
    const cursor = view.allocateCursor();
    const texts = [0, 1].map((seq) => cursor.seek(seq) && cursor.getString('text'));
    expect(texts).toEqual(['first', 'second']);
  });

  test('shows nothing of a batch with a value out of range, now or later', async () => {
    const strand = createStrand([{ name: 'small', type: 'u8' }], { indexCapacity: 8 });
    const view = new StrandView(strand);
    const producer = startThread(({ strand, data, say }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      for (let round = 0; round < 100; round++) {
        try {
          writer.writeRecordBatch([{ small: 1 }, { small: 2 }, { small: round % 2 ? 256 : 1.5 }]);
        } catch (error) {
          say([
            (error as Error).name,
            (error as { field?: string }).field,
            (error as { record?: number }).record,
          ]);
        }
        writer.write({ small: 7 });
      }
      writer.finalize();
    }, strand);
    const cursor = view.allocateCursor();
    let seq = 0;
    while (view.status !== 'eos') {
      const committed = await view.waitForCommit(seq);
      for (; seq < committed; seq++) {
        cursor.seek(seq);
        expect(cursor.getU8('small')).toBe(7);
      }
      view.acknowledgeRead(seq);
    }
    expect(seq).toBe(100);
    for (let round = 0; round < 100; round++) {
      expect(await producer.said()).toEqual(['RangeError', 'small', 2]);
    }
  });
});
