import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { createReadStream, createWriteStream, SABReadable } from '../../../dist/streams.js';
import { NUMBERED, numbered, open, openNumbered, turns } from '../support/strands.js';
import { byteStrand, collect, fate, feed } from '../support/streams.js';
import { startThread, until } from '../support/threads.mjs';

const RING = 8;
const MARK = 4;

describe('a consumer that stops reading', () => {
  test.each([true, false])('stops the source within ring and high-water marks (pipe: %s)', async (byPipe) => {
    const { strand } = openNumbered(RING);
    let pulled = 0;
    function* source() {
      for (let n = 0; n < 1000; n++) {
        pulled++;
        yield { n };
      }
    }
    const writable = createWriteStream(strand, { highWaterMark: MARK });
    const fed = feedFrom(writable, source());
    const readable = createReadStream(strand, { highWaterMark: MARK });
    let taken = 0;
    let goOn = () => {};
    if (byPipe) {
      const sink = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write(_chunk, _encoding, callback) {
          if (++taken < 3) callback();
          else goOn = callback;
        },
      });
      readable.pipe(sink);
    } else {
      readable.once('data', () => {
        taken++;
        readable.pause();
      });
      goOn = () => readable.resume();
    }
    await until(() => taken === (byPipe ? 3 : 1));
    await turns(100);
    // In the sink, in the readable, in the ring, and in the writable, one of them being written.
    const bound = taken + 1 + MARK + RING + MARK + 1;
    expect(pulled).toBeLessThanOrEqual(bound);
    expect(writable.stats().queueDepth).toBeLessThanOrEqual(RING);
    const before = pulled;
    if (!byPipe) {
      goOn();
      await once(readable, 'end');
      await fed;
      expect(pulled).toBe(1000);
    } else {
      goOn();
      await until(() => pulled > before || taken === 4);
      const ends = [fate(readable), fate(writable)];
      readable.destroy();
      await Promise.all(ends);
      await expect(fed).rejects.toThrow();
    }
  });

  test('stops a blocking source in another thread, which goes on later', async () => {
    const strand = byteStrand(8, 4096);
    const producer = startThread(({ streams, data, say }) => {
      const writable = streams.createWriteStream(data, { binary: true, blocking: true });
      for (let i = 0; i < 500; i++) writable.write(new Uint8Array(1000));
      writable.end();
      writable.on('finish', () => say('finished'));
    }, strand);
    const readable = createReadStream(strand, { binary: true, highWaterMark: 1000 });
    await once(readable, 'readable');
    await until(() => readable.stats().producerWaits > 0);
    await turns(50);
    expect(readable.readableLength).toBeLessThanOrEqual(1000 + 4096);
    expect(readable.stats().queueDepth).toBeLessThanOrEqual(8);
    let bytes = 0;
    readable.on('data', (chunk) => {
      bytes += chunk.length;
    });
    readable.resume();
    await once(readable, 'end');
    expect(bytes).toBe(500_000);
    expect(await producer.said()).toBe('finished');
    await producer.done();
  });
});

async function feedFrom(writable: Writable, source: Iterable<unknown>): Promise<void> {
  await pipeline(source, writable);
}

describe('a fast producer', () => {
  const RECORDS = 60_000;
  const consumers = {
    "a 'data' listener": (readable: SABReadable) =>
      new Promise<number>((resolve) => {
        let seen = 0;
        readable.on('data', () => seen++).on('end', () => resolve(seen));
      }),
    'for await': async (readable: SABReadable) => {
      let seen = 0;
      for await (const _ of readable) seen++;
      return seen;
    },
  };

  test.each(Object.entries(consumers))('leaves the event loop of %s its turns', async (_, consume) => {
    // All of it is there: no wait ever gives way.
    const { strand, writer } = open(NUMBERED, { indexCapacity: 1 << 16 });
    writer.writeRecordBatch(numbered(0, RECORDS));
    writer.finalize();
    let between = 0;
    let over = false;
    const tick = () => {
      between++;
      if (!over) setImmediate(tick);
    };
    const readable = new SABReadable({ strand });
    const consumed = consume(readable).then((seen) => {
      over = true;
      return seen;
    });
    await turns(1);
    const before = between;
    setImmediate(tick);
    expect(await consumed).toBe(RECORDS);
    expect(between - before).toBeGreaterThan(1);
  });
});

describe('a blocking readable', () => {
  test('gives each chunk to its receiver before it blocks for the next', async () => {
    for (const kind of ['data', 'for await', 'zero-copy'] as const) {
      for (const highWaterMark of [1, 16]) {
        const [there, back] = [byteStrand(), byteStrand()];
        const peer = startThread(
          async ({ streams, data: { kind, there, back, highWaterMark } }) => {
            const readable = streams.createReadStream(there, {
              binary: true,
              blocking: true,
              zeroCopy: kind === 'zero-copy',
              highWaterMark,
            });
            const writable = streams.createWriteStream(back, { binary: true });
            if (kind === 'data') {
              readable.on('data', (chunk) => void Promise.resolve().then(() => writable.write(chunk)));
              readable.on('end', () => writable.end());
            } else {
              for await (const chunk of readable) {
                await new Promise((resolve) => setImmediate(resolve));
                writable.write(Buffer.from(chunk));
              }
              writable.end();
            }
          },
          { kind, there, back, highWaterMark },
        );
        // Each question waits for its answer.
        const writable = createWriteStream(there, { binary: true });
        const answers = createReadStream(back, { binary: true, encoding: 'utf8' })[Symbol.asyncIterator]();
        for (const question of ['eggs?', 'milk?', 'flour?', 'butter?']) {
          writable.write(question);
          expect((await answers.next()).value).toBe(question);
        }
        writable.end();
        expect((await answers.next()).done).toBe(true);
        await peer.done();
      }
    }
  });

  test('and a blocking writable carry a stream between two workers', async () => {
    const { strand } = openNumbered();
    const consumer = startThread(async ({ streams, data, say }) => {
      let sum = 0;
      for await (const n of streams.createReadStream(data, { field: 'n', blocking: true }))
        sum += n as number;
      say(sum);
    }, strand);
    const producer = startThread(({ streams, data }) => {
      const writable = streams.createWriteStream(data, { blocking: true });
      for (let n = 0; n < 10_000; n++) writable.write({ n });
      writable.end();
    }, strand);
    expect(await consumer.said()).toBe(49_995_000);
    await Promise.all([producer.done(), consumer.done()]);
  });

  test('ends with its thread', async () => {
    const { strand } = openNumbered();
    const consumer = startThread(({ streams, data, say }) => {
      say('here');
      streams.createReadStream(data, { blocking: true }).resume();
    }, strand);
    await consumer.said();
    const writable = createWriteStream(strand);
    const failed = fate(writable);
    await until(() => writable.stats().consumerWaits > 0);
    await consumer.terminate();
    expect(await failed).toMatchObject({ code: 'ERR_STRAND_ABORTED' });
  });
});

describe('a long stream of small writes', () => {
  test('needs no more memory in the ring than the ring', async () => {
    const { strand } = openNumbered(RING);
    const writable = createWriteStream(strand, { highWaterMark: MARK });
    const readable = createReadStream(strand);
    const depths = new Set<number>();
    const [read] = await Promise.all([
      collect(
        readable.map((record: unknown) => {
          depths.add(readable.stats().queueDepth);
          return record;
        }),
      ),
      feed(writable, numbered(0, 2000)),
    ]);
    expect(read).toEqual(numbered(0, 2000));
    expect(Math.max(...depths)).toBeLessThanOrEqual(RING);
  });
});
