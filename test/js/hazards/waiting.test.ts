import { describe, expect, test } from 'vitest';
import { createStrand, type Strand, StrandView, StrandWriter } from '../../../dist/index.js';
import { LONG } from '../support/long.js';
import { type NumberedSchema, numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startChild, startThread, type Thread, until } from '../support/threads.mjs';

const small = () => createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 4096 });

describe('an idle asynchronous wait', () => {
  test('makes no timer and no thread', async () => {
    const idleMillis = LONG ? 60_000 : 100;
    const child = startChild(async ({ strand, data, say, startThread }) => {
      const fs = process.getBuiltinModule('node:fs');
      const look = () => ({
        threads: fs.readdirSync('/proc/self/task').length,
        resources: process.getActiveResourcesInfo().sort(),
      });
      const ring = strand.createStrand([{ name: 'n', type: 'u32' }], { indexCapacity: 4 });
      const view = new strand.StrandView(ring);
      const producer = startThread(async ({ strand, data, say, hear }) => {
        const writer = new strand.StrandWriter(data);
        say('ready');
        const idleMillis = await hear<number>();
        const { user, system } = process.cpuUsage();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, idleMillis);
        const used = process.cpuUsage();
        const threads = process.getBuiltinModule('node:fs').readdirSync('/proc/self/task').length;
        say({ threads, cpuMillis: (used.user + used.system - user - system) / 1000 });
        writer.write({ n: 1 });
        await hear();
      }, ring);
      await producer.said();
      const before = look();
      const pending = view.waitForCommit(0);
      const during = look();
      producer.say(data);
      await pending;
      const after = look();
      say({ before, during, after, idle: await producer.said() });
      await producer.terminate();
    }, idleMillis);
    const { before, during, after, idle } = await child.said<
      Record<'before' | 'during' | 'after', object> & {
        before: { threads: number };
        idle: { threads: number; cpuMillis: number };
      }
    >();
    console.info(`${idleMillis} ms of idle waiting used ${idle.cpuMillis} ms of processor time`);
    expect(during).toEqual(before);
    expect(after).toEqual(before);
    expect(idle.threads).toBe(before.threads);
    await child.done();
  });

  test('keeps the event loop alive until it ends, and no longer', async () => {
    const child = startChild(async ({ strand, say, startThread, numbered }) => {
      const ring = strand.createStrand(numbered.fields, { indexCapacity: 4, heapCapacity: 1024 });
      const producer = startThread(async ({ strand, data, hear, numbered }) => {
        await hear();
        const writer = new strand.StrandWriter(data);
        writer.writeRecordBatch(numbered.records(0, 2));
        writer.finalize();
      }, ring);
      producer.worker.unref();
      producer.say('go');
      say(await new strand.StrandView(ring).waitForCommit(1));
    }, null);
    expect(await child.done()).toEqual([2]);
  });
});

describe('three waiters', () => {
  const body = async (wait: 'waitForCommit' | 'waitForCommitSync') => {
    const strand = small();
    const writer = new StrandWriter(strand);
    const view = new StrandView(strand);
    const waiters = Array.from({ length: 3 }, () =>
      startThread(
        async ({ strand, data, say }) => {
          const view = new strand.StrandView(data.strand);
          for (let seq = 0; view.status !== 'eos'; ) {
            seq = await view[data.wait](seq);
            say(seq);
          }
        },
        { strand, wait },
      ),
    );
    const hear = () => Promise.all(waiters.map((waiter) => waiter.said<number>()));
    writer.begin();
    for (let n = 0; n < 300; n++) {
      await until(() => view.stats().consumerWaits >= 3 * n || wait === 'waitForCommit');
      writer.write(numbered.record(n));
      view.acknowledgeRead(n);
      expect(await hear()).toEqual([n + 1, n + 1, n + 1]);
    }
    writer.finalize();
    expect(await hear()).toEqual([300, 300, 300]);
    await Promise.all(waiters.map((waiter) => waiter.done()));
  };

  test('all wake where they block three workers', () => body('waitForCommitSync'));
  test('all wake where they are promises of three workers', () => body('waitForCommit'));

  test('all wake where they are promises of one view', async () => {
    const strand = small();
    const view = new StrandView(strand);
    const producer = startThread(async ({ strand, data, hear, numbered }) => {
      const writer = new strand.StrandWriter(data);
      for (let n = 0; n < 300; n++) {
        await hear();
        writer.write(numbered.record(n));
      }
      await hear();
      writer.abort('over');
    }, strand);
    for (let n = 0; n < 300; n++) {
      const waits = [view.waitForCommit(n), view.waitForCommit(n), view.waitForCommit(n)];
      producer.say('go');
      expect(await Promise.all(waits)).toEqual([n + 1, n + 1, n + 1]);
      view.acknowledgeRead(n + 1);
    }
    const last = [view.waitForCommit(300), view.waitForCommit(301), view.waitForCommit(1e9)];
    producer.say('go');
    expect(await Promise.all(last)).toEqual([300, 300, 300]);
    expect(view.error).toBe('over');
    await producer.done();
  });
});

describe('finalize() racing with a drain', () => {
  const ROUNDS = 1000;

  /** Writes a few records into each strand that it is sent, and finalizes at once or a moment later. */
  const startProducer = (lengths: readonly number[]): Thread =>
    startThread(
      async ({ strand, data, hear, numbered, seeded }) => {
        const random = seeded(data.seed);
        for (const length of data.lengths) {
          const writer = new strand.StrandWriter(await hear<SharedArrayBuffer>());
          const records = numbered.records(0, length);
          const inOne = random.below(2) === 0;
          if (inOne) writer.writeRecordBatch(records);
          else for (const record of records) writer.write(record);
          for (let pause = random.below(2) * random.below(3000); pause > 0; pause--);
          writer.finalize();
        }
      },
      { seed, lengths },
    );

  const random = seeded(seed);
  const lengths = Array.from({ length: ROUNDS }, () => random.below(20));

  const drains: Record<string, (view: StrandView<NumberedSchema>) => Promise<number>> = {
    'of promises': (view) => numbered.drain(view),
    'of for await': async (view) => {
      let seq = 0;
      for await (const batch of view) {
        for (const cursor of batch) {
          const fault = numbered.fault(cursor, seq);
          if (fault) throw new Error(fault);
          seq++;
        }
      }
      return seq;
    },
  };

  test.each(Object.entries(drains))('loses nothing %s', async (_, drain) => {
    const producer = startProducer(lengths);
    for (const [round, length] of lengths.entries()) {
      const strand = small();
      producer.say(strand.sab);
      expect(await drain(new StrandView(strand)), `seed ${seed}, round ${round}`).toBe(length);
    }
    await producer.done();
  });

  test('loses nothing of blocking waits', async () => {
    const producer = startProducer(lengths);
    const consumer = startThread(async ({ strand, data, say, hear, numbered }) => {
      for (let round = 0; round < data; round++) {
        say(numbered.drainSync(new strand.StrandView<NumberedSchema>(await hear<SharedArrayBuffer>())));
      }
    }, ROUNDS);
    for (const [round, length] of lengths.entries()) {
      const { sab } = small();
      consumer.say(sab);
      producer.say(sab);
      expect(await consumer.said(), `seed ${seed}, round ${round}`).toBe(length);
    }
    await Promise.all([producer.done(), consumer.done()]);
  });
});

describe('single records there and back', () => {
  test.each([
    ['blocking', 'blocking', 20_000],
    ['blocking', 'asynchronous', 5_000],
    ['asynchronous', 'asynchronous', 5_000],
  ] as const)('lose no wake-up between a %s and a %s side', async (one, other, trips) => {
    const there = small();
    const back = small();
    const side = (first: boolean, wait: string, from: Strand, to: Strand): Thread =>
      startThread(
        async ({ strand, data, numbered }) => {
          const view = new strand.StrandView(data.from);
          const writer = new strand.StrandWriter(data.to);
          for (let n = 0; n < data.trips; n++) {
            if (data.first) writer.write(numbered.record(n));
            if (data.wait === 'blocking') view.waitForCommitSync(n);
            else await view.waitForCommit(n);
            view.acknowledgeRead(n + 1);
            if (!data.first) writer.write(numbered.record(n));
          }
          writer.finalize();
        },
        { first, wait, from, to, trips },
      );
    const sides = [side(true, one, back, there), side(false, other, there, back)];
    await Promise.all(sides.map((thread) => thread.done()));
  });
});

describe('worker.terminate()', () => {
  const blockers = {
    waitForCommitSync: (strand: Strand<NumberedSchema>) =>
      startThread(({ strand, data, say }) => {
        const view = new strand.StrandView(data);
        say('blocking');
        view.waitForCommitSync(0);
      }, strand),
    writeRecordBatch: (strand: Strand<NumberedSchema>) =>
      startThread(({ strand, data, say, numbered }) => {
        const writer = new strand.StrandWriter(data);
        say('blocking');
        writer.writeRecordBatch(numbered.records(0, 1000));
      }, strand),
    write: (strand: Strand<NumberedSchema>) =>
      startThread(({ strand, data, say, numbered }) => {
        const writer = new strand.StrandWriter(data);
        say('blocking');
        for (let n = 0; ; n++) writer.write(numbered.record(n));
      }, strand),
    claimSlot: (strand: Strand<NumberedSchema>) =>
      startThread(({ strand, data, say }) => {
        const writer = new strand.StrandWriter(data);
        say('blocking');
        for (;;) writer.commitSlot(writer.claimSlot().seq);
      }, strand),
    claimHeapBytes: (strand: Strand<NumberedSchema>) =>
      startThread(({ strand, data, say }) => {
        const writer = new strand.StrandWriter(data);
        say('blocking');
        for (;;) {
          writer.claimHeapBytes(2048);
          writer.commitSlot(writer.claimSlot().seq);
        }
      }, strand),
  };

  test.each(Object.entries(blockers))('ends a blocked %s', async (name, start) => {
    const strand = small();
    const view = new StrandView(strand);
    const blocked = () => view.stats().producerStalls + view.stats().consumerWaits > 0;
    const thread = start(strand);
    await thread.said();
    await until(blocked);
    const started = performance.now();
    await thread.terminate();
    console.info(`terminate() of a blocked ${name} took ${(performance.now() - started).toFixed(1)} ms`);
    if (name !== 'waitForCommitSync') expect(view.producerStatus).toBe('error');
  });
});
