import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { StrandView, StrandWriter } from '../../../dist/index.js';
import { createReadStream, createWriteStream } from '../../../dist/streams.js';
import { numbered, openNumbered, turns } from '../support/strands.js';
import { byteStrand, collect, collectUntilError, fate, feed, written } from '../support/streams.js';
import { startThread, until } from '../support/threads.mjs';

describe('a writable', () => {
  test('that is destroyed at any moment behind its wait for room tells its readers', async () => {
    for (let microtasks = 0; microtasks < 8; microtasks++) {
      const { strand, view } = openNumbered(2);
      const writable = createWriteStream(strand);
      void fate(writable);
      for (const record of numbered(0, 4)) writable.write(record);
      // Seen by its loop in the turn in which this thread goes on.
      const woken = view.waitForCommit(2);
      view.acknowledgeRead(2);
      await new Promise((resolve) => setImmediate(resolve));
      let step = Promise.resolve();
      for (let i = 0; i < microtasks; i++) step = step.then(() => {});
      await step;
      writable.destroy(new Error('over'));
      await woken;
      await until(() => view.producerStatus === 'error');
    }
  });

  test('that is destroyed by code of the record that it writes tells its readers', async () => {
    const { strand, view } = openNumbered();
    const writable = createWriteStream(strand);
    void fate(writable);
    writable.write({
      get n() {
        writable.destroy(new Error('from within'));
        return 1;
      },
    });
    await until(() => view.producerStatus === 'error');
    expect(view.error).toBe('from within');
  });

  test('that has finished leaves the next one on its writer its watch', async () => {
    const { strand } = openNumbered();
    const writer = new StrandWriter(strand);
    const first = createWriteStream(writer);
    first.end();
    await once(first, 'finish');
    writer.reset();
    const second = createWriteStream(writer);
    const ended = fate(second);
    await until(() => first.closed);
    const busy = setInterval(() => {}, 1000);
    new StrandView(strand).signalAbort('enough');
    expect(await ended).toMatchObject({ code: 'ERR_STRAND_ABORTED', reason: 'enough' });
    clearInterval(busy);
  });

  test.each([
    ['bytes', { binary: true }],
    ['values of a field', { field: 'bytes' }],
  ] as const)('of %s that is idle keeps no chunk alive', async (_, mode) => {
    const writable = createWriteStream(byteStrand(), mode as { readonly binary: true });
    const chunk = await (async () => {
      const bytes = Buffer.alloc(100);
      await written(writable, bytes);
      return new WeakRef(bytes);
    })();
    await until(() => {
      globalThis.gc?.();
      return chunk.deref() === undefined;
    });
    writable.destroy();
    await fate(writable);
  });

  test('that blocks has each chunk in the ring when its write returns', async () => {
    const { strand } = openNumbered();
    const thread = startThread(({ strand: core, streams, data, say }) => {
      const view = new core.StrandView(data);
      const writable = streams.createWriteStream(data, { blocking: true });
      const counts = [0, 1, 2].map((n) => {
        writable.write({ n });
        return view.committedCount;
      });
      say(counts);
      writable.end();
    }, strand);
    expect(await thread.said()).toEqual([1, 2, 3]);
    await thread.done();
  });
});

describe('errors whose message is no string', () => {
  test('reach the other side', async () => {
    for (const [thrown, reason] of [
      [Object.assign(new Error(), { message: 5 }), /5|Error/],
      ['plain text', /plain text/],
    ] as const) {
      const { strand } = openNumbered();
      const writable = createWriteStream(strand);
      const ended = fate(writable);
      const readable = createReadStream(strand);
      void fate(readable);
      readable.destroy(thrown as Error);
      writable.write({ n: 1 });
      expect((await ended)?.reason).toMatch(reason);
    }
  });
});

describe('several readables', () => {
  test('keep positions of their own when the stream is reset before they read', async () => {
    const { strand } = openNumbered(4);
    const writer = new StrandWriter(strand);
    const fast = createReadStream(strand, { from: 'oldest', highWaterMark: 1 });
    const slow = createReadStream(strand, { from: 'oldest', highWaterMark: 1 });
    writer.reset();
    const reading = collect(fast);
    const slowly = (async () => {
      const all: unknown[] = [];
      for await (const record of slow) {
        all.push(record);
        await turns(2);
      }
      return all;
    })();
    await turns(2);
    await feed(createWriteStream(writer), numbered(0, 40));
    expect(await reading).toEqual(numbered(0, 40));
    expect(await slowly).toEqual(numbered(0, 40));
  });

  test('that share a position never give bytes that another record has overwritten', async () => {
    const strand = byteStrand(4, 64);
    const writer = new StrandWriter(strand);
    writer.begin();
    const slow = createReadStream(strand, { binary: true, highWaterMark: 1 });
    const seen: Buffer[] = [];
    slow.on('readable', () => {});
    const text = (n: number) => ({ bytes: Buffer.alloc(8, 97 + n) });
    writer.writeRecordBatch([0, 1].map(text));
    await until(() => slow.readableLength > 0);
    // Another reader releases all that there is, and the producer comes around.
    const view = new StrandView(strand);
    for (let n = 2; n < 20; n += 2) {
      view.acknowledgeRead(view.committedCount);
      writer.writeRecordBatch([n % 26, (n + 1) % 26].map(text));
    }
    writer.finalize();
    slow.removeAllListeners('readable');
    const { chunks, error } = await collectUntilError(slow);
    for (const chunk of [...seen, ...(chunks as Buffer[])])
      expect('aaaaaaaabbbbbbbb').toContain(chunk.toString());
    expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' });
  });
});
