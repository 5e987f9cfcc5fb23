import { describe, expect, test } from 'vitest';
import { createStrand, StrandResetError, StrandView, StrandWriter } from '../../../dist/index.js';
import { LONG } from '../support/long.js';
import { numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startThread } from '../support/threads.mjs';

const small = () => createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });

describe('a reset() in another thread', () => {
  test('makes acknowledgements from before it throw and change nothing', async () => {
    const strand = small();
    const producer = startThread(async ({ strand, data, say, hear, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.writeRecordBatch(numbered.records(0, 10));
      say('written');
      await hear();
      writer.reset();
      writer.writeRecordBatch(numbered.records(100, 12));
      say('written anew');
      await hear();
    }, strand);
    await producer.said();
    const common = new StrandView(strand);
    const registered = new StrandView(strand);
    await common.waitForCommit(0);
    common.acknowledgeRead(3);
    const token = registered.registerConsumer();
    producer.say('reset');
    await producer.said();

    const before = Buffer.from(new Uint8Array(strand.sab)).toString('hex');
    for (const upTo of [0, 5, 10, 12]) {
      expect(() => common.acknowledgeRead(upTo)).toThrow(StrandResetError);
      expect(() => registered.acknowledgeRead(upTo, token)).toThrow(StrandResetError);
    }
    expect(() => registered.releaseConsumer(token)).toThrow(StrandResetError);
    expect(() => registered.registerConsumer()).toThrow(StrandResetError);
    expect(() => common.allocateCursor().seek(5)).toThrow(StrandResetError);
    expect(() => common.waitForCommitSync(3)).toThrow(StrandResetError);
    await expect(common.waitForCommit(3)).rejects.toThrow(StrandResetError);
    expect(Buffer.from(new Uint8Array(strand.sab)).toString('hex')).toBe(before);

    expect(await common.waitForCommit(0)).toBe(12);
    numbered.check(common.allocateCursor(), 0, 12, 100);
    common.acknowledgeRead(12);
    expect(common.effectiveReadCursor).toBe(12);
    producer.say('end');
    await producer.done();
  });

  test('ends the waits of all threads with StrandResetError', async () => {
    const strand = small();
    const writer = new StrandWriter(strand);
    writer.writeRecordBatch(numbered.records(0, 5));
    const waiters = [true, false].map((sync) =>
      startThread(
        async ({ strand, data, say }) => {
          const view = new strand.StrandView(data.strand);
          say('waiting');
          try {
            if (data.sync) view.waitForCommitSync(5);
            else await view.waitForCommit(5);
          } catch (error) {
            say((error as Error).name);
          }
          view.waitForCommitSync(0);
          say(view.committedCount);
        },
        { strand, sync },
      ),
    );
    const own = expect(new StrandView(strand).waitForCommit(5)).rejects.toThrow(StrandResetError);
    for (const waiter of waiters) await waiter.said();
    writer.reset();
    await own;
    for (const waiter of waiters) expect(await waiter.said()).toBe('StrandResetError');
    writer.write(numbered.record(0));
    for (const waiter of waiters) expect(await waiter.said()).toBe(1);
    await Promise.all(waiters.map((waiter) => waiter.done()));
  });

  test('at any moment of a drain leaves every record in its own stream', async () => {
    const STREAM = 1_000_000;
    const STREAMS = LONG ? 40_000 : 2_000;
    const random = seeded(seed);
    const strand = small();
    const producer = startThread(
      async ({ strand, data, hear, numbered, seeded }) => {
        const random = seeded(data.seed);
        const writer = new strand.StrandWriter(data.strand);
        await hear();
        for (let stream = 0; stream < data.streams; stream++) {
          if (stream > 0) writer.reset();
          writer.begin();
          for (const record of numbered.records(stream * data.size, random.below(60))) {
            // What has no room is left out, so that streams end with records unread.
            writer.tryWriteRecordBatch([record]);
            for (let pause = random.below(300); pause > 0; pause--);
          }
        }
        writer.reset();
        writer.begin();
        writer.finalize();
      },
      { strand, seed: random.next(), streams: STREAMS, size: STREAM },
    );
    const consumers = [true, false].map((registers) =>
      startThread(
        ({ strand, data, say, numbered }) => {
          const view = new strand.StrandView(data.strand);
          const cursor = view.allocateCursor();
          let read = 0;
          let resets = 0;
          say('here');
          for (;;) {
            try {
              // Only this wait enters the next stream.
              let committed = view.waitForCommitSync(0);
              const token = data.registers ? view.registerConsumer() : undefined;
              let seq = view.effectiveReadCursor;
              let stream: number | undefined;
              for (; ; committed = view.waitForCommitSync(seq)) {
                if (view.status === 'eos') {
                  say({ read, resets });
                  return;
                }
                for (; seq < committed; seq++) {
                  if (!cursor.seek(seq)) throw new Error(`record ${seq} of ${committed} is not committed`);
                  const n = cursor.getF64('n') as number;
                  const fault = numbered.fault(cursor, n);
                  // What was read counts if the stream is still there behind it.
                  cursor.seek(seq);
                  if (fault) throw new Error(fault);
                  const from = Math.floor(n / data.size);
                  stream ??= from;
                  if (from !== stream) throw new Error(`record ${n} in stream ${stream}`);
                  read++;
                }
                if (data.registers) view.acknowledgeRead(seq, token);
              }
            } catch (error) {
              if (error instanceof strand.StrandResetError) resets++;
              // The unregistered one holds nothing: the producer may have come around.
              else if (data.registers || !(error instanceof RangeError)) throw error;
            }
          }
        },
        { strand, registers, size: STREAM },
      ),
    );
    for (const consumer of consumers) await consumer.said();
    producer.say('go');
    for (const consumer of consumers) {
      const { read, resets } = await consumer.said<{ read: number; resets: number }>();
      expect(read, `seed ${seed}`).toBeGreaterThan(0);
      expect(resets).toBeGreaterThan(0);
    }
    await Promise.all([producer, ...consumers].map((thread) => thread.done()));
  });
});
