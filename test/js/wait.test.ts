import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { StrandClosedError, StrandView } from '../../dist/index.js';
import { expectRejected, expectThrown, numbered, openNumbered, turns } from './support/strands.js';
import { startChild } from './support/threads.mjs';

const OUT_OF_RANGE = { code: 'ERR_STRAND_OUT_OF_RANGE' };
const INVALID = { code: 'ERR_STRAND_INVALID_ARGUMENT' };

/** Whether a promise is still pending after what waits for its turn on this loop. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const other = Symbol('pending');
  await turns();
  return (await Promise.race([promise.catch(() => {}), Promise.resolve(other)])) === other;
}

describe('waitForCommit()', () => {
  test('gives the committed count at once where it is past the position', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    expect(await Promise.all([0, 1, 2].map((after) => view.waitForCommit(after)))).toEqual([3, 3, 3]);
  });

  test('gives it once it is past the position, and not before', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 1));
    const wait = view.waitForCommit(2);
    writer.begin();
    expect(await isPending(wait)).toBe(true);
    writer.write({ n: 1 });
    expect(await isPending(wait)).toBe(true);
    writer.writeRecordBatch(numbered(2, 5));
    expect(await wait).toBe(5);
  });

  test('wakes each of any number that wait, when its time has come', async () => {
    const { strand, writer, view } = openNumbered(16);
    const views = [view, new StrandView(strand), new StrandView(strand)];
    const done: number[] = [];
    const waits = Array.from({ length: 60 }, (_, i) =>
      (views[i % 3] as StrandView).waitForCommit(i % 10).then((count) => {
        done.push(i % 10);
        return count;
      }),
    );
    for (let n = 0; n < 10; n++) {
      expect(await isPending(Promise.all(waits))).toBe(true);
      expect(done).toHaveLength(6 * n);
      writer.write({ n });
      await Promise.all(waits.filter((_, i) => i % 10 <= n));
    }
    expect(new Set(await Promise.all(waits))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  });

  test('wakes for records that are committed from claims', async () => {
    const { writer, view } = openNumbered();
    const wait = view.waitForCommit(0);
    const { seq } = writer.claimSlot();
    expect(await isPending(wait)).toBe(true);
    writer.commitSlot(seq);
    expect(await wait).toBe(1);
  });

  test('gives the final count at the end of the stream', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    const waits = [view.waitForCommit(2), view.waitForCommit(100)];
    expect(await isPending(Promise.race(waits))).toBe(true);
    writer.finalize();
    expect(await Promise.all(waits)).toEqual([2, 2]);
    expect(await view.waitForCommit(2)).toBe(2);
  });

  test.each<[string, (writer: { abort(reason: string): void; close(): void }) => void]>([
    ['an abort', (writer) => writer.abort('broken')],
    ['the close of an unfinished stream', (writer) => writer.close()],
  ])('gives the count on an error: %s', async (_, fail) => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    const wait = view.waitForCommit(5);
    fail(writer);
    expect(await wait).toBe(2);
    expect(await view.waitForCommit(5)).toBe(2);
    expect(view.status).toBe('error');
  });

  test.each([
    ['a number', 10],
    ['an option', { timeoutMs: 10 }],
  ])('gives the count after the time (%s), and the view waits on', async (_, options) => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    expect(await view.waitForCommit(2, options)).toBe(2);
    const next = view.waitForCommit(2);
    writer.write({ n: 2 });
    expect(await next).toBe(3);
  });

  test('gives the count at once where there is no time', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    for (const none of [0, -1, Number.NEGATIVE_INFINITY]) expect(await view.waitForCommit(5, none)).toBe(2);
  });

  test('takes times longer than any timer', async () => {
    const { writer, view } = openNumbered();
    const times = [2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY];
    const waits = times.map((timeoutMs) => view.waitForCommit(0, { timeoutMs }));
    expect(await isPending(Promise.race(waits))).toBe(true);
    writer.write({ n: 0 });
    expect(await Promise.all(waits)).toEqual([1, 1, 1]);
  });

  test('leaves no timer and no listener behind, however it ends', async () => {
    // In a process of its own: the test runner has timers that come and go.
    const child = startChild(async ({ strand, say }) => {
      const { getEventListeners } = process.getBuiltinModule('node:events');
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const ring = strand.createStrand([{ name: 'n', type: 'u32' }], { indexCapacity: 8 });
      const writer = new strand.StrandWriter(ring);
      const view = new strand.StrandView(ring);
      const errors: unknown[] = [];
      const rejected = (wait: Promise<number>) => wait.catch((error) => errors.push(error.name));
      const controller = new AbortController();
      const options = { timeoutMs: 100_000, signal: controller.signal };
      const counts = [timers()];
      const first = view.waitForCommit(0, options);
      counts.push(timers());
      writer.write({ n: 0 });
      await first;
      counts.push(timers());
      await view.waitForCommit(1, { ...options, timeoutMs: 1 });
      await view.waitForCommit(0, options);
      const closed = view.waitForCommit(1, options);
      const aborted = view.waitForCommit(1, {
        timeoutMs: 100_000,
        signal: AbortSignal.any([controller.signal]),
      });
      const own = new AbortController();
      const ended = view.waitForCommit(1, { timeoutMs: 100_000, signal: own.signal });
      own.abort();
      await rejected(ended);
      view.close();
      await rejected(closed);
      await rejected(aborted);
      counts.push(timers());
      const listeners = [controller, own].map(({ signal }) => getEventListeners(signal, 'abort').length);
      say({ counts, listeners, errors });
    }, null);
    expect(await child.done()).toEqual([
      {
        counts: [0, 1, 0, 0],
        listeners: [0, 0],
        errors: ['AbortError', 'StrandClosedError', 'StrandClosedError'],
      },
    ]);
  });

  test("rejects with the signal's reason, before or while it waits, and leaves others waiting", async () => {
    const { writer, view } = openNumbered();
    const reason = { mine: true };
    writer.write({ n: 0 });
    await expect(view.waitForCommit(0, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const wait = view.waitForCommit(1, { signal: controller.signal });
    const other = view.waitForCommit(1);
    expect(await isPending(wait)).toBe(true);
    controller.abort(reason);
    await expect(wait).rejects.toBe(reason);
    expect(await isPending(other)).toBe(true);
    writer.write({ n: 1 });
    expect(await other).toBe(2);
  });

  test('rejects when the view is closed', async () => {
    const { view } = openNumbered();
    const waits = [view.waitForCommit(0), view.waitForCommit(7, 100_000)];
    view.close();
    for (const wait of waits) await expectRejected(wait, StrandClosedError, { code: 'ERR_STRAND_CLOSED' });
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 + 2, '0', 0n, undefined, null])(
    'refuses what is no position: %s',
    async (after) => {
      const { view } = openNumbered();
      await expectRejected(view.waitForCommit(after as number, 0), RangeError, OUT_OF_RANGE);
      expectThrown(() => view.waitForCommitSync(after as number, 0), RangeError, OUT_OF_RANGE);
    },
  );

  test.each([Number.NaN, '5', 5n, {}, true])('refuses what is no time: %s', async (timeoutMs) => {
    const { view } = openNumbered();
    await expectRejected(view.waitForCommit(0, { timeoutMs: timeoutMs as number }), TypeError, INVALID);
    expectThrown(() => view.waitForCommitSync(0, timeoutMs as number), TypeError, INVALID);
  });

  test('is counted where the records are not there at once', async () => {
    const { writer, view } = openNumbered();
    writer.write({ n: 0 });
    await view.waitForCommit(0);
    expect(view.stats().consumerWaits).toBe(0);
    await view.waitForCommit(1, 1);
    expect(view.stats().consumerWaits).toBe(1);
    view.waitForCommitSync(1, 1);
    expect(view.stats().consumerWaits).toBe(2);
    // Longer than a native sleep, and still one wait.
    view.waitForCommitSync(1, 50);
    expect(view.stats().consumerWaits).toBe(3);
  });

  test.each([null, '50', true, 50n, () => 50])('refuses options that are none: %s', async (options) => {
    const { view } = openNumbered();
    await expectRejected(view.waitForCommit(0, options as never), TypeError, INVALID);
  });

  test.each([null, 5, {}, 'signal'])('refuses a signal that is none: %s', async (signal) => {
    const { view } = openNumbered();
    await expectRejected(view.waitForCommit(0, { signal: signal as never }), TypeError, INVALID);
  });
});

describe('waitForCommitSync()', () => {
  test('gives the count at once where there is something to tell', () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    expect([view.waitForCommitSync(0), view.waitForCommitSync(2)]).toEqual([3, 3]);
    writer.finalize();
    expect([view.waitForCommitSync(3), view.waitForCommitSync(1000)]).toEqual([3, 3]);
    expect(view.status).toBe('eos');
    writer.abort();
    expect(view.waitForCommitSync(3)).toBe(3);
  });

  test('gives the count after the time', () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    for (const timeoutMs of [0, -5, 1, 30]) {
      const start = performance.now();
      expect(view.waitForCommitSync(3, timeoutMs)).toBe(3);
      expect(performance.now() - start).toBeGreaterThanOrEqual(timeoutMs);
    }
  });

  test('refuses a view that was closed', () => {
    const { view } = openNumbered();
    view.close();
    expectThrown(() => view.waitForCommitSync(0, 1), StrandClosedError, { code: 'ERR_STRAND_CLOSED' });
  });
});

describe("the process's event loop", () => {
  const run = async (body: string): Promise<string> => {
    const index = new URL('../../dist/index.js', import.meta.url).href;
    const code = `
      import { createStrand, StrandView, StrandWriter } from ${JSON.stringify(index)};
      const strand = createStrand([{ name: 'n', type: 'u32' }], { indexCapacity: 2 });
      const writer = new StrandWriter(strand);
      const view = new StrandView(strand);
      ${body}`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code]);
    return stdout;
  };

  test('is held by a pending wait, and let go behind it', async () => {
    // A timer that does not hold the loop is the only other thing in it.
    const out = await run(`
      setTimeout(() => { console.log('alive'); writer.write({ n: 1 }); }, 50).unref();
      view.waitForCommit(0).then((count) => console.log('committed', count));`);
    expect(out).toBe('alive\ncommitted 1\n');
  });

  test('is held by a batch that waits for room, and let go behind it', async () => {
    const out = await run(`
      setTimeout(() => { console.log('alive'); view.acknowledgeRead(2); }, 50).unref();
      writer.writeRecordBatchAsync([{}, {}, {}, {}]).then(() => console.log('written', view.committedCount));`);
    expect(out).toBe('alive\nwritten 4\n');
  });

  test('is let go by a wait that is over, closed or aborted', async () => {
    const out = await run(`
      const { signal } = AbortSignal.timeout === undefined ? {} : new AbortController();
      const controller = new AbortController();
      view.waitForCommit(5, 10).then(() => console.log('over'));
      view.waitForCommit(5, { signal: controller.signal }).catch(() => console.log('aborted'));
      const other = new StrandView(strand);
      other.waitForCommit(5).catch(() => console.log('closed'));
      controller.abort();
      other.close();`);
    expect(out.trim().split('\n').toSorted()).toEqual(['aborted', 'closed', 'over']);
  });
});
