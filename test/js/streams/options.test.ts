import { describe, expect, test } from 'vitest';
import { createStrand, StrandView, StrandWriter } from '../../../dist/index.js';
import {
  createReadStream,
  createWriteStream,
  SABReadable,
  type SABReadableOptions,
  SABWritable,
  type SABWritableOptions,
} from '../../../dist/streams.js';
import { NUMBERED, numbered, open, openNumbered } from '../support/strands.js';
import { byteStrand, collect, feed, written } from '../support/streams.js';
import { startThread } from '../support/threads.mjs';

const TYPE = 'ERR_STRAND_INVALID_ARGUMENT';
const RANGE = 'ERR_STRAND_OUT_OF_RANGE';

type Bad = readonly [name: string, options: object, code: string];

/** Options that streams of both directions refuse, of a strand of numbers unless they say otherwise. */
const both: readonly Bad[] = [
  ['two modes', { batch: true, binary: true }, TYPE],
  ['two modes, one a field', { batch: true, field: 'n' }, TYPE],
  ['an unknown field', { field: 'm' }, TYPE],
  ['bytes of a strand of numbers', { binary: true }, TYPE],
  ['a negative highWaterMark', { highWaterMark: -1 }, RANGE],
  ['a highWaterMark that is no number', { highWaterMark: '5' }, RANGE],
  ['a signal that is none', { signal: {} }, TYPE],
  ['blocking on the main thread', { blocking: true }, TYPE],
  ['a blocking that is no boolean', { blocking: 1 }, TYPE],
  ['a batch that is no boolean', { batch: 'yes' }, TYPE],
  ['a binary that is no boolean', { strand: byteStrand(), binary: 1 }, TYPE],
  ['an unknown option', { batches: true }, TYPE],
];

const ofReadables: readonly Bad[] = [
  ...both,
  ['no maxRecords', { batch: true, maxRecords: 0 }, RANGE],
  ['a part of a record', { batch: true, maxRecords: 1.5 }, RANGE],
  ['an encoding of records', { encoding: 'utf8' }, TYPE],
  ['an unknown encoding', { strand: byteStrand(), binary: true, encoding: 'utf9' }, TYPE],
  ['a start that is none', { from: 'newest' }, TYPE],
  ['a start that has not come', { from: 1 }, RANGE],
  ['a view that is none', { view: {} }, TYPE],
  ['a zeroCopy that is no boolean', { zeroCopy: 'yes' }, TYPE],
  ['an option of writables', { defaultEncoding: 'utf8' }, TYPE],
];

const ofWritables: readonly Bad[] = [
  ...both,
  ['an encoding of records', { defaultEncoding: 'utf8' }, TYPE],
  ['an unknown encoding', { strand: byteStrand(), binary: true, defaultEncoding: 'utf9' }, TYPE],
  ['a writer that is none', { writer: {} }, TYPE],
  ['an option of readables', { maxRecords: 5 }, TYPE],
];

describe('a readable', () => {
  test.each(ofReadables)('refuses %s, and holds nothing back by it', (_, options, code) => {
    const { strand, writer, view } = openNumbered();
    expect(() => new SABReadable({ strand, ...options } as SABReadableOptions)).toThrow(
      expect.objectContaining({ code }),
    );
    // No consumer is registered, for whom the producer would wait, and nobody has been stopped.
    view.acknowledgeRead(0);
    writer.write({ n: 0 });
  });

  test.each([undefined, null, 5])('refuses %s for options', (options) => {
    for (const Stream of [SABReadable, SABWritable]) {
      expect(() => new Stream(options as unknown as SABReadableOptions & SABWritableOptions)).toThrow(
        expect.objectContaining({ code: TYPE }),
      );
    }
  });

  test('refuses a strand of another schema, and memory that holds none', () => {
    const { strand } = openNumbered();
    const { schema } = createStrand([{ name: 'm', type: 'u32' }]).map;
    for (const options of [
      { strand, schema },
      { strand: new SharedArrayBuffer(64) },
    ] as unknown as SABReadableOptions[]) {
      expect(() => new SABReadable(options)).toThrow(expect.objectContaining({ code: 'ERR_STRAND_HEADER' }));
    }
  });

  test('is made of one thing: a factory refuses another one among its options', () => {
    const { strand, writer, view } = openNumbered();
    for (const make of [
      () => createReadStream(strand, { view } as object),
      () => createReadStream(view, { strand } as object),
      () => createWriteStream(strand, { writer } as object),
      () => createWriteStream(writer, { strand } as object),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: TYPE }));
    }
  });

  test('takes the bare memory of a strand', async () => {
    const { strand } = openNumbered();
    const [read] = await Promise.all([
      collect(createReadStream(strand.sab)),
      feed(createWriteStream(strand.sab), numbered(0, 20)),
    ]);
    expect(read).toEqual(numbered(0, 20));
  });
});

describe('a writable', () => {
  test.each(ofWritables)('refuses %s, and leaves the present writer its strand', (_, options, code) => {
    const { strand, writer, view } = openNumbered();
    expect(() => new SABWritable({ strand, ...options } as SABWritableOptions)).toThrow(
      expect.objectContaining({ code }),
    );
    writer.write({ n: 0 });
    expect(view.committedCount).toBe(1);
    if (!('strand' in options)) return;
    const bytes = options.strand as ReturnType<typeof byteStrand>;
    const present = new StrandWriter(bytes);
    expect(() => new SABWritable({ ...options } as SABWritableOptions)).toThrow();
    present.write({ bytes: new Uint8Array(1) });
    present.reset();
  });

  test('refuses a strand of another schema, which stays its writer’s', () => {
    const { strand, writer } = openNumbered();
    const { schema } = createStrand([{ name: 'm', type: 'u32' }]).map;
    const options = { strand, schema } as unknown as SABWritableOptions;
    expect(() => new SABWritable(options)).toThrow(expect.objectContaining({ code: 'ERR_STRAND_HEADER' }));
    writer.write({ n: 0 });
  });
});

describe('an option that does not exist', () => {
  const { strand } = openNumbered();
  const words = () => new Int32Array(new SharedArrayBuffer(32));
  const ring = { header: words(), data: words(), capacity: 8 };

  test.each([
    ['createReadStream', () => createReadStream(strand, { batches: true } as never), /zeroCopy/],
    ['createWriteStream', () => createWriteStream(strand, { batches: true } as never), /defaultEncoding/],
    ['a readable of six words', () => new SABReadable({ ...ring, batches: true } as never), /blocking$/],
    ['a writable of six words', () => new SABWritable({ ...ring, batches: true } as never), /blocking$/],
  ])('is refused by %s with its name and those that do', (_, create, message) => {
    expect(create).toThrow(
      expect.objectContaining({ code: TYPE, message: expect.stringMatching(/no option 'batches'/) }),
    );
    expect(create).toThrow(message);
  });

  test.each([5, 'utf8', null])('is none of %j, which is no object', (options) => {
    expect(() => createReadStream(strand, options as never)).toThrow(expect.objectContaining({ code: TYPE }));
    expect(() => createWriteStream(strand, options as never)).toThrow(
      expect.objectContaining({ code: TYPE }),
    );
  });

  test('is none that Node’s streams have and that is settled here', () => {
    const settled = { objectMode: false, decodeStrings: false, emitClose: false, autoDestroy: false };
    for (const each of [strand, ring]) {
      const options = { ...(each === strand ? { strand } : ring), ...settled } as never;
      const readable = new SABReadable(options);
      const writable = new SABWritable(options);
      expect([readable.readableObjectMode, writable.writableObjectMode]).toEqual([true, true]);
      readable.destroy();
      writable.destroy();
    }
  });
});

describe('blocking', () => {
  test('is refused on the main thread by a message that says where it belongs, and works in a worker', async () => {
    const { strand } = openNumbered();
    const worker = startThread(async ({ streams, data, say }) => {
      streams.createWriteStream(data, { blocking: true }).end({ n: 1 });
      for await (const record of streams.createReadStream(data, { blocking: true })) say(record);
    }, strand);
    expect(await worker.said()).toEqual({ n: 1 });
    await worker.done();
    // Tests run in the main thread of a process of their own.
    expect(() => createReadStream(strand, { blocking: true })).toThrow(/main thread.*workers/);
  });
});

describe('stats', () => {
  test('count records, waits of both sides and the depth, the same from both ends', async () => {
    const { strand } = openNumbered(4);
    const writable = createWriteStream(strand);
    const readable = createReadStream(strand, { highWaterMark: 1 });
    expect(readable.stats()).toEqual({
      produced: 0,
      consumed: 0,
      producerWaits: 0,
      consumerWaits: 0,
      queueDepth: 0,
    });
    for (const record of numbered(0, 3)) await written(writable, record);
    expect(writable.stats()).toMatchObject({ produced: 3, consumed: 0, queueDepth: 3 });
    expect(readable.stats()).toEqual(writable.stats());
    const fed = feed(writable, numbered(3, 30));
    expect(await collect(readable)).toEqual(numbered(0, 30));
    await fed;
    const stats = readable.stats();
    expect(stats).toMatchObject({ produced: 30, consumed: 30, queueDepth: 0 });
    expect(stats.producerWaits).toBeGreaterThan(0);
    expect(writable.stats()).toEqual(stats);
  });

  test('count the records that a reader waits for', async () => {
    const { strand, writer } = open(NUMBERED);
    const readable = createReadStream(strand);
    const read = collect(readable);
    await new Promise(setImmediate);
    expect(readable.stats().consumerWaits).toBe(1);
    writer.write({ n: 0 });
    writer.finalize();
    await read;
    expect(new StrandView(strand).stats().consumerWaits).toBe(readable.stats().consumerWaits);
  });
});
