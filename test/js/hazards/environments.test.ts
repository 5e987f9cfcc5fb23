import { describe, expect, test } from 'vitest';
import { createStrand, StrandView, StrandWriter } from '../../../dist/index.js';
import { LONG } from '../support/long.js';
import { numbered } from '../support/numbered.mjs';
import { SANITIZED } from '../support/sanitized.js';
import { startChild, startThread, until } from '../support/threads.mjs';

const MEBIBYTE = 2 ** 20;

const small = () => createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });

const collect = (): void => {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('these tests need --expose-gc');
  gc();
};

describe('the addon', () => {
  test('works in eight workers that load it at the same time', async () => {
    const barrier = new Int32Array(new SharedArrayBuffer(4));
    const workers = Array.from({ length: 8 }, () =>
      startThread(
        async ({ data, say, load, numbered }) => {
          if (Atomics.add(data.barrier, 0, 1) === 7) Atomics.notify(data.barrier, 0);
          for (let here = Atomics.load(data.barrier, 0); here < 8; here = Atomics.load(data.barrier, 0)) {
            Atomics.wait(data.barrier, 0, here);
          }
          const strand = await load(data.index);
          const ring = strand.createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });
          const drained = numbered.drain(new strand.StrandView(ring));
          const writer = new strand.StrandWriter(ring);
          for (let n = 0; n < 500; n += 50) await writer.writeRecordBatchAsync(numbered.records(n, 50));
          writer.finalize();
          say(await drained);
        },
        { barrier, index: new URL('../../../dist/index.js', import.meta.url).href },
        { index: null },
      ),
    );
    for (const worker of workers) expect(await worker.said()).toBe(500);
    await Promise.all(workers.map((worker) => worker.done()));
  });

  test('leaves nothing behind of threads that load it and end, 50 times', async () => {
    const child = startChild(
      async ({ strand, data, say, startThread, numbered }) => {
        const fs = process.getBuiltinModule('node:fs');
        const ring = strand.createStrand(numbered.fields, { indexCapacity: 1024, heapCapacity: 1 << 20 });
        const generation = async (index: number): Promise<void> => {
          const thread = startThread(
            async ({ strand, data, say }) => {
              const views = Array.from({ length: 20 }, () => new strand.StrandView(data.ring));
              for (const view of views.slice(0, 8)) view.registerConsumer();
              for (const view of views) view.allocateCursor();
              const writer = new strand.StrandWriter(data.ring);
              writer.claimHeapBytes(1000);
              const pending = views.map((view) => view.waitForCommit(1e6).catch(() => {}));
              say('full');
              if (data.index % 3 === 0) process.exit(0);
              if (data.index % 3 === 1) writer.reset();
              await Promise.all(pending);
            },
            { ring, index },
          );
          await thread.said();
          if (index % 3 === 1) await thread.ended;
          else if (index % 3 === 2) await thread.terminate();
          await thread.ended;
        };
        const look = () => {
          globalThis.gc?.();
          const { rss, heapUsed } = process.memoryUsage();
          return {
            rss,
            heapUsed,
            threads: fs.readdirSync('/proc/self/task').length,
            files: fs.readdirSync('/proc/self/fd').length,
          };
        };
        for (let index = 0; index < 10; index++) await generation(index);
        const before = look();
        for (let index = 0; index < data; index++) await generation(index);
        say({ before, after: look() });
      },
      LONG ? 500 : 50,
      { execArgv: ['--expose-gc'] },
    );
    type Look = Record<'rss' | 'heapUsed' | 'threads' | 'files', number>;
    const { before, after } = await child.said<{ before: Look; after: Look }>();
    const growth = (after.rss - before.rss) / MEBIBYTE;
    console.info(`after more generations of threads the process is larger by ${growth.toFixed(1)} MiB`);
    expect(after.threads).toBe(before.threads);
    expect(after.files).toBe(before.files);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(4 * MEBIBYTE);
    if (!SANITIZED) expect(growth).toBeLessThan(48);
    await child.done();
  });
});

describe('garbage collection', () => {
  test('of a writer is no end of its stream', async () => {
    const strand = small();
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    (() => {
      const writer = new StrandWriter(strand);
      writer.begin();
      writer.writeRecordBatch(numbered.records(0, 3));
      registry.register(writer, undefined);
    })();
    await until(() => {
      collect();
      return collected;
    });
    const view = new StrandView(strand);
    expect(view.status).toBe('streaming');
    const next = new StrandWriter(strand);
    next.writeRecordBatch(numbered.records(3, 3));
    next.finalize();
    expect(await numbered.drain(view)).toBe(6);
  });

  test('of a view frees the tokens that it got', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    (() => {
      const view = new StrandView(strand);
      view.registerConsumer();
      view.registerConsumer();
    })();
    const blocked = writer.writeRecordBatchAsync(numbered.records(0, 100));
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    const drained = numbered.drain(view, { token });
    let written = false;
    blocked.then(() => {
      written = true;
    });
    await until(() => {
      collect();
      return written;
    });
    writer.finalize();
    expect(await drained).toBe(100);
  });

  test('takes no view or writer whose promise is pending, and none whose cursor is held', async () => {
    const strand = small();
    const waiting = new StrandView(strand).waitForCommit(0);
    const blocked = new StrandWriter(strand).writeRecordBatchAsync(numbered.records(0, 40));
    const cursor = new StrandView(strand).allocateCursor();
    for (let i = 0; i < 10; i++) {
      collect();
      await new Promise(setImmediate);
    }
    expect(await waiting).toBeGreaterThan(0);
    numbered.check(cursor, 0, 5);
    const view = new StrandView(strand);
    view.acknowledgeRead(view.committedCount);
    for (let seq = 16; seq < 40; seq = view.committedCount) {
      view.acknowledgeRead(await view.waitForCommit(seq));
      collect();
    }
    await blocked;
  });

  test('gives the memory back of strands that nobody holds any more', async () => {
    const child = startChild(
      async ({ strand, say, numbered }) => {
        let most = 0;
        for (let round = 0; round < 120; round++) {
          await (async () => {
            const ring = strand.createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 8 << 20 });
            new Uint8Array(ring.sab, ring.map.header_size).fill(0);
            const writer = new strand.StrandWriter(ring);
            const view = new strand.StrandView(ring);
            writer.write(numbered.record(0));
            numbered.check(view.allocateCursor(), 0, await view.waitForCommit(0));
            view.registerConsumer();
          })();
          globalThis.gc?.();
          await new Promise(setImmediate);
          most = Math.max(most, process.memoryUsage().rss);
        }
        say(most);
      },
      null,
      { execArgv: ['--expose-gc'] },
    );
    const [most] = await child.done<number>();
    // All of them together are 960 MiB.
    expect(most).toBeLessThan(600 * MEBIBYTE);
  });
});
