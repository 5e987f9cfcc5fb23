import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createStrand, FIELD_BYTE_WIDTHS, StrandView, StrandWriter } from '../../../dist/index.js';
import { createReadStream, createWriteStream, SABReadable } from '../../../dist/streams.js';
import { everyType } from '../support/every_type.mjs';
import { exampleFields, plain, plainRecord } from '../support/records.js';
import { seed } from '../support/seed.js';
import { NUMBERED, numbered, open, turns } from '../support/strands.js';
import { collect, fate, feed } from '../support/streams.js';
import { startThread } from '../support/threads.mjs';

const ROUNDS = 400;

/** A strand of every field type, small enough to go round often. */
const everyStrand = () =>
  createStrand(everyType.fields(FIELD_BYTE_WIDTHS), {
    indexCapacity: 8,
    heapCapacity: 1 << 14,
    meta: { intern_table: ['even', 'odd'] },
  });

/** Records of every type as a cursor reads them, each from a ring of its own. */
function asRead(count: number): ReadonlyMap<string, unknown>[] {
  const { writer, view, cursor } = everyEnds();
  return Array.from({ length: count }, (_, n) => {
    writer.write(everyType.record(n));
    cursor.seek(n);
    const record = plainRecord(cursor.toObject());
    view.acknowledgeRead(n + 1);
    return record;
  });
}

function everyEnds() {
  const strand = everyStrand();
  const writer = new StrandWriter(strand);
  const view = new StrandView(strand);
  return { strand, writer, view, cursor: view.allocateCursor() };
}

const records = (count: number) => Array.from({ length: count }, (_, n) => everyType.record(n));

/** Views of shared memory among a record's values. */
const sharedIn = (values: readonly unknown[]) =>
  values.filter((value) => ArrayBuffer.isView(value) && value.buffer instanceof SharedArrayBuffer);

describe('a readable of records', () => {
  test('gives what a cursor reads, of every type, in memory of its own, and keeps it when the ring goes round', async () => {
    const strand = everyStrand();
    const [chunks] = await Promise.all([
      collect(createReadStream(strand)),
      feed(createWriteStream(strand), records(ROUNDS)),
    ]);
    expect(chunks.flatMap((chunk) => sharedIn(Object.values(chunk)))).toEqual([]);
    const expected = asRead(ROUNDS);
    expect(chunks.length).toBe(ROUNDS);
    for (const [n, chunk] of chunks.entries()) {
      if (!isDeepStrictEqual(plainRecord(chunk), expected[n]))
        expect(plainRecord(chunk)).toEqual(expected[n]);
    }
  });

  test('gives what another thread writes by a writer', async () => {
    const { strand } = open(NUMBERED);
    const producer = startThread(({ strand, data }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      for (let n = 0; n < 1000; n++) writer.write({ n });
      writer.finalize();
    }, strand);
    expect(await collect(createReadStream(strand))).toEqual(numbered(0, 1000));
    await producer.done();
  });

  test('begins at the oldest record that nobody has released', async () => {
    const { strand, writer, view } = open(NUMBERED);
    writer.writeRecordBatch(numbered(0, 5));
    view.acknowledgeRead(2);
    writer.finalize();
    expect(await collect(createReadStream(strand))).toEqual(numbered(2, 5));
  });

  test('reads a stream of no records', async () => {
    const { strand, writer } = open(NUMBERED);
    writer.finalize();
    expect(await collect(createReadStream(strand))).toEqual([]);
  });

  test('gives fields with names that mean something to JavaScript', async () => {
    await fc.assert(
      fc.asyncProperty(exampleFields, async (fields) => {
        const strand = createStrand(fields);
        const writer = new StrandWriter(strand);
        writer.write({});
        writer.finalize();
        const view = new StrandView(strand);
        const cursor = view.allocateCursor();
        cursor.seek(0);
        const expected = plainRecord(cursor.toObject());
        const [record] = await collect(createReadStream(strand));
        expect(plainRecord(record ?? {})).toEqual(expected);
        expect(sharedIn(Object.values(record ?? {}))).toEqual([]);
      }),
      { seed, numRuns: 50 },
    );
  });
});

describe('a readable of batches', () => {
  test('gives arrays of the same records, none longer than maxRecords', async () => {
    const strand = everyStrand();
    const [batches] = await Promise.all([
      collect(createReadStream(strand, { batch: true, maxRecords: 3 })),
      feed(createWriteStream(strand), records(ROUNDS)),
    ]);
    for (const batch of batches) {
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(3);
      expect(batch.flatMap((record) => sharedIn(Object.values(record)))).toEqual([]);
    }
    const read = batches.flat().map(plainRecord);
    expect(isDeepStrictEqual(read, asRead(ROUNDS))).toBe(true);
  });

  test('gives what is there together in one', async () => {
    const { strand, writer } = open(NUMBERED);
    writer.writeRecordBatch(numbered(0, 7));
    writer.finalize();
    expect(await collect(createReadStream(strand, { batch: true }))).toEqual([numbered(0, 7)]);
  });
});

describe('a readable of one field', () => {
  const types = Object.keys(FIELD_BYTE_WIDTHS).flatMap((type) => [type, `${type}?`]);

  test.each(types)('gives the values of %s, and undefined where there is none', async (field) => {
    const count = 40;
    const strand = everyStrand();
    const [values] = await Promise.all([
      collect(new SABReadable({ strand, field })),
      feed(createWriteStream(strand), records(count)),
    ]);
    expect(sharedIn(values)).toEqual([]);
    const expected = asRead(count).map((record) => record.get(field) ?? undefined);
    expect(values.map(plain)).toEqual(expected);
    if (field.endsWith('?')) expect(values[0]).toBe(undefined);
  });
});

describe('a readable', () => {
  test('composes as others do: pipeline, map, compose, toWeb', async () => {
    const source = (count: number) => {
      const { strand, writer } = open(NUMBERED, { indexCapacity: 64 });
      writer.writeRecordBatch(numbered(0, count));
      writer.finalize();
      return createReadStream(strand, { field: 'n' });
    };
    const doubled = () =>
      new Transform({
        objectMode: true,
        transform: (chunk: number, _, callback) => callback(null, chunk * 2),
      });
    const expected = [0, 2, 4, 6];
    expect(await collect(source(4).map((n) => n * 2))).toEqual(expected);
    expect(await collect(source(4).compose(doubled()))).toEqual(expected);
    const seen: number[] = [];
    await pipeline(source(4), doubled(), async (chunks: AsyncIterable<number>) => {
      for await (const chunk of chunks) seen.push(chunk);
    });
    expect(seen).toEqual(expected);
    const web: number[] = [];
    const reader = (Readable.toWeb(source(4)) as ReadableStream<number>).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) web.push(next.value);
    expect(web).toEqual([0, 1, 2, 3]);
  });

  test('waits only once, however often it is asked to read', async () => {
    const { writer, view } = open(NUMBERED);
    const waits = vi.spyOn(view, 'waitForCommit');
    const readable = createReadStream(view);
    const seen: unknown[] = [];
    readable.on('data', (chunk) => seen.push(chunk));
    await turns();
    for (let i = 0; i < 5; i++) {
      readable._read();
      readable.read(0);
    }
    await turns();
    expect(waits).toHaveBeenCalledOnce();
    writer.writeRecordBatch(numbered(0, 3));
    writer.finalize();
    expect(await fate(readable)).toBe(undefined);
    expect(seen).toEqual(numbered(0, 3));
  });

  test.each([0, 1])('works with a highWaterMark of %i', async (highWaterMark) => {
    for (const consume of [
      collect<unknown>,
      (readable: Readable) =>
        new Promise<unknown[]>((resolve) => {
          const seen: unknown[] = [];
          readable.on('data', (chunk) => seen.push(chunk)).on('end', () => resolve(seen));
        }),
    ]) {
      const { strand } = open(NUMBERED);
      const [read] = await Promise.all([
        consume(createReadStream(strand, { highWaterMark })),
        feed(createWriteStream(strand, { highWaterMark }), numbered(0, 100)),
      ]);
      expect(read).toEqual(numbered(0, 100));
    }
  });

  test('leaves a view that it was given open', async () => {
    const { writer, view, cursor } = open(NUMBERED);
    writer.writeRecordBatch(numbered(0, 3));
    writer.finalize();
    expect(await collect(createReadStream(view))).toEqual(numbered(0, 3));
    expect(await view.waitForCommit(3)).toBe(3);
    expect(cursor.seek(2)).toBe(true);
  });

  test('beside registered consumers starts where `from` says, and the producer waits for it', async () => {
    const { strand, writer, view } = open(NUMBERED);
    writer.writeRecordBatch(numbered(0, 4));
    const token = view.registerConsumer();
    view.acknowledgeRead(4, token);
    const latest = createReadStream(strand, { from: 'latest' });
    expect(writer.tryWriteRecordBatch(numbered(4, 20))).toBe(8);
    view.acknowledgeRead(12, token);
    expect(writer.tryWriteRecordBatch(numbered(12, 13))).toBe(0);
    writer.finalize();
    expect(await collect(latest)).toEqual(numbered(4, 12));
    for (const [from, first] of [
      ['oldest', 12],
      [12, 12],
    ] as const) {
      expect(await collect(createReadStream(strand, { from }))).toEqual(numbered(first, 12));
    }
    expect(() => createReadStream(strand, { from: 3 })).toThrow(RangeError);
  });

  test.each([{ binary: true }, {}, { field: 'bytes' }, { batch: true, maxRecords: 1 }] as const)(
    'fails with StrandResetError where the stream was reset in its midst, and leaves the new one alone (%o)',
    async (mode) => {
      const strand = createStrand([{ name: 'bytes', type: 'large_bytes' }], {
        indexCapacity: 8,
        heapCapacity: 1 << 20,
      });
      const writer = new StrandWriter(strand);
      const record = { bytes: new Uint8Array(100_000) };
      writer.writeRecordBatch([record, record, record, record]);
      const readable = new SABReadable({ strand, ...mode, highWaterMark: 1 });
      const chunks = readable[Symbol.asyncIterator]();
      await chunks.next();
      writer.reset();
      for (let i = 0; i < 5; i++) writer.write(record);
      const rest = (async () => {
        for (let next = await chunks.next(); !next.done; next = await chunks.next());
      })();
      await expect(rest).rejects.toMatchObject({ code: 'ERR_STRAND_RESET' });
      writer.write(record);
      writer.finalize();
      expect((await collect(createReadStream(strand))).length).toBe(6);
    },
  );
});
