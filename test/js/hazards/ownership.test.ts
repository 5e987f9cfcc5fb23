import { describe, expect, test } from 'vitest';
import {
  createStrand,
  type Strand,
  StrandBusyError,
  StrandFencedError,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { type NumberedSchema, numbered } from '../support/numbered.mjs';
import { startThread, until } from '../support/threads.mjs';

const small = () => createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 1024 });

/** A worker that takes the strand over, writes records of its own, and then does as it is told. */
const startSecond = (strand: Strand<NumberedSchema>, from: number) =>
  startThread(
    async ({ strand, data, say, hear, numbered }) => {
      const writer = new strand.StrandWriter(data.strand);
      writer.begin();
      say('attached');
      await hear();
      writer.writeRecordBatch(numbered.records(data.from, 3));
      say('written');
      await hear();
      writer.finalize();
    },
    { strand, from },
  );

describe('a second writer in another worker', () => {
  test('fences the first: none of its calls does anything any more', async () => {
    const strand = small();
    const first = new StrandWriter(strand);
    first.begin();
    first.writeRecordBatch(numbered.records(0, 3));
    const second = startSecond(strand, 3);
    await second.said();
    const before = Buffer.from(new Uint8Array(strand.sab)).toString('hex');
    const calls: (() => unknown)[] = [
      () => first.begin(),
      () => first.write(numbered.record(9)),
      () => first.writeRecordBatch(numbered.records(9, 2)),
      () => first.tryWriteRecordBatch(numbered.records(9, 2)),
      () => first.claimSlot(),
      () => first.claimSlots(2),
      () => first.claimHeapBytes(8),
      () => first.commitSlot(3),
      () => first.commitHeap(),
      () => first.finalize(),
      () => first.abort('no'),
      () => first.reset(),
    ];
    for (const call of calls) expect(call, String(call)).toThrow(StrandFencedError);
    await expect(first.writeRecordBatchAsync(numbered.records(9, 2))).rejects.toThrow(StrandFencedError);
    expect(Buffer.from(new Uint8Array(strand.sab)).toString('hex')).toBe(before);

    second.say('write');
    second.say('finalize');
    expect(await numbered.drain(new StrandView(strand))).toBe(6);
    await second.done();
  });

  const ends = {
    finalizes: 'try { writer.finalize() } catch {}',
    aborts: 'try { writer.abort("no") } catch {}',
    closes: 'writer.close()',
    resets: 'try { writer.reset() } catch {}',
    'calls process.exit()': 'process.exit(0)',
    throws: 'throw new Error("no")',
    'comes to its end': '',
    'is terminated': 'terminate',
  };

  test.each(Object.entries(ends))('goes on undisturbed when the first one %s', async (_, end) => {
    const strand = small();
    const first = startThread(
      async ({ strand, data, say, hear, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        writer.begin();
        writer.writeRecordBatch(numbered.records(0, 3));
        say('written');
        await hear();
        new Function('writer', data.end)(writer);
      },
      { strand, end },
    );
    await first.said();
    const second = startSecond(strand, 3);
    await second.said();
    if (end === 'terminate') await first.terminate();
    else first.say('end');
    await first.ended;

    const view = new StrandView(strand);
    expect(view.status).toBe('streaming');
    second.say('write');
    await second.said();
    expect(view.committedCount).toBe(6);
    expect(view.status).toBe('streaming');
    second.say('finalize');
    expect(await numbered.drain(view)).toBe(6);
    expect(view.status).toBe('eos');
    await second.done();
  });

  test.each(['writeRecordBatch', 'writeRecordBatchAsync', 'claimSlot'])(
    'ends the wait of a first one blocked in %s',
    async (call) => {
      const strand = small();
      const view = new StrandView(strand);
      const first = startThread(
        async ({ strand, data, say, numbered }) => {
          const writer = new strand.StrandWriter(data.strand);
          writer.begin();
          writer.writeRecordBatch(numbered.records(0, 16));
          try {
            if (data.call === 'writeRecordBatch') writer.writeRecordBatch(numbered.records(100, 3));
            else if (data.call === 'claimSlot') writer.claimSlot();
            else await writer.writeRecordBatchAsync(numbered.records(100, 3));
          } catch (error) {
            say((error as Error).name);
          }
        },
        { strand, call },
      );
      await until(() => view.stats().producerStalls === 1);
      const second = new StrandWriter(strand);
      second.begin();
      expect(await first.said()).toBe('StrandFencedError');
      await first.done();
      expect(view.status).toBe('streaming');
      view.acknowledgeRead(16);
      second.writeRecordBatch(numbered.records(16, 4));
      numbered.check(view.allocateCursor(), 16, 20);
    },
  );

  test('takes over from one that was garbage collected, which is no end of the stream', async () => {
    const strand = small();
    const view = new StrandView(strand);
    const collected = await (async () => {
      let gone = false;
      const registry = new FinalizationRegistry(() => {
        gone = true;
      });
      (() => {
        const writer = new StrandWriter(strand);
        writer.begin();
        writer.writeRecordBatch(numbered.records(0, 3));
        writer.claimSlot();
        registry.register(writer, 0);
      })();
      await until(() => {
        globalThis.gc?.();
        return gone;
      });
      return gone;
    })();
    expect(collected).toBe(true);
    expect(view.status).toBe('streaming');
    // The finalizer of the native half comes with a later turn; until then the claim keeps others out.
    let second: StrandWriter<NumberedSchema> | undefined;
    await until(() => {
      try {
        second = new StrandWriter(strand);
      } catch (error) {
        expect(error).toBeInstanceOf(StrandBusyError);
      }
      return second !== undefined;
    });
    second?.writeRecordBatch(numbered.records(3, 3));
    second?.finalize();
    expect(await numbered.drain(view)).toBe(6);
  });
});

describe('a writer in the middle of filling slots', () => {
  test.each([
    ['has claimed slots', 'claim'],
    ['has claimed heap', 'heap'],
    ['is inside a batch', 'batch'],
  ])('keeps another one out with StrandBusyError, and nothing changes, while it %s', async (_, what) => {
    const strand = small();
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const first = startThread(
      ({ strand, data, say, numbered }) => {
        const writer = new strand.StrandWriter(data.strand);
        writer.begin();
        const pass = () => {
          say('busy');
          Atomics.wait(data.gate, 0, 0);
        };
        if (data.what === 'claim') {
          const { seq } = writer.claimSlot();
          pass();
          writer.commitSlot(seq);
        } else if (data.what === 'heap') {
          writer.claimHeapBytes(16);
          pass();
          writer.commitSlot(writer.claimSlot().seq);
        } else {
          const record = numbered.record(0);
          writer.writeRecordBatch([
            {
              ...record,
              get hash() {
                pass();
                return record.hash;
              },
            },
          ]);
        }
        writer.finalize();
      },
      { strand, gate, what },
    );
    await first.said();
    const before = Buffer.from(new Uint8Array(strand.sab)).toString('hex');
    expect(() => new StrandWriter(strand)).toThrow(StrandBusyError);
    expect(Buffer.from(new Uint8Array(strand.sab)).toString('hex')).toBe(before);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await first.done();
    const view = new StrandView(strand);
    expect(await view.waitForCommit(0)).toBe(1);
    expect(view.status).toBe('eos');
    const second = new StrandWriter(strand);
    second.write(numbered.record(1));
    expect(view.committedCount).toBe(2);
  });

  test('keeps nobody out once its thread is dead', async () => {
    const strand = small();
    const first = startThread(({ strand, data, say }) => {
      const writer = new strand.StrandWriter(data);
      writer.claimSlots(3);
      writer.claimHeapBytes(100);
      say('claimed');
      for (;;);
    }, strand);
    await first.said();
    await first.terminate();
    const second = new StrandWriter(strand);
    second.writeRecordBatch(numbered.records(0, 16));
    second.finalize();
    expect(await numbered.drain(new StrandView(strand))).toBe(16);
  });
});
