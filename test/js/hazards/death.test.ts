import { describe, expect, test } from 'vitest';
import { createStrand, StrandView, StrandWriter } from '../../../dist/index.js';
import { LONG } from '../support/long.js';
import { numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startChild, startThread, until } from '../support/threads.mjs';

const TERMINATIONS = LONG ? 100 : 30;
/** Threads that come and go at a time. */
const LANES = 3;

const small = () => createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });

/** Runs rounds on a few lanes, so that ends of threads meet each other. */
async function inLanes(rounds: number, round: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < rounds) await round(next++);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** A moment of anything between no time and a few milliseconds, in turns of the loop and in the middle of one. */
async function someMoment(random: ReturnType<typeof seeded>): Promise<void> {
  for (let turns = random.pick([0, 0, 1, 3, 10, 40]); turns > 0; turns--) await new Promise(setImmediate);
  for (let steps = random.below(2) * random.below(200_000); steps > 0; steps--);
}

describe('a producer whose thread ends without finalize()', () => {
  const ends = {
    throws: () => {
      throw new Error('out of flour');
    },
    'calls process.exit()': () => process.exit(0),
    'comes to its end': () => {},
  };

  test.each(Object.entries(ends))('leaves nobody waiting when it %s', async (_, end) => {
    const strand = small();
    const waiters = [0, 1].map(() =>
      startThread(({ strand, data, say, numbered }) => {
        const view = new strand.StrandView(data);
        const count = numbered.drainSync(view);
        say({ count, status: view.status, error: view.error });
      }, strand),
    );
    const view = new StrandView(strand);
    const own = [view.waitForCommit(6), view.waitForCommit(7), new StrandView(strand).waitForCommit(1e6)];
    const producer = startThread(
      ({ strand, data, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        writer.begin();
        writer.writeRecordBatch(numbered.records(0, 5));
        writer.claimSlots(2);
        new Function(`(${data.end})()`)();
      },
      { strand, end: String(end) },
    );
    await producer.ended;
    expect(await Promise.all(own)).toEqual([5, 5, 5]);
    expect(view.status).toBe('error');
    expect(view.error).toMatch(/thread ended before finalize/);
    for (const waiter of waiters) {
      expect(await waiter.said()).toMatchObject({ count: 5, status: 'error' });
    }
    numbered.check(view.allocateCursor(), 0, 5);
  });

  test('shows nothing of the batch in whose middle it ended', async () => {
    for (const end of ['process.exit(0)', 'throw new Error()', 'for (;;);']) {
      const strand = small();
      const view = new StrandView(strand);
      const producer = startThread(
        ({ strand, data, say, numbered }) => {
          const writer = new strand.StrandWriter(data.strand);
          writer.begin();
          writer.writeRecordBatch(numbered.records(0, 3));
          const trap = {
            get n() {
              say('inside');
              return new Function(data.end)();
            },
          };
          writer.writeRecordBatch([...numbered.records(100, 3), trap as { n: number }]);
        },
        { strand, end },
      );
      await producer.said();
      if (end.startsWith('for')) await producer.terminate();
      await producer.ended;
      expect(await view.waitForCommit(3)).toBe(3);
      expect(view.status).toBe('error');

      const writer = new StrandWriter(strand);
      writer.writeRecordBatch(numbered.records(3, 3));
      numbered.check(view.allocateCursor(), 0, 6);
    }
  });

  test(`leaves nobody waiting after ${TERMINATIONS} terminations at random moments`, async () => {
    const random = seeded(seed);
    await inLanes(TERMINATIONS, async (round) => {
      const strand = small();
      const producer = startThread(
        ({ strand, data, say, numbered, seeded }) => {
          const random = seeded(data.seed);
          const writer = new strand.StrandWriter(data.strand);
          say('attached');
          writer.begin();
          for (let next = 0; ; ) {
            const count = random.between(1, random.pick([1, 10, 50]));
            if (random.below(3) === 0) {
              for (let i = 0; i < count; i++) writer.write(numbered.record(next + i));
            } else {
              writer.writeRecordBatch(numbered.records(next, count));
            }
            next += count;
            if (random.below(10) === 0) new strand.StrandView(data.strand).close();
          }
        },
        { strand, seed: random.next() },
      );
      await producer.said();
      const view = new StrandView(strand);
      const drained = numbered.drain(view);
      // Another view, so that something waits wherever the end meets the first.
      const far = new StrandView(strand).waitForCommit(Number.MAX_SAFE_INTEGER - 1);
      await someMoment(random);
      await producer.terminate();
      expect((await producer.ended).error).toBeUndefined();
      const count = await drained;
      expect(await far, `seed ${seed}, round ${round}`).toBe(count);
      expect(view.status).toBe('error');

      // Whoever comes next finds the strand whole.
      const writer = new StrandWriter(strand);
      writer.writeRecordBatch(numbered.records(count, 5));
      writer.finalize();
      expect(await numbered.drain(view, { from: count })).toBe(count + 5);
    });
  });
});

describe('a registered consumer whose thread ends', () => {
  test.each(['throw new Error("no more")', 'process.exit(0)', ''])('frees the producer (%s)', async (end) => {
    const strand = small();
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    const producer = startThread(({ strand, data, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.writeRecordBatch(numbered.records(0, 200));
      writer.finalize();
    }, strand);
    const consumer = startThread(
      async ({ strand, data, say, hear }) => {
        const view = new strand.StrandView(data.strand);
        view.registerConsumer();
        say('registered');
        await hear();
        new Function(data.end)();
      },
      { strand, end },
    );
    await consumer.said();
    const drained = numbered.drain(view, { token });
    await until(() => view.effectiveReadCursor === 0 && view.stats().producerStalls > 0);
    consumer.say('end');
    expect(await drained).toBe(200);
    await producer.done();
  });

  test('leaves its position to the next one where it was the last', async () => {
    const strand = small();
    const consumer = startThread(({ strand, data, say, numbered }) => {
      const view = new strand.StrandView(data);
      const token = view.registerConsumer();
      say('registered');
      view.waitForCommitSync(7);
      numbered.check(view.allocateCursor(), 0, 7);
      view.acknowledgeRead(7, token);
      process.exit();
    }, strand);
    await consumer.said();
    const producer = startThread(({ strand, data, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.writeRecordBatch(numbered.records(0, 16));
      writer.writeRecordBatch(numbered.records(16, 100));
      writer.finalize();
    }, strand);
    await consumer.ended;
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    expect(view.effectiveReadCursor).toBe(7);
    expect(await numbered.drain(view, { from: 7, token })).toBe(116);
    await producer.done();
  });

  test('is released by itself when it dies idle, registered eight times', async () => {
    const strand = small();
    for (let round = 0; round < 3; round++) {
      const consumer = startThread(({ strand, data }) => {
        const view = new strand.StrandView(data);
        for (let i = 0; i < 8; i++) view.registerConsumer();
      }, strand);
      await consumer.done();
    }
    const view = new StrandView(strand);
    view.releaseConsumer(view.registerConsumer());
    view.acknowledgeRead(0);
  });

  test(`frees the producer after ${TERMINATIONS} terminations at random moments`, async () => {
    const random = seeded(seed);
    const strand = createStrand(numbered.fields, { indexCapacity: 64, heapCapacity: 2048 });
    const enough = new Int32Array(new SharedArrayBuffer(4));
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    const producer = startThread(
      ({ strand, data, say, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        let next = 0;
        while (Atomics.load(data.enough, 0) === 0) {
          writer.writeRecordBatch(numbered.records(next, 10));
          next += 10;
        }
        writer.finalize();
        say(next);
      },
      { strand, enough },
    );
    const drained = numbered.drain(view, { token });

    await inLanes(TERMINATIONS, async () => {
      const consumer = startThread(
        ({ strand, data, say, numbered, seeded }) => {
          const random = seeded(data.seed);
          const view = new strand.StrandView(data.strand);
          const cursor = view.allocateCursor();
          say('here');
          for (;;) {
            const token = view.registerConsumer();
            let seq = view.effectiveReadCursor;
            view.acknowledgeRead(seq, token);
            for (let steps = random.between(1, 20); steps > 0; steps--) {
              const committed = view.waitForCommitSync(seq);
              const upTo = Math.min(committed, seq + random.between(1, 10));
              numbered.check(cursor, seq, upTo);
              seq = upTo;
              view.acknowledgeRead(seq, token);
            }
            view.releaseConsumer(token);
          }
        },
        { strand, seed: random.next() },
      );
      await consumer.said();
      await someMoment(random);
      await consumer.terminate();
      expect((await consumer.ended).error).toBeUndefined();
    });
    Atomics.store(enough, 0, 1);
    expect(await drained, `seed ${seed}`).toBe(await producer.said());
    await producer.done();
    view.releaseConsumer(token);
    view.acknowledgeRead(view.committedCount);
  });
});

describe('a worker that is terminated', () => {
  test('in the middle of loading the package or of attaching ends nothing but itself', async () => {
    const child = startChild(
      async ({ strand, data, say, startThread, numbered, seeded }) => {
        const random = seeded(data.seed);
        const ring = strand.createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });
        const spin = (steps: number) => {
          for (let i = 0; i < steps; i++);
        };
        for (let round = 0; round < data.rounds; round++) {
          const thread = startThread(
            ({ strand, data, say }) => {
              say('here');
              const view = new strand.StrandView(data.ring);
              for (;;) {
                if (data.kind === 'views') new strand.StrandView(data.ring);
                if (data.kind === 'writers') new strand.StrandWriter(data.ring);
                if (data.kind === 'schemas')
                  strand.createStrand(data.ring.map.schema, { indexCapacity: 4, heapCapacity: 64 });
                if (data.kind === 'looks') {
                  view.stats();
                  view.releaseConsumer(view.registerConsumer());
                }
              }
            },
            { ring, kind: random.pick(['views', 'writers', 'schemas', 'looks']) },
          );
          if (random.below(4) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(60)));
          else await thread.said();
          spin(random.below(3_000_000));
          await thread.terminate();
        }
        new strand.StrandWriter(ring).write(numbered.record(0));
        say(await new strand.StrandView(ring).waitForCommit(0));
      },
      { seed, rounds: 80 },
    );
    expect(await child.done(), `seed ${seed}`).toEqual([1]);
  });
});
