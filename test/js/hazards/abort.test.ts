import { describe, expect, test } from 'vitest';
import { createStrand, StrandView } from '../../../dist/index.js';
import { numbered } from '../support/numbered.mjs';
import { startThread, until } from '../support/threads.mjs';

describe('an abort', () => {
  test('is seen by a producer that is not stalled', async () => {
    const strand = createStrand(numbered.fields, { indexCapacity: 4096, heapCapacity: 1 << 20 });
    const view = new StrandView(strand);
    const producer = startThread(async ({ strand, data, say, hear, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      const calls: Record<string, () => unknown> = {
        write: () => writer.write(numbered.record(1)),
        writeRecordBatch: () => writer.writeRecordBatch(numbered.records(1, 2)),
        tryWriteRecordBatch: () => writer.tryWriteRecordBatch(numbered.records(1, 2)),
        writeRecordBatchAsync: () => writer.writeRecordBatchAsync(numbered.records(1, 2)),
        claimSlot: () => writer.claimSlot(),
        claimHeapBytes: () => writer.claimHeapBytes(1),
      };
      writer.write(numbered.record(0));
      say('written');
      await hear();
      for (const [name, call] of Object.entries(calls)) {
        try {
          await call();
          say(`${name}: nothing`);
        } catch (error) {
          const { code, reason } = error as InstanceType<typeof strand.StrandAbortError>;
          say(`${name}: ${code} ${reason}`);
        }
      }
      say(writer.stats().stalls);
      // It stays in force until a reset, which it does not keep the producer from.
      writer.reset();
      writer.write(numbered.record(0));
    }, strand);
    await producer.said();
    view.signalAbort('enough');
    producer.say('go on');
    for (const call of [
      'write',
      'writeRecordBatch',
      'tryWriteRecordBatch',
      'writeRecordBatchAsync',
      'claimSlot',
      'claimHeapBytes',
    ]) {
      expect(await producer.said()).toBe(`${call}: ERR_STRAND_ABORTED enough`);
    }
    expect(await producer.said()).toBe(0);
    await producer.done();
    expect(await view.waitForCommit(0)).toBe(1);
  });

  test('is seen by a producer in the middle of a run of writes that never stalls', async () => {
    const strand = createStrand(numbered.fields, { indexCapacity: 1024, heapCapacity: 1 << 17 });
    const view = new StrandView(strand);
    const producer = startThread(({ strand, data, say, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      for (let n = 0; ; n++) {
        try {
          // As much as there is room for, so that it never waits.
          writer.tryWriteRecordBatch([numbered.record(n % 1000)]);
        } catch (error) {
          say({ name: (error as Error).name, stalls: writer.stats().stalls });
          break;
        }
      }
      writer.finalize();
    }, strand);
    await view.waitForCommit(100);
    view.signalAbort();
    expect(await producer.said()).toEqual({ name: 'StrandAbortError', stalls: 0 });
    await producer.done();
  });

  test.each(['write', 'writeRecordBatch', 'writeRecordBatchAsync', 'claimSlot', 'claimHeapBytes'])(
    'ends a stalled %s',
    async (call) => {
      const strand = createStrand(numbered.fields, { indexCapacity: 8, heapCapacity: 1024 });
      const view = new StrandView(strand);
      const producer = startThread(
        async ({ strand, data, say, numbered }) => {
          const writer = new strand.StrandWriter(data.strand);
          writer.begin();
          writer.writeRecordBatch(numbered.records(0, 5));
          try {
            switch (data.call) {
              case 'write':
                for (let n = 5; ; n++) writer.write(numbered.record(n));
              case 'claimSlot':
                for (;;) writer.commitSlot(writer.claimSlot().seq);
              case 'claimHeapBytes':
                writer.claimHeapBytes(1024);
                break;
              case 'writeRecordBatch':
                writer.writeRecordBatch(numbered.records(5, 20));
                break;
              default:
                await writer.writeRecordBatchAsync(numbered.records(5, 20));
            }
          } catch (error) {
            const { name, reason } = error as InstanceType<typeof strand.StrandAbortError>;
            say({ name, reason });
          }
          writer.finalize();
        },
        { strand, call },
      );
      await until(() => view.stats().producerStalls > 0);
      view.signalAbort('seen enough');
      expect(await producer.said()).toEqual({ name: 'StrandAbortError', reason: 'seen enough' });
      await producer.done();
      numbered.check(view.allocateCursor(), 0, 5);
    },
  );

  test('of the producer reaches every consumer with its reason', async () => {
    const strand = createStrand(numbered.fields, { indexCapacity: 8, heapCapacity: 1024 });
    const consumers = [0, 1, 2].map((index) =>
      startThread(
        async ({ strand, data, say }) => {
          const view = new strand.StrandView(data.strand);
          say('waiting');
          if (data.index === 0) view.waitForCommitSync(1e6);
          else if (data.index === 1) await view.waitForCommit(1e6);
          else {
            try {
              for await (const _ of view);
            } catch (error) {
              say((error as InstanceType<typeof strand.StrandAbortError>).reason);
              return;
            }
          }
          say(view.error);
        },
        { strand, index },
      ),
    );
    for (const consumer of consumers) await consumer.said();
    const producer = startThread(({ strand, data, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      writer.writeRecordBatch(numbered.records(0, 5));
      writer.abort('the oven is cold');
    }, strand);
    for (const consumer of consumers) expect(await consumer.said()).toBe('the oven is cold');
    await Promise.all([producer, ...consumers].map((thread) => thread.done()));
  });
});
