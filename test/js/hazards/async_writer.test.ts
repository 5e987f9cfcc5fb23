import { describe, expect, test } from 'vitest';
import {
  createStrand,
  StrandAbortError,
  StrandClosedError,
  StrandFencedError,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { numbered } from '../support/numbered.mjs';
import { startThread } from '../support/threads.mjs';

const small = () => createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });

describe('writeRecordBatchAsync under backpressure', () => {
  test('leaves the event loop running while the ring is full', async () => {
    const strand = small();
    const producer = startThread(async ({ strand, data, say, hear, numbered }) => {
      const writer = new strand.StrandWriter(data);
      let written = false;
      const writing = writer.writeRecordBatchAsync(numbered.records(0, 100)).then(() => {
        written = true;
      });
      for (let question = 0; question < 3; question++) say({ heard: await hear(), written });
      await writing;
      writer.finalize();
    }, strand);
    // Nobody reads: answers come from a loop that turns beside the wait.
    for (let question = 0; question < 3; question++) {
      producer.say(question);
      expect(await producer.said()).toEqual({ heard: question, written: false });
    }
    expect(await numbered.drain(new StrandView(strand))).toBe(100);
    await producer.done();
  });

  test('keeps a thread alive that has nothing else to live for until a slow consumer has made room', async () => {
    const strand = small();
    const producer = startThread(async ({ strand, data, say, numbered }) => {
      const writer = new strand.StrandWriter(data);
      for (let next = 0; next < 2000; next += 100)
        await writer.writeRecordBatchAsync(numbered.records(next, 100));
      writer.finalize();
      say(writer.stats());
    }, strand);
    const view = new StrandView(strand);
    const cursor = view.allocateCursor();
    for (let seq = 0; seq < 2000; seq++) {
      await view.waitForCommit(seq);
      numbered.check(cursor, seq, seq + 1);
      view.acknowledgeRead(seq + 1);
    }
    expect((await producer.said<{ stalls: number }>()).stalls).toBeGreaterThan(2);
    await producer.done();
  });

  test('keeps the order of calls that queue up', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    const batches = Array.from({ length: 20 }, (_, i) =>
      writer.writeRecordBatchAsync(numbered.records(i * 30, 30)),
    );
    const consumer = startThread(({ strand, data, say, numbered }) => {
      say(numbered.drainSync(new strand.StrandView(data)));
    }, strand);
    await Promise.all(batches);
    writer.finalize();
    expect(await consumer.said()).toBe(600);
    await consumer.done();
  });

  test('ends with the reason of its AbortSignal; what is visible stays, and the writer stays usable', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const blocked = writer.writeRecordBatchAsync(numbered.records(0, 100), { signal: controller.signal });
    const behind = writer.writeRecordBatchAsync(numbered.records(200, 1), { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(blocked).rejects.toBe(reason);
    await expect(behind).rejects.toBe(reason);
    const view = new StrandView(strand);
    const visible = view.committedCount;
    expect(visible).toBeGreaterThan(0);
    expect(reason).toMatchObject({ recordsWritten: visible });

    const consumer = startThread(({ strand, data, say, numbered }) => {
      say(numbered.drainSync(new strand.StrandView(data)));
    }, strand);
    await writer.writeRecordBatchAsync(numbered.records(visible, 50));
    writer.finalize();
    expect(await consumer.said()).toBe(visible + 50);
    await consumer.done();
  });

  test('ends with the reason of a signal that code of the batch has aborted', async () => {
    const writer = new StrandWriter(small());
    const controller = new AbortController();
    const records = numbered.records(0, 100);
    Object.defineProperty(records[3], 'n', {
      get: () => {
        controller.abort('from a getter');
        return 3;
      },
    });
    await expect(writer.writeRecordBatchAsync(records, { signal: controller.signal })).rejects.toBe(
      'from a getter',
    );
    expect(writer.tryWriteRecordBatch(numbered.records(0, 0))).toBe(0);
  });

  test('leaves the queue with its signal, while those before it go on', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    const first = writer.writeRecordBatchAsync(numbered.records(0, 100));
    const controller = new AbortController();
    const second = writer.writeRecordBatchAsync(numbered.records(0, 10), { signal: controller.signal });
    const third = writer.writeRecordBatchAsync(numbered.records(100, 50));
    controller.abort('not waiting any longer');
    await expect(second).rejects.toBe('not waiting any longer');
    expect(() => writer.write(numbered.record(0))).toThrow(
      expect.objectContaining({ code: 'ERR_STRAND_REENTRANT' }),
    );
    const consumer = startThread(({ strand, data, say, numbered }) => {
      say(numbered.drainSync(new strand.StrandView(data)));
    }, strand);
    await first;
    await third;
    writer.finalize();
    expect(await consumer.said()).toBe(150);
    await consumer.done();
  });

  test('counts no stall beyond the end of a wait that was given up', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    const view = new StrandView(strand);
    const controller = new AbortController();
    const given = writer.writeRecordBatchAsync(numbered.records(0, 100), { signal: controller.signal });
    controller.abort();
    await expect(given).rejects.toThrow();
    const { stalls, stallNanoseconds } = writer.stats();
    expect(stalls).toBe(1);
    view.acknowledgeRead(view.committedCount);
    writer.write(numbered.record(0));
    expect(writer.stats()).toMatchObject({ stalls, stallNanoseconds });
  });

  test.each([null, 5, true])('refuses options that are none: %s', async (options) => {
    const writer = new StrandWriter(small());
    await expect(writer.writeRecordBatchAsync([], options as never)).rejects.toMatchObject({
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
    await expect(writer.writeRecordBatchAsync([], { signal: options as never })).rejects.toMatchObject({
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
    writer.write(numbered.record(0));
  });

  test('goes on when the consumer that held it up dies', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    const idle = startThread(async ({ strand, data, say, hear }) => {
      new strand.StrandView(data).registerConsumer();
      say('registered');
      await hear();
    }, strand);
    await idle.said();
    const written = writer.writeRecordBatchAsync(numbered.records(0, 40));
    const drained = numbered.drain(view, { token });
    // All that can be read is read; what is missing waits for the idle one.
    await view.waitForCommit(15);
    idle.say('end');
    await written;
    writer.finalize();
    expect(await drained).toBe(40);
    await idle.done();
  });

  test('ends with StrandAbortError when a consumer signals an abort', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    const consumer = startThread(({ strand, data }) => {
      const view = new strand.StrandView(data);
      view.waitForCommitSync(0);
      view.signalAbort('full up');
    }, strand);
    const error = await writer.writeRecordBatchAsync(numbered.records(0, 100)).catch((error) => error);
    expect(error).toBeInstanceOf(StrandAbortError);
    expect(error).toMatchObject({ reason: 'full up', recordsWritten: new StrandView(strand).committedCount });
    await consumer.done();
  });

  test('ends with StrandClosedError when its writer is closed, with StrandFencedError when it is fenced', async () => {
    const closed = new StrandWriter(small());
    const waiting = expect(closed.writeRecordBatchAsync(numbered.records(0, 100))).rejects.toThrow(
      StrandClosedError,
    );
    await new Promise(setImmediate);
    closed.close();
    await waiting;

    const strand = small();
    const older = new StrandWriter(strand);
    const fenced = expect(older.writeRecordBatchAsync(numbered.records(0, 100))).rejects.toThrow(
      StrandFencedError,
    );
    await new Promise(setImmediate);
    const newer = new StrandWriter(strand);
    await fenced;
    expect(newer.stats().recordsProduced).toBe(new StrandView(strand).committedCount);
  });
});
