import { describe, expect, test } from 'vitest';
import { StrandAbortError, StrandClosedError, StrandView } from '../../dist/index.js';
import { expectRejected, expectThrown, numbered, openNumbered, turns } from './support/strands.js';

/** Everything that a loop reads. */
async function readAll(view: StrandView): Promise<unknown[]> {
  const read: unknown[] = [];
  for await (const batch of view) for (const cursor of batch) read.push(cursor.get('n'));
  return read;
}

const loose = (view: unknown) => view as StrandView;

describe('a loop over a view', () => {
  test('drains the stream and ends with it, leaving nothing behind', async () => {
    const { writer, view } = openNumbered(4);
    const produce = async () => {
      for (let n = 0; n < 50; n += 5) await writer.writeRecordBatchAsync(numbered(n, n + 5));
      writer.finalize();
    };
    const [read] = await Promise.all([readAll(loose(view)), produce()]);
    expect(read).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([view.status, view.effectiveReadCursor]).toEqual(['eos', 50]);
  });

  test('ends at once where the stream is empty and over', async () => {
    const { writer, view } = openNumbered();
    writer.finalize();
    expect(await readAll(loose(view))).toEqual([]);
  });

  test('registers itself beside others in a stream that was begun after the view was made', async () => {
    const { strand, writer, view } = openNumbered(4);
    writer.reset();
    const other = new StrandView(strand);
    const token = other.registerConsumer();
    writer.writeRecordBatch(numbered(0, 4));
    const read: unknown[] = [];
    for await (const batch of view) {
      // All that there is room for is overwritten, were it not for this loop.
      other.acknowledgeRead(4, token);
      expect(writer.tryWriteRecordBatch(numbered(4, 8))).toBe(0);
      for (const cursor of batch) read.push(cursor.get('n'));
      break;
    }
    expect(read).toEqual([0, 1, 2, 3]);
  });

  test('begins at the oldest record that nobody has released', async () => {
    const { strand, writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 5));
    view.acknowledgeRead(2);
    writer.finalize();
    expect(await readAll(loose(new StrandView(strand)))).toEqual([2, 3, 4]);
    expect(await readAll(loose(view))).toEqual([]);
  });

  test('gives what is committed together as one batch, with its positions', async () => {
    const { writer, view } = openNumbered();
    const batches = view[Symbol.asyncIterator]();
    const first = batches.next();
    await turns();
    writer.writeRecordBatch(numbered(0, 3));
    const { value } = await first;
    expect(value).toMatchObject({ from: 0, to: 3, length: 3 });
    writer.writeRecordBatch(numbered(3, 4));
    writer.writeRecordBatch(numbered(4, 6));
    expect((await batches.next()).value).toMatchObject({ from: 3, to: 6, length: 3 });
    writer.finalize();
    expect((await batches.next()).done).toBe(true);
  });

  test('acknowledges a batch when the next one is asked for, and not before', async () => {
    const { writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    const batches = view[Symbol.asyncIterator]();
    const { value } = await batches.next();
    if (value === undefined) expect.fail('there is a batch');
    expect(Array.from(value, (cursor) => cursor.getU32('n'))).toEqual([0, 1, 2, 3]);
    // One cursor goes through it.
    expect(new Set(value).size).toBe(1);
    expect(view.effectiveReadCursor).toBe(0);
    expect(writer.tryWriteRecordBatch(numbered(4, 5))).toBe(0);
    // A batch can be gone through again as long as it is the present one.
    expect(Array.from(value, (cursor) => cursor.getU32('n'))).toEqual([0, 1, 2, 3]);
    const next = batches.next();
    await turns();
    expect(view.effectiveReadCursor).toBe(4);
    writer.writeRecordBatch(numbered(4, 6));
    expect((await next).value).toMatchObject({ from: 4, to: 6 });
    await batches.return();
  });

  test('that is left early keeps the batch at hand unacknowledged', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    for await (const batch of view) {
      expect(batch.length).toBe(3);
      break;
    }
    expect(view.effectiveReadCursor).toBe(0);
    writer.finalize();
    expect(await readAll(loose(view))).toEqual([0, 1, 2]);
  });

  test('delivers what was committed before an error, then throws it', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    writer.abort('broken');
    const read: unknown[] = [];
    const loop = async () => {
      for await (const batch of view) for (const cursor of batch) read.push(cursor.getU32('n'));
    };
    await expectRejected(loop(), StrandAbortError, {
      code: 'ERR_STRAND_ABORTED',
      reason: 'broken',
      message: expect.stringMatching(/the producer.*broken/),
    });
    expect(read).toEqual([0, 1, 2]);
    expect(view.effectiveReadCursor).toBe(3);
  });

  test('throws an error without a reason, also one that comes while it waits', async () => {
    const { writer, view } = openNumbered();
    const loop = readAll(loose(view));
    await turns();
    writer.close();
    await expectRejected(loop, StrandAbortError, { code: 'ERR_STRAND_ABORTED' });
  });

  test('ends with the close of the view', async () => {
    const { view } = openNumbered();
    const loop = expectRejected(readAll(loose(view)), StrandClosedError, { code: 'ERR_STRAND_CLOSED' });
    await turns();
    view.close();
    await loop;
  });

  test('lets through what its body throws', async () => {
    const { writer, view } = openNumbered();
    writer.write({ n: 0 });
    const own = new Error('mine');
    const loop = async () => {
      for await (const batch of view) if (batch.length > 0) throw own;
    };
    await expect(loop()).rejects.toBe(own);
  });
});

describe('beside registered consumers, a loop', () => {
  test('registers itself, and holds the producer back for what it has not read', async () => {
    const { strand, writer, view } = openNumbered(4);
    const other = new StrandView(strand);
    const token = other.registerConsumer();
    writer.writeRecordBatch(numbered(0, 4));
    const batches = view[Symbol.asyncIterator]();
    expect((await batches.next()).value).toMatchObject({ from: 0, to: 4 });
    other.acknowledgeRead(4, token);
    expect(view.effectiveReadCursor).toBe(0);
    expect(writer.tryWriteRecordBatch(numbered(4, 5))).toBe(0);
    const next = batches.next();
    await turns();
    expect(view.effectiveReadCursor).toBe(4);
    writer.writeRecordBatch(numbered(4, 5));
    await next;
    await batches.return();
    // With the loop its registration has gone.
    other.acknowledgeRead(5, token);
    expect(view.effectiveReadCursor).toBe(5);
  });

  test.each([
    ['is left early', (writer: { finalize(): void }) => writer, true],
    ['ends', (writer: { finalize(): void }) => writer.finalize(), false],
  ])('leaves no registration when it %s', async (_, end, leave) => {
    const { strand, writer, view } = openNumbered(8);
    const other = new StrandView(strand);
    const token = other.registerConsumer();
    for (let round = 0; round < 10; round++) {
      if (writer.stats().recordsProduced < 3) writer.write({ n: round });
      if (round === 3) end(writer);
      for await (const _batch of view) if (leave || round < 3) break;
    }
    other.acknowledgeRead(3, token);
    other.releaseConsumer(token);
    view.acknowledgeRead(3);
    expect(view.effectiveReadCursor).toBe(3);
  });

  test('registers itself also where they come while it is under way', async () => {
    const { strand, writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 2));
    const batches = view[Symbol.asyncIterator]();
    await batches.next();
    const other = new StrandView(strand);
    const token = other.registerConsumer();
    writer.writeRecordBatch(numbered(2, 4));
    expect((await batches.next()).value).toMatchObject({ from: 2, to: 4 });
    other.acknowledgeRead(4, token);
    expect(view.effectiveReadCursor).toBe(2);
    expectThrown(() => view.acknowledgeRead(4), RangeError);
    await batches.return();
    expect(view.effectiveReadCursor).toBe(4);
  });

  test('reads all of a stream that others read too', async () => {
    const { strand, writer, view } = openNumbered(4);
    const views = [view, new StrandView(strand), new StrandView(strand)];
    const held = new StrandView(strand).registerConsumer();
    const loops = views.map((one) => readAll(loose(one)));
    await turns();
    new StrandView(strand).releaseConsumer(held);
    for (let n = 0; n < 40; n += 2) await writer.writeRecordBatchAsync(numbered(n, n + 2));
    writer.finalize();
    const all = Array.from({ length: 40 }, (_, i) => i);
    expect(await Promise.all(loops)).toEqual([all, all, all]);
  });
});

describe('batches()', () => {
  test('are no longer than asked for, and each is acknowledged by itself', async () => {
    const { writer, view } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 5));
    writer.finalize();
    const ranges: [number, number, number][] = [];
    for await (const { from, to } of view.batches({ maxRecords: 2 })) {
      ranges.push([from, to, view.effectiveReadCursor]);
    }
    expect(ranges).toStrictEqual([
      [0, 2, 0],
      [2, 4, 2],
      [4, 5, 4],
    ]);
    expect(view.effectiveReadCursor).toBe(5);
  });

  test('end with the reason of their signal, in a wait and between two batches', async () => {
    const { writer, view } = openNumbered(8);
    const reason = new Error('enough');
    const waiting = new AbortController();
    const pending = view.batches({ signal: waiting.signal }).next();
    await turns();
    waiting.abort(reason);
    await expect(pending).rejects.toBe(reason);

    writer.writeRecordBatch(numbered(0, 4));
    const between = new AbortController();
    const batches = view.batches({ signal: between.signal, maxRecords: 2 });
    await batches.next();
    between.abort(reason);
    await expect(batches.next()).rejects.toBe(reason);
    expect(view.effectiveReadCursor).toBe(2);
  });

  test('refuse limits that are none at once', () => {
    const { view } = openNumbered();
    for (const maxRecords of [0, -1, 1.5, Number.NaN]) {
      expectThrown(() => view.batches({ maxRecords }), RangeError);
    }
    expectThrown(() => view.batches({ maxRecords: '1' as never }), RangeError);
    expectThrown(() => view.batches({ signal: {} as never }), TypeError);
    expectThrown(() => view.batches(1 as never), TypeError);
  });
});
