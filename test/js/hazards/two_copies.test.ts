import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import * as own from '../../../dist/index.js';
import { numbered } from '../support/numbered.mjs';
import { copyPackage } from '../support/second_copy.js';
import { startChild, startThread, until } from '../support/threads.mjs';

const copy = copyPackage('own');
const twin = copyPackage('same');
afterAll(copy.remove);
afterAll(twin.remove);
const other = (await import(copy.index)) as typeof own;

const small = () => own.createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });

describe('two copies of the package in one process', () => {
  test('are two images of the addon', () => {
    const images = readFileSync('/proc/self/maps', 'utf8').match(/\S+\.node$/gm) ?? [];
    expect(new Set(images.filter((image) => /prebuilds/.test(image))).size).toBe(2);
    expect(other.StrandView).not.toBe(own.StrandView);
  });

  const directions = [
    ['the writer in the first', undefined, copy.index],
    ['the writer in the second', copy.index, undefined],
  ] as const;

  test.each(directions)(
    'wake each other with %s, asynchronously, in both ways',
    async (_, writing, reading) => {
      const strand = small();
      const writers = writing === undefined ? own : other;
      const readers = reading === undefined ? own : other;
      const writer = new writers.StrandWriter(strand);
      const view = new readers.StrandView<typeof strand.map.schema>(strand);
      const drained = numbered.drain(view);
      // Batches larger than the ring: the writer waits for the view as well.
      for (let n = 0; n < 4000; n += 100) await writer.writeRecordBatchAsync(numbered.records(n, 100));
      writer.finalize();
      expect(await drained).toBe(4000);
    },
  );

  test.each(directions)(
    'wake each other with %s, each in a worker, blocking',
    async (_, writing, reading) => {
      const strand = small();
      const consumer = startThread(
        ({ strand, data, say, numbered }) => {
          say(numbered.drainSync(new strand.StrandView(data)));
        },
        strand,
        { index: reading },
      );
      const producer = startThread(
        ({ strand, data, numbered }) => {
          const writer = new strand.StrandWriter(data);
          writer.writeRecordBatch(numbered.records(0, 20_000));
          writer.finalize();
        },
        strand,
        { index: writing },
      );
      expect(await consumer.said()).toBe(20_000);
      await Promise.all([producer.done(), consumer.done()]);
    },
  );

  test.each(directions)(
    'wake each other with %s, each in a worker, asynchronously',
    async (_, writing, reading) => {
      const strand = small();
      const consumer = startThread(
        async ({ strand, data, say, numbered }) => {
          say(await numbered.drain(new strand.StrandView(data)));
        },
        strand,
        { index: reading },
      );
      const producer = startThread(
        async ({ strand, data, numbered }) => {
          const writer = new strand.StrandWriter(data);
          for (let n = 0; n < 4000; n += 100) await writer.writeRecordBatchAsync(numbered.records(n, 100));
          writer.finalize();
        },
        strand,
        { index: writing },
      );
      expect(await consumer.said()).toBe(4000);
      await Promise.all([producer.done(), consumer.done()]);
    },
  );

  test('wake a view of each, which wait for one writer', async () => {
    const strand = small();
    const views = [new own.StrandView(strand), new other.StrandView(strand)];
    const producer = startThread(async ({ strand, data, hear, numbered }) => {
      const writer = new strand.StrandWriter(data);
      for (let n = 0; n < 300; n++) {
        await hear();
        writer.write(numbered.record(n));
      }
      await hear();
      writer.finalize();
    }, strand);
    for (let n = 0; n < 300; n++) {
      const waits = views.map((view) => view.waitForCommit(n));
      producer.say('go');
      expect(await Promise.all(waits)).toEqual([n + 1, n + 1]);
      for (const view of views) view.acknowledgeRead(n + 1);
    }
    const last = views.map((view) => view.waitForCommit(300));
    producer.say('go');
    expect(await Promise.all(last)).toEqual([300, 300]);
    await producer.done();
  });

  test('see aborts, resets, takeovers and deaths of each other', async () => {
    const strand = small();
    const writer = new own.StrandWriter(strand);
    const view = new other.StrandView(strand);
    const blocked = writer.writeRecordBatchAsync(numbered.records(0, 100)).catch((error) => error);
    await until(() => writer.stats().stalls > 0);
    view.signalAbort('the other copy');
    expect(await blocked).toMatchObject({ code: 'ERR_STRAND_ABORTED', reason: 'the other copy' });

    const waiting = expect(view.waitForCommit(1000)).rejects.toMatchObject({ code: 'ERR_STRAND_RESET' });
    writer.reset();
    await waiting;

    const foreign = startThread(
      async ({ strand, data, say, hear }) => {
        const view = new strand.StrandView(data);
        view.registerConsumer();
        new strand.StrandWriter(data).begin();
        say('taken over');
        await hear();
      },
      strand,
      { index: copy.index },
    );
    await foreign.said();
    expect(() => writer.write(numbered.record(0))).toThrow(own.StrandFencedError);
    const ended = new own.StrandView(strand).waitForCommit(1000);
    foreign.say('end');
    await foreign.done();
    expect(await ended).toBe(0);
    expect(view.producerStatus).toBe('error');
    // The dead thread's registration is gone, too.
    await view.waitForCommit(0);
    view.acknowledgeRead(0);
  });

  test('keep their tokens apart', async () => {
    // In a fresh process both copies number their threads from the beginning.
    const child = startChild(
      async ({ strand, data, say, startThread, numbered }) => {
        const ring = strand.createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });
        const view = new strand.StrandView(ring);
        new strand.StrandWriter(ring).writeRecordBatch(numbered.records(0, 5));
        const token = view.registerConsumer();
        const thief = startThread(
          ({ strand, data, say }) => {
            const view = new strand.StrandView(data.ring);
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
          { ring, token },
          data,
        );
        say([await thief.said(), await thief.said(), view.effectiveReadCursor]);
      },
      { index: copy.index },
    );
    expect(await child.done()).toEqual([['RangeError', 'RangeError', 0]]);
  });

  test('let the process end while workers of both are blocked', async () => {
    const child = startChild(
      async ({ data, say, startThread }) => {
        const threads = [undefined, data.index, data.index].map((index) =>
          startThread(
            ({ strand, say, numbered }) => {
              const ring = strand.createStrand(numbered.fields, { indexCapacity: 4, heapCapacity: 1024 });
              say('blocking');
              new strand.StrandWriter(ring).writeRecordBatch(numbered.records(0, 100));
            },
            null,
            { index },
          ),
        );
        for (const thread of threads) await thread.said();
        say('ending');
        process.exit(0);
      },
      { index: copy.index },
    );
    expect(await child.done()).toEqual(['ending']);
  });
});

describe('two copies of the modules over one addon', () => {
  test('wake each other, in one thread and in two', async () => {
    const child = startChild(
      async ({ strand, data, say, load, startThread, numbered }) => {
        const twin = await load(data.index);
        if (twin.StrandView === strand.StrandView) throw new Error('they are the same');
        for (const [writers, readers] of [
          [strand, twin],
          [twin, strand],
        ] as const) {
          const ring = strand.createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });
          const drained = numbered.drain(new readers.StrandView(ring));
          const writer = new writers.StrandWriter(ring);
          for (let n = 0; n < 1000; n += 100) await writer.writeRecordBatchAsync(numbered.records(n, 100));
          writer.finalize();
          say(await drained);
        }
        const ring = strand.createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });
        const views = [new strand.StrandView(ring), new twin.StrandView(ring)];
        const waits = Promise.all(views.map((view) => view.waitForCommit(0)));
        const producer = startThread(
          ({ strand, data, numbered }) => {
            new strand.StrandWriter(data).write(numbered.record(0));
          },
          ring,
          data,
        );
        say(await waits);
        await producer.done();
      },
      { index: twin.index },
    );
    expect(await child.done()).toEqual([1000, 1000, [1, 1]]);
  });
});
