import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { createStrand, StrandClosedError } from '../../../dist/index.js';
import { createReadStream, createWriteStream, SABWritable } from '../../../dist/streams.js';
import { NUMBERED, numbered, numbersOf, open, openNumbered, turns } from '../support/strands.js';
import { collect, collectUntilError, fate, feed, written } from '../support/streams.js';
import { startChild, startThread } from '../support/threads.mjs';

const TINY = [{ name: 'n', type: 'u8' }] as const;
const tiny = (indexCapacity = 8) => createStrand(TINY, { indexCapacity });

describe('a writable', () => {
  test('takes records, batches and values of a field', async () => {
    for (const [options, chunks] of [
      [{}, numbered(0, 50)],
      [{ batch: true }, [numbered(0, 20), [], numbered(20, 21), numbered(21, 50)]],
      [{ field: 'n' }, numbered(0, 50).map(({ n }) => n)],
    ] as const) {
      const { strand } = openNumbered();
      const writable = new SABWritable({ strand, ...options });
      const [read] = await Promise.all([collect(createReadStream(strand)), feed(writable, chunks)]);
      expect(read).toEqual(numbered(0, 50));
    }
  });

  test('feeds a view in another thread', async () => {
    const { strand } = openNumbered();
    const consumer = startThread(async ({ strand, data, say }) => {
      const numbers: unknown[] = [];
      for await (const batch of new strand.StrandView(data)) {
        for (const record of batch) numbers.push(record.get('n'));
      }
      say(numbers);
    }, strand);
    await feed(createWriteStream(strand), numbered(0, 500));
    expect(await consumer.said()).toEqual(numbered(0, 500).map(({ n }) => n));
    await consumer.done();
  });

  test('calls back once the data is in the ring, and not before', async () => {
    const { strand, view } = openNumbered(4);
    const writable = createWriteStream(strand, { highWaterMark: 1 });
    const inRing: number[] = [];
    const all = numbered(0, 12).map(({ n }) =>
      written(writable, { n }).then(() => {
        expect(view.committedCount).toBeGreaterThan(n);
        inRing.push(n);
      }),
    );
    for (let upTo = 0; upTo < 12; upTo++) {
      if (upTo > 0) view.acknowledgeRead(upTo);
      await turns(5);
      expect(inRing.length).toBeLessThanOrEqual(upTo + 4);
    }
    await Promise.all(all);
    expect(inRing).toEqual(numbered(0, 12).map(({ n }) => n));
    writable.destroy();
  });

  test('publishes what has gathered in one step', async () => {
    const { strand, view } = openNumbered(8);
    const writable = createWriteStream(strand);
    await feedUntilFull(writable, 8);
    const steps = new Set<number>();
    const group = numbered(8, 15).map((record) => written(writable, record));
    // The first of them waits alone; the others gather.
    view.acknowledgeRead(1);
    await group[0];
    const before = view.committedCount;
    expect(before).toBe(9);
    for (let upTo = 2; upTo <= 7; upTo++) {
      view.acknowledgeRead(upTo);
      await turns(5);
      steps.add(view.committedCount);
    }
    await Promise.all(group);
    expect([...steps]).toEqual([9, 15]);
    writable.destroy();
  });

  test('publishes several writes behind cork() in one step', async () => {
    const { strand, view } = openNumbered(8);
    const writable = createWriteStream(strand);
    writable.cork();
    const seen = new Set<number>();
    const group = [0, 1, 2].map((n) =>
      written(writable, {
        get n() {
          seen.add(view.committedCount);
          return n;
        },
      }),
    );
    writable.uncork();
    await Promise.all(group);
    expect([...seen]).toEqual([0]);
    expect(view.committedCount).toBe(3);
    writable.destroy();
  });

  test('loses nothing of what end() follows at once', async () => {
    for (const options of [{}, { highWaterMark: 0 }, { highWaterMark: 1 }]) {
      const { strand } = openNumbered(4);
      const writable = createWriteStream(strand, options);
      for (const record of numbered(0, 100)) writable.write(record);
      writable.end({ n: 100 });
      expect(await collect(createReadStream(strand))).toEqual(numbered(0, 101));
      await finished(writable);
    }
  });

  test('loses nothing where its thread ends by itself right after end()', async () => {
    const { strand } = openNumbered(4);
    const producer = startThread(({ streams, data }) => {
      const writable = streams.createWriteStream(data);
      for (let n = 0; n < 100; n++) writable.write({ n });
      writable.end();
    }, strand);
    expect(await collect(createReadStream(strand))).toEqual(numbered(0, 100));
    await producer.done();
  });

  test('loses nothing where the process ends by itself right after end()', async () => {
    const child = startChild(({ strand, streams, say, startThread }) => {
      const ring = strand.createStrand([{ name: 'n', type: 'u32' }], { indexCapacity: 4 });
      const reader = startThread(async ({ streams, data, say }) => {
        let sum = 0;
        for await (const { n } of streams.createReadStream(data)) sum += Number(n);
        say(sum);
      }, ring);
      void reader.said().then(say);
      const writable = streams.createWriteStream(ring);
      for (let n = 0; n < 100; n++) writable.write({ n });
      writable.end();
    }, {});
    expect(await child.done()).toEqual([4950]);
  });

  test('leaves a writer that it was given open', async () => {
    const { writer, view, cursor } = openNumbered();
    const writable = createWriteStream(writer);
    await feed(writable, numbered(0, 3));
    await fate(writable);
    expect(view.producerStatus).toBe('eos');
    expect(numbersOf({ view, cursor })).toEqual([0, 1, 2]);
    writer.reset();
    writer.write({ n: 9 });
    expect(await view.waitForCommit(0)).toBe(1);
  });

  test('begins the stream, so that readers see it before the first record', () => {
    const { strand, view } = openNumbered();
    const writable = createWriteStream(strand);
    expect(view.status).toBe('streaming');
    writable.destroy();
  });

  test('is a WritableStream of the web, too', async () => {
    const { strand } = openNumbered();
    const read = collect(createReadStream(strand));
    const web = Writable.toWeb(createWriteStream(strand)).getWriter();
    for (const record of numbered(0, 30)) {
      await web.ready;
      void web.write(record);
    }
    await web.close();
    expect(await read).toEqual(numbered(0, 30));
  });
});

async function feedUntilFull(writable: Writable, records: number): Promise<void> {
  await Promise.all(numbered(0, records).map((record) => written(writable, record)));
}

describe('a value that does not fit', () => {
  test('fails its write with the field, and what came before it is read before the error', async () => {
    for (const size of [4, 64]) {
      const strand = tiny(size);
      const writable = createWriteStream(strand);
      writable.cork();
      const before = [0, 1, 2, 3, 4, 5].map((n) => writable.write({ n }));
      expect(before.length).toBe(6);
      const bad = written(writable, { n: 256 });
      const after = written(writable, { n: 7 });
      for (const write of [bad, after]) write.catch(() => {});
      writable.uncork();
      const failed = fate(writable);
      const { chunks, error } = await collectUntilError(createReadStream(strand));
      await expect(bad).rejects.toMatchObject({ code: 'ERR_STRAND_OUT_OF_RANGE', field: 'n' });
      await expect(after).rejects.toThrow();
      expect(chunks).toEqual([0, 1, 2, 3, 4, 5].map((n) => ({ n })));
      expect(error).toMatchObject({ code: 'ERR_STRAND_ABORTED' });
      expect(error.reason).toMatch(/field 'n' of record 0 takes/);
      expect(await failed).toMatchObject({ code: 'ERR_STRAND_OUT_OF_RANGE', field: 'n', recordsWritten: 6 });
    }
  });

  test('that throws by code of its own keeps nothing out that came before it', async () => {
    const strand = tiny();
    const writable = createWriteStream(strand);
    const failed = fate(writable);
    writable.cork();
    writable.write({ n: 1 });
    writable.write({ n: 2 });
    writable.write({
      get n(): number {
        throw new RangeError('not today');
      },
    });
    writable.write({ n: 3 });
    writable.uncork();
    const { chunks, error } = await collectUntilError(createReadStream(strand));
    expect(chunks).toEqual([{ n: 1 }, { n: 2 }]);
    expect(error.reason).toBe('not today');
    expect(await failed).toMatchObject({ message: 'not today', recordsWritten: 2 });
  });

  test('fails a write by itself', async () => {
    const strand = tiny();
    const writable = createWriteStream(strand, { field: 'n' });
    const failed = fate(writable);
    await written(writable, 1);
    await expect(written(writable, 'one')).rejects.toMatchObject({
      code: 'ERR_STRAND_INVALID_ARGUMENT',
      field: 'n',
    });
    await failed;
    const { chunks } = await collectUntilError(createReadStream(strand));
    expect(chunks).toEqual([{ n: 1 }]);
  });

  test('in a batch keeps the whole batch out of the ring, and lets those before it in', async () => {
    for (const corked of [true, false]) {
      const strand = tiny(16);
      const writable = createWriteStream(strand, { batch: true });
      const failed = fate(writable);
      if (corked) writable.cork();
      writable.write([{ n: 0 }, { n: 1 }]);
      writable.write([]);
      writable.write([{ n: 2 }]);
      const bad = written(writable, [{ n: 3 }, { n: 4 }, { n: -1 }, { n: 5 }]);
      bad.catch(() => {});
      writable.uncork();
      const { chunks } = await collectUntilError(createReadStream(strand));
      expect(chunks).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
      await expect(bad).rejects.toMatchObject({ code: 'ERR_STRAND_OUT_OF_RANGE', field: 'n' });
      await failed;
    }
  });

  test('of the wrong kind for the mode is refused as such', async () => {
    for (const [options, chunk, good] of [
      [{}, [{ n: 1 }], { n: 0 }],
      [{}, 5, { n: 0 }],
      [{ batch: true }, { n: 1 }, [{ n: 0 }]],
      [{ batch: true }, 'text', [{ n: 0 }]],
    ] as const) {
      const strand = tiny();
      const writable = new SABWritable({ strand, ...options });
      const failed = fate(writable);
      writable.cork();
      writable.write(good);
      writable.write(chunk);
      writable.uncork();
      expect(await failed).toMatchObject({ code: 'ERR_STRAND_INVALID_ARGUMENT' });
      const { chunks } = await collectUntilError(createReadStream(strand));
      expect(chunks).toEqual([{ n: 0 }]);
    }
  });

  test('fails also where writes block, in a worker', async () => {
    const strand = tiny(4);
    const producer = startThread(({ streams, data, say }) => {
      const writable = streams.createWriteStream(data, { blocking: true });
      writable.on('error', (error) => say({ ...error }));
      writable.cork();
      for (let n = 0; n < 10; n++) writable.write({ n });
      writable.write({ n: 1000 });
      writable.write({ n: 1 });
      writable.uncork();
    }, strand);
    const { chunks } = await collectUntilError(createReadStream(strand, { field: 'n' }));
    expect(chunks).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await producer.said()).toMatchObject({ code: 'ERR_STRAND_OUT_OF_RANGE', field: 'n' });
    await producer.done();
  });
});

describe('an older writable', () => {
  test('fails with StrandFencedError once a newer writer has the strand, and does not delay it', async () => {
    const { strand } = openNumbered(4);
    const older = createWriteStream(strand);
    const failed = fate(older);
    const newer = createWriteStream(strand);
    const fed = feed(newer, numbered(0, 20));
    expect(await failed).toMatchObject({ code: 'ERR_STRAND_FENCED' });
    await turns();
    const read = collect(createReadStream(strand));
    await fed;
    expect(await read).toEqual(numbered(0, 20));
  });
});

describe('a strand', () => {
  test('whose readers have stopped the stream fails its writable with their reason', async () => {
    const { strand, view } = open(NUMBERED);
    view.signalAbort('no appetite');
    expect(await fate(createWriteStream(strand))).toMatchObject({
      code: 'ERR_STRAND_ABORTED',
      reason: 'no appetite',
    });
  });

  test('whose writer has ended the stream takes no writable by that writer', async () => {
    const { writer, view } = openNumbered();
    writer.finalize();
    expect(() => new SABWritable({ writer })).toThrow(StrandClosedError);
    expect(view.producerStatus).toBe('eos');
    expect(await collect(createReadStream(view))).toEqual([]);
  });
});
