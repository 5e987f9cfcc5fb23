import { describe, expect, onTestFinished, test } from 'vitest';
import { StrandView, StrandWriter } from '../../../dist/index.js';
import { openSharedStrand, type SharedStrand } from '../../../dist/log.js';
import { freshPath } from '../support/logs.js';
import { LONG } from '../support/long.js';
import { type NumberedSchema, numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { type Inside, startChild, startThread, until } from '../support/threads.mjs';

const KILLS = LONG ? 200 : 8;

type Numbered = SharedStrand<NumberedSchema>;

const fresh = (): Numbered =>
  openSharedStrand(freshPath('strand'), {
    schema: numbered.fields,
    indexCapacity: 64,
    heapCapacity: 8192,
  });

function viewOf(strand: Numbered): StrandView<NumberedSchema> {
  const view = new StrandView(strand);
  onTestFinished(() => view.close());
  return view;
}

/** Writes `data.count` records, in batches of several sizes, and ends the stream. */
const produce = async ({ strand, data, numbered }: Inside<{ strand: Numbered; count: number }>) => {
  const writer = new strand.StrandWriter(data.strand);
  writer.begin();
  for (let n = 0; n < data.count; ) {
    const count = Math.min(1 + ((n * 7) % 40), data.count - n);
    if (n % 3 === 0) await writer.writeRecordBatchAsync(numbered.records(n, count));
    else writer.writeRecordBatch(numbered.records(n, count));
    n += count;
  }
  writer.finalize();
};

/** Writes five records and waits to be killed. */
const produceUntilKilled = ({ strand, data, say, numbered }: Inside<Numbered>) => {
  const writer = new strand.StrandWriter(data);
  writer.begin();
  writer.writeRecordBatch(numbered.records(0, 5));
  writer.claimSlots(2);
  say(process.pid);
  setInterval(() => {}, 1000);
};

test('carries a stream from another process, byte for byte, to several consumers here and elsewhere', async () => {
  const strand = fresh();
  const consumers = [0, 1].map(() =>
    startChild(async ({ strand, data, say, numbered }) => {
      const view = new strand.StrandView(data);
      const token = view.registerConsumer();
      say('registered');
      say(await numbered.drain(view, { token }));
    }, strand),
  );
  const worker = startThread(({ strand, data, say, numbered }) => {
    const view = new strand.StrandView(data);
    const token = view.registerConsumer();
    say('registered');
    say(numbered.drainSync(view, { token }));
  }, strand);
  const view = viewOf(strand);
  const token = view.registerConsumer();
  for (const each of [...consumers, worker]) expect(await each.said()).toBe('registered');
  const producer = startChild(produce, { strand, count: 5000 });
  expect(await numbered.drain(view, { token })).toBe(5000);
  expect(view.status).toBe('eos');
  for (const each of [...consumers, worker]) expect(await each.said()).toBe(5000);
  await Promise.all([...consumers, producer, worker].map((each) => each.done()));
});

test('wakes an event loop that has nothing else to wait for', async () => {
  const strand = fresh();
  const consumer = startChild(async ({ strand, data, say, numbered }) => {
    const view = new strand.StrandView(data);
    say('waiting');
    say(await numbered.drain(view));
  }, strand);
  await consumer.said();
  const writer = new StrandWriter(strand);
  writer.begin();
  const view = viewOf(strand);
  for (let n = 0; n < 20; n++) {
    writer.write(numbered.record(n));
    await until(() => view.effectiveReadCursor === n + 1);
  }
  writer.finalize();
  expect(await consumer.said()).toBe(20);
  await consumer.done();
});

test('stops the producer of another process with an abort', async () => {
  const strand = fresh();
  const producer = startChild(async ({ strand, data, say, numbered }) => {
    const writer = new strand.StrandWriter(data);
    writer.begin();
    try {
      for (let n = 0; ; n += 10) await writer.writeRecordBatchAsync(numbered.records(n, 10));
    } catch (error) {
      say((error as { code: string; reason: string }).reason);
    }
  }, strand);
  const view = viewOf(strand);
  await until(() => view.stats().producerStalls > 0);
  view.signalAbort('enough');
  expect(await producer.said()).toBe('enough');
  await producer.done();
});

describe('a producer whose process is killed', () => {
  test('is told to all who wait for it: sleepers, event loops, other processes', async () => {
    const strand = fresh();
    const waiting = ({ strand, data, say }: Inside<Numbered>) => {
      const view = new strand.StrandView(data);
      say('waits');
      const count = view.waitForCommitSync(5);
      say({ count, status: view.status, reason: view.error });
    };
    const others = [startChild(waiting, strand), startThread(waiting, strand)];
    const view = viewOf(strand);
    const own = [view.waitForCommit(5), viewOf(strand).waitForCommit(1e6)];
    const producer = startChild(produceUntilKilled, strand);
    const pid = await producer.said<number>();
    for (const each of others) expect(await each.said()).toBe('waits');
    expect(await view.waitForCommit(4)).toBe(5);
    process.kill(pid, 'SIGKILL');
    await producer.ended;
    expect(await Promise.all(own)).toEqual([5, 5]);
    expect(view.status).toBe('error');
    expect(view.error).toContain('process ended');
    for (const each of others) {
      expect(await each.said()).toEqual({
        count: 5,
        status: 'error',
        reason: expect.stringContaining('process'),
      });
    }
    numbered.check(view.allocateCursor(), 0, 5);
    await Promise.all(others.map((each) => each.done()));
  });

  test('is seen by who only looks now and then', async () => {
    const strand = fresh();
    const view = viewOf(strand);
    const producer = startChild(produceUntilKilled, strand);
    process.kill(await producer.said<number>(), 'SIGKILL');
    await until(() => view.producerStatus === 'error');
    await producer.ended;
  });

  test('is seen by who comes when nobody was left', async () => {
    const strand = fresh();
    const producer = startChild(produceUntilKilled, strand);
    process.kill(await producer.said<number>(), 'SIGKILL');
    await producer.ended;
    const view = viewOf(strand);
    expect(await view.waitForCommit(5)).toBe(5);
    expect(view.status).toBe('error');
  });

  test('is followed by another one', async () => {
    const strand = fresh();
    const producer = startChild(produceUntilKilled, strand);
    process.kill(await producer.said<number>(), 'SIGKILL');
    await producer.ended;
    const writer = new StrandWriter(strand);
    writer.begin();
    writer.writeRecordBatch(numbered.records(5, 5));
    writer.finalize();
    expect(numbered.drainSync(viewOf(strand))).toBe(10);
  });

  test('is told although its writer had been collected', async () => {
    const strand = fresh();
    const producer = startChild(
      async ({ strand, data, say, numbered }) => {
        (() => {
          const writer = new strand.StrandWriter(data);
          writer.begin();
          writer.writeRecordBatch(numbered.records(0, 5));
        })();
        for (let i = 0; i < 10; i++) {
          await new Promise(setImmediate);
          globalThis.gc?.();
        }
        say(process.pid);
        setInterval(() => {}, 1000);
      },
      strand,
      { execArgv: ['--expose-gc'] },
    );
    const pid = await producer.said<number>();
    const view = viewOf(strand);
    expect(view.status).toBe('streaming');
    process.kill(pid, 'SIGKILL');
    expect(await view.waitForCommit(5)).toBe(5);
    expect(view.status).toBe('error');
    await producer.ended;
  });

  test('is no death once it has finished, or has exited behind finalize()', async () => {
    const strand = fresh();
    const producer = startChild(({ strand, data, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      writer.writeRecordBatch(numbered.records(0, 5));
      writer.finalize();
      process.kill(process.pid, 'SIGKILL');
    }, strand);
    await producer.ended;
    const view = viewOf(strand);
    expect(numbered.drainSync(view)).toBe(5);
    expect(view.status).toBe('eos');
  });
});

describe('a consumer whose process is killed', () => {
  test('holds the producer up no longer, whether that sleeps or waits in its loop', async () => {
    for (const kind of ['sync', 'async']) {
      const strand = fresh();
      const consumer = startChild(({ strand, data, say }) => {
        const view = new strand.StrandView(data);
        view.registerConsumer();
        say(process.pid);
        setInterval(() => {}, 1000);
      }, strand);
      const pid = await consumer.said<number>();
      const view = viewOf(strand);
      const token = view.registerConsumer();
      const producer = startThread(
        async ({ strand, data, numbered }) => {
          const writer = new strand.StrandWriter(data.strand);
          writer.begin();
          const records = numbered.records(0, 100) as never;
          if (data.kind === 'sync') writer.writeRecordBatch(records);
          else await writer.writeRecordBatchAsync(records);
          writer.finalize();
        },
        { strand, kind },
      );
      await until(() => view.stats().producerStalls > 0);
      process.kill(pid, 'SIGKILL');
      await consumer.ended;
      expect(await numbered.drain(view, { token })).toBe(100);
      await producer.done();
      expect(view.effectiveReadCursor).toBe(100);
    }
  });
});

test(`a stream goes on behind ${KILLS} kills of either side at any moment`, async () => {
  const random = seeded(seed);
  const strand = fresh();
  for (let round = 0; round < KILLS; round++) {
    const isProducer = random.below(2) === 0;
    const victim = startChild(
      async ({ strand, data, say, numbered }) => {
        say(process.pid);
        if (data.isProducer) {
          const writer = new strand.StrandWriter(data.strand);
          writer.reset();
          writer.begin();
          for (let n = 0; ; n += 7) await writer.writeRecordBatchAsync(numbered.records(n, 7));
        } else {
          const view = new strand.StrandView(data.strand);
          await numbered.drain(view, { token: view.registerConsumer() });
        }
      },
      { strand, isProducer },
    );
    const pid = await victim.said<number>();
    for (let turns = random.below(300); turns > 0; turns--) await new Promise(setImmediate);
    process.kill(pid, 'SIGKILL');
    await victim.ended;
    using writer = new StrandWriter(strand);
    writer.reset();
    writer.begin();
    using view = new StrandView(strand);
    const draining = numbered.drain(view);
    for (let n = 0; n < 200; n += 20) await writer.writeRecordBatchAsync(numbered.records(n, 20));
    writer.finalize();
    expect(await draining).toBe(200);
  }
});

test('workers that come and go with a strand in a file leave nothing behind', async () => {
  const strand = fresh();
  const view = viewOf(strand);
  for (let round = 0; round < 20; round++) {
    const thread = startThread(({ strand, data, say }) => {
      const view = new strand.StrandView(data);
      view.registerConsumer();
      say('up');
      view.waitForCommit(1e9);
      return new Promise(() => setInterval(() => {}, 1000));
    }, strand);
    expect(await thread.said()).toBe('up');
    await thread.terminate();
  }
  // All eight slots are free again.
  const tokens = Array.from({ length: 8 }, () => view.registerConsumer());
  for (const token of tokens) view.releaseConsumer(token);
});
