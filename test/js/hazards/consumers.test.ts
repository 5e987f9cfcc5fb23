import { describe, expect, test } from 'vitest';
import { createStrand, StrandView, StrandWriter } from '../../../dist/index.js';
import { LONG } from '../support/long.js';
import { numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startThread } from '../support/threads.mjs';

const RECORDS = LONG ? 2_000_000 : 60_000;

describe('consumers that come and go at random while a producer runs', () => {
  test.each([
    [64, 2048],
    [8, 300],
    [1024, 65_536],
  ])('never read an overwritten record (ring of %i, heap of %i)', async (indexCapacity, heapCapacity) => {
    const random = seeded(seed);
    const strand = createStrand(numbered.fields, { indexCapacity, heapCapacity });
    const producer = startThread(
      async ({ strand, data, hear, numbered, seeded }) => {
        const random = seeded(data.seed);
        const writer = new strand.StrandWriter(data.strand);
        await hear();
        for (let next = 0; next < data.records; ) {
          const count = Math.min(random.between(1, random.pick([1, 7, 100])), data.records - next);
          if (count === 1) writer.write(numbered.record(next));
          else writer.writeRecordBatch(numbered.records(next, count));
          next += count;
        }
        writer.finalize();
      },
      { strand, seed: random.next(), records: RECORDS },
    );

    const consumers = Array.from({ length: 3 }, () =>
      startThread(
        async ({ strand, data, say, numbered, seeded }) => {
          const random = seeded(data.seed);
          let read = 0;
          let comings = 0;
          say('here');
          for (let over = false; !over; comings++) {
            const view = new strand.StrandView(data.strand);
            const cursor = view.allocateCursor();
            const token = view.registerConsumer({ from: random.pick(['oldest', 'latest'] as const) });
            // The oldest or the latest record is not told: the first position that can be acknowledged is.
            let seq = view.effectiveReadCursor;
            for (;;) {
              try {
                view.acknowledgeRead(seq, token);
                break;
              } catch (error) {
                if (!(error instanceof RangeError)) throw error;
                seq++;
              }
            }
            for (let steps = random.between(1, 200); steps > 0 && !over; steps--) {
              const committed = random.below(4) ? view.waitForCommitSync(seq) : await view.waitForCommit(seq);
              const upTo = Math.min(committed, seq + random.between(1, 50));
              numbered.check(cursor, seq, upTo);
              read += upTo - seq;
              seq = upTo;
              over = view.status === 'eos' && seq === committed;
              view.acknowledgeRead(seq, token);
            }
            if (random.below(2) === 0) view.releaseConsumer(token);
            view.close();
          }
          say({ read, comings });
        },
        { strand, seed: random.next() },
      ),
    );

    for (const consumer of consumers) await consumer.said();
    producer.say('go');
    for (const consumer of consumers) {
      const { read, comings } = await consumer.said<{ read: number; comings: number }>();
      expect(read, `seed ${seed}`).toBeGreaterThan(0);
      expect(comings).toBeGreaterThan(0);
    }
    await Promise.all([producer, ...consumers].map((thread) => thread.done()));
    expect(new StrandView(strand).committedCount).toBe(RECORDS);
  });

  test('a reader behind all of them is given a record whole or told that it is gone', async () => {
    const random = seeded(seed);
    const strand = createStrand(numbered.fields, { indexCapacity: 64, heapCapacity: 2048 });
    // Somebody is registered all the time, so the reader's view holds nothing.
    const consumer = startThread(({ strand, data, say, numbered }) => {
      const view = new strand.StrandView(data);
      const token = view.registerConsumer();
      say('registered');
      say(numbered.drainSync(view, { token }));
    }, strand);
    await consumer.said();
    const producer = startThread(
      ({ strand, data, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        for (let next = 0; next < data.records; next += 10)
          writer.writeRecordBatch(numbered.records(next, 10));
        writer.finalize();
      },
      { strand, records: RECORDS },
    );

    const view = new StrandView(strand);
    const cursor = view.allocateCursor();
    const tally = { whole: 0, gone: 0 };
    while (view.producerStatus !== 'eos') {
      const { windowStart, committedCount } = view;
      for (let i = 0; i < 50 && committedCount > windowStart; i++) {
        const seq = random.pick([windowStart, random.between(windowStart, committedCount - 1)]);
        try {
          expect(cursor.seek(seq)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          tally.gone++;
          continue;
        }
        expect(numbered.fault(cursor, seq), `seed ${seed}`).toBe('');
        tally.whole++;
      }
      await new Promise(setImmediate);
    }
    expect(await consumer.said()).toBe(RECORDS);
    await Promise.all([producer.done(), consumer.done()]);
    expect(tally.whole).toBeGreaterThan(0);
  });

  test('a reader without a token is never shown an overwritten record, whoever registers meanwhile', async () => {
    const random = seeded(seed);
    const strand = createStrand(numbered.fields, { indexCapacity: 32, heapCapacity: 1024 });
    const over = new Int32Array(new SharedArrayBuffer(4));
    const consumers = [0, 1].map(() =>
      startThread(
        ({ strand, data, say, numbered, seeded }) => {
          const random = seeded(data.seed);
          const view = new strand.StrandView(data.strand);
          const cursor = view.allocateCursor();
          say('here');
          while (Atomics.load(data.over, 0) === 0) {
            const token = view.registerConsumer();
            for (let seq = view.effectiveReadCursor, steps = random.below(20); steps > 0; steps--) {
              const committed = view.waitForCommitSync(seq, 1);
              numbered.check(cursor, seq, committed);
              view.acknowledgeRead(committed, token);
              seq = committed;
            }
            view.releaseConsumer(token);
            for (let pause = random.below(2000); pause > 0; pause--);
          }
        },
        { strand, over, seed: random.next() },
      ),
    );
    for (const consumer of consumers) await consumer.said();
    const producer = startThread(
      ({ strand, data, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        for (let next = 0; Atomics.load(data.over, 0) === 0; ) {
          next += writer.tryWriteRecordBatch(numbered.records(next, 5));
        }
        writer.finalize();
      },
      { strand, over },
    );

    const view = new StrandView(strand);
    const cursor = view.allocateCursor();
    const tally = { whole: 0, gone: 0 };
    while (tally.whole + tally.gone < RECORDS) {
      await view.waitForCommit(0);
      for (let seq = view.windowStart, end = view.committedCount; seq < end; seq++) {
        try {
          cursor.seek(seq);
          const fault = numbered.fault(cursor, seq);
          // What was read counts if the record is still there behind it.
          cursor.seek(seq);
          expect(fault, `seed ${seed}`).toBe('');
          tally.whole++;
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          tally.gone++;
        }
      }
    }
    expect(tally.whole).toBeGreaterThan(0);
    Atomics.store(over, 0, 1);
    await Promise.all([producer, ...consumers].map((thread) => thread.done()));
  });

  test('findFirst beside them ends, with a record that was there', async () => {
    const strand = createStrand([{ name: 'n', type: 'u32', sorted: 'asc' }], { indexCapacity: 1 << 18 });
    const consumer = startThread(({ strand, data, say }) => {
      const view = new strand.StrandView(data);
      const token = view.registerConsumer();
      say('registered');
      for (let seq = 0; view.status !== 'eos'; view.acknowledgeRead(seq, token))
        seq = view.waitForCommitSync(seq);
    }, strand);
    await consumer.said();
    const over = new Int32Array(new SharedArrayBuffer(4));
    const producer = startThread(
      ({ strand, data }) => {
        const writer = new strand.StrandWriter(data.strand);
        for (let n = 0; Atomics.load(data.over, 0) === 0; n++) writer.write({ n });
        writer.finalize();
      },
      { strand, over },
    );
    const view = new StrandView(strand);
    await view.waitForCommit(1e6);
    for (let i = 0; i < 5000; i++) {
      const { windowStart, committedCount } = view;
      const wanted = i % 2 ? windowStart : Math.floor((windowStart + committedCount) / 2);
      const found = view.findFirst('n', wanted);
      // By then the record wanted may be gone: the first one left is the bound.
      expect(found).toBeGreaterThanOrEqual(wanted);
      if (found > wanted) expect(view.windowStart).toBeGreaterThan(wanted);
    }
    Atomics.store(over, 0, 1);
    await Promise.all([producer.done(), consumer.done()]);
  });
});

describe('a token', () => {
  test('is good only in the thread that got it', async () => {
    const strand = createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    new StrandWriter(strand).writeRecordBatch(numbered.records(0, 5));
    const thief = startThread(
      ({ strand, data, say }) => {
        const view = new strand.StrandView(data.strand);
        for (const call of [
          () => view.acknowledgeRead(5, data.token),
          () => view.releaseConsumer(data.token),
        ]) {
          try {
            call();
            say('taken');
          } catch (error) {
            say((error as Error).name);
          }
        }
      },
      { strand, token },
    );
    expect(await thief.said()).toBe('RangeError');
    expect(await thief.said()).toBe('RangeError');
    expect(view.effectiveReadCursor).toBe(0);
    view.acknowledgeRead(5, token);
    await thief.done();
  });

  test('of any number reaches no other control word', () => {
    const strand = createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });
    const view = new StrandView(strand);
    const writer = new StrandWriter(strand);
    writer.writeRecordBatch(numbered.records(0, 5));
    const live = view.registerConsumer();
    const before = Buffer.from(new Uint8Array(strand.sab)).toString('hex');
    const random = seeded(seed);
    const numbers = Array.from({ length: 10_000 }, () => random.next() * random.pick([1, 8, 2 ** 21]));
    const aliases = [32, 35, 36, 40, 52].map((bit) => live + 2 ** bit);
    for (const token of [0, 1, 7, 8, 9, 255, 2 ** 31, 2 ** 53 - 1, ...aliases, ...numbers]) {
      if (token === live) continue;
      expect(() => view.acknowledgeRead(1, token), `token ${token}`).toThrow(RangeError);
      expect(() => view.releaseConsumer(token), `token ${token}`).toThrow(RangeError);
    }
    expect(Buffer.from(new Uint8Array(strand.sab)).toString('hex')).toBe(before);
  });
});
