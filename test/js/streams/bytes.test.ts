import { createHash } from 'node:crypto';
import { createReadStream as createFileStream, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStrand, StrandWriter } from '../../../dist/index.js';
import { createReadStream, createWriteStream } from '../../../dist/streams.js';
import { seed } from '../support/seed.js';
import { turns } from '../support/strands.js';
import { byteStrand, collect, fate, feed, written } from '../support/streams.js';
import { startThread } from '../support/threads.mjs';

const LONG_BYTES = 100 << 20;

const through = async (chunks: Iterable<unknown>, strand = byteStrand()): Promise<Buffer> => {
  const [read] = await Promise.all([
    collect(createReadStream(strand, { binary: true })),
    feed(createWriteStream(strand, { binary: true }), chunks),
  ]);
  return Buffer.concat(read);
};

const patterned = (length: number, salt = 0) =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + salt) >>> 3));

describe('bytes', () => {
  test.each([0, 1, 255, 256, 257, 1023, 1024, 1025, 100_000])(
    'come through in order in chunks of %i bytes',
    async (length) => {
      const chunks = Array.from({ length: 5 }, (_, i) => patterned(length, i));
      expect((await through(chunks)).equals(Buffer.concat(chunks))).toBe(true);
    },
  );

  test.each(['bytes', 'large_bytes'] as const)('go through a field of %s that may be null', async (type) => {
    const fields = [{ name: 'b', type, nullable: true }] as const;
    const strand = createStrand(fields, { indexCapacity: 8, heapCapacity: 1 << 20 });
    const chunks = [patterned(200_000), patterned(3), patterned(70_000)];
    expect((await through(chunks, strand)).equals(Buffer.concat(chunks))).toBe(true);

    const mixed = createStrand(fields, { indexCapacity: 8, heapCapacity: 1 << 12 });
    const writer = new StrandWriter(mixed);
    writer.writeRecordBatch([
      { b: null },
      { b: patterned(3) },
      {},
      { b: new Uint8Array(0) },
      { b: patterned(2) },
    ]);
    writer.write({ b: null });
    writer.finalize();
    const read = Buffer.concat(await collect(createReadStream(mixed, { binary: true })));
    expect(read).toEqual(Buffer.concat([patterned(3), patterned(2)]));
  });

  test('wait for more where all that has come holds none', async () => {
    const strand = createStrand([{ name: 'b', type: 'bytes', nullable: true }], { indexCapacity: 2 });
    const writer = new StrandWriter(strand);
    const read = collect(createReadStream(strand, { binary: true }));
    for (let i = 0; i < 10; i++) {
      await writer.writeRecordBatchAsync([{}, { b: new Uint8Array(0) }]);
      await turns();
    }
    await writer.writeRecordBatchAsync([{ b: patterned(1) }]);
    writer.finalize();
    expect(Buffer.concat(await read)).toEqual(patterned(1));
  });

  test('may be strings of any encoding, Buffers and Uint8Arrays, parts of larger ones too', async () => {
    const strand = byteStrand();
    const writable = createWriteStream(strand, { binary: true, defaultEncoding: 'latin1' });
    const read = collect(createReadStream(strand, { binary: true }));
    writable.write('crêpe');
    await written(writable, 'ffee', 'hex');
    await written(writable, '€', 'utf8');
    writable.write(Buffer.from('abcdef').subarray(2, 4));
    writable.write(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
    writable.write(new Uint8Array(new SharedArrayBuffer(2)).fill(7));
    writable.end();
    expect(Buffer.concat(await read)).toEqual(
      Buffer.concat([
        Buffer.from('crêpe', 'latin1'),
        Buffer.from('ffee', 'hex'),
        Buffer.from('€'),
        Buffer.from('cd'),
        Buffer.of(2, 3, 7, 7),
      ]),
    );
  });

  test('are decoded with `encoding`, characters across records and chunks included', async () => {
    const text = 'crêpe 🥞 and gaufre €'.repeat(50);
    const bytes = Buffer.from(text);
    const strand = byteStrand();
    const writable = createWriteStream(strand, { binary: true });
    const read = collect<unknown>(createReadStream(strand, { binary: true, encoding: 'utf8' }));
    await feed(
      writable,
      Array.from({ length: bytes.length }, (_, i) => bytes.subarray(i, i + 1)),
    );
    const chunks = await read;
    expect(chunks.every((chunk) => typeof chunk === 'string')).toBe(true);
    expect(chunks.join('')).toBe(text);
  });

  test('that were read are never shared memory, and stay as they are when the ring goes round', async () => {
    const chunks = Array.from({ length: 300 }, (_, i) => patterned(100, i));
    const strand = byteStrand();
    const fed = feed(createWriteStream(strand, { binary: true }), chunks);
    const read = await collect(createReadStream(strand, { binary: true }));
    await fed;
    expect(read.filter(({ buffer }) => (buffer as ArrayBufferLike) instanceof SharedArrayBuffer)).toEqual([]);
    expect(Buffer.concat(read).equals(Buffer.concat(chunks))).toBe(true);
  });

  test('no write of other values is taken', async () => {
    const writable = createWriteStream(byteStrand(), { binary: true });
    expect(() => writable.write(5 as unknown as string)).toThrow(TypeError);
    const failed = fate(writable);
    writable.destroy();
    await failed;
  });

  test.each([0, 1])('come through with a highWaterMark of %i', async (highWaterMark) => {
    const strand = byteStrand();
    const chunks = Array.from({ length: 20 }, (_, i) => patterned(300, i));
    const [read] = await Promise.all([
      collect(createReadStream(strand, { binary: true, highWaterMark })),
      feed(createWriteStream(strand, { binary: true, highWaterMark }), chunks),
    ]);
    expect(Buffer.concat(read).equals(Buffer.concat(chunks))).toBe(true);
  });

  test('of a file come through to another thread by pipeline', async () => {
    const file = new URL('../../../package-lock.json', import.meta.url);
    const strand = byteStrand(8, 1 << 12);
    const consumer = startThread(async ({ streams, data, say }) => {
      const chunks: Buffer[] = [];
      for await (const chunk of streams.createReadStream(data, { binary: true })) chunks.push(chunk);
      say(Buffer.concat(chunks).toString());
    }, strand);
    await pipeline(createFileStream(file), createWriteStream(strand, { binary: true }));
    expect((await consumer.said()) === readFileSync(file, 'utf8')).toBe(true);
    await consumer.done();
  });

  test('100 MB come through a ring of 1 MiB from another thread, and back from this one', async () => {
    const block = patterned(1 << 20);
    const expected = createHash('sha1');
    for (let sent = 0; sent < LONG_BYTES; sent += block.length) expected.update(block);
    const digest = expected.digest('hex');

    const there = byteStrand(64, 1 << 20);
    const producer = startThread(
      ({ streams, data }) => {
        const writable = streams.createWriteStream(data.there, { binary: true, blocking: true });
        for (let sent = 0; sent < data.bytes; sent += data.block.length) writable.write(data.block);
        writable.end();
      },
      { there, block, bytes: LONG_BYTES },
    );
    const hash = createHash('sha1');
    await pipeline(createReadStream(there, { binary: true }), hash);
    expect(hash.digest('hex')).toBe(digest);
    await producer.done();

    const back = byteStrand(64, 1 << 20);
    const consumer = startThread(async ({ streams, data, say }) => {
      const { createHash } = process.getBuiltinModule('node:crypto');
      const hash = createHash('sha1');
      for await (const chunk of streams.createReadStream(data, { binary: true, blocking: true }))
        hash.update(chunk);
      say(hash.digest('hex'));
    }, back);
    const blocks = Array.from({ length: LONG_BYTES / block.length }, () => block);
    await pipeline(Readable.from(blocks), createWriteStream(back, { binary: true }));
    expect(await consumer.said()).toBe(digest);
    await consumer.done();
  });

  test('are given back when the next are asked for and not there yet, however few they are', async () => {
    const strand = byteStrand(8, 100);
    const writable = createWriteStream(strand, { binary: true, highWaterMark: 0 });
    const lengths: number[] = [];
    const reading = (async () => {
      const readable = createReadStream(strand, { binary: true, highWaterMark: 0, zeroCopy: true });
      for await (const bytes of readable) lengths.push(bytes.length);
    })();
    // The last one goes to the heap's start, once all of it is free.
    for (const length of [0, 26, 1, 78]) writable.write(patterned(length, 0));
    writable.end();
    await reading;
    expect(lengths.reduce((a, b) => a + b)).toBe(105);
  });

  test('in any chunks through any small ring are the same bytes', async () => {
    const chunk = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 400 }), fc.constantFrom(0, 1));
    const operations = fc.array(fc.tuple(chunk, fc.constantFrom('write', 'cork', 'turn')), { maxLength: 40 });
    const ring = fc.record({
      indexCapacity: fc.constantFrom(1, 2, 8),
      heapCapacity: fc.integer({ min: 1, max: 200 }),
    });
    const marks = fc.tuple(fc.nat({ max: 50 }), fc.nat({ max: 50 }));
    await fc.assert(
      fc.asyncProperty(
        operations,
        ring,
        marks,
        fc.boolean(),
        async (steps, size, [read, write], zeroCopy) => {
          const strand = byteStrand(size.indexCapacity, size.heapCapacity);
          const writable = createWriteStream(strand, { binary: true, highWaterMark: write });
          const received: Buffer[] = [];
          const reading = (async () => {
            for await (const bytes of createReadStream(strand, {
              binary: true,
              highWaterMark: read,
              zeroCopy,
            })) {
              if (bytes.length % 3 === 0) await turns(1);
              received.push(Buffer.from(bytes));
            }
          })();
          const sent: Buffer[] = [];
          for (const [length, operation] of steps) {
            if (operation === 'cork') {
              writable.cork();
              process.nextTick(() => writable.uncork());
            }
            if (operation === 'turn') await turns(1);
            sent.push(patterned(length, sent.length));
            writable.write(sent.at(-1) as Buffer);
          }
          writable.end();
          await reading;
          expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
        },
      ),
      { seed, numRuns: 100 },
    );
  });
});
