import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SABReadable, SABWritable } from '../../../dist/streams.js';
import { seed } from '../support/seed.js';
import { expectThrown, turns } from '../support/strands.js';
import { fate, written } from '../support/streams.js';
import { startThread, until } from '../support/threads.mjs';

const WORDS = 6;

function ringOf(capacity: number) {
  const sab = new SharedArrayBuffer((WORDS + capacity) * 4);
  return { header: new Int32Array(sab, 0, WORDS), data: new Int32Array(sab, WORDS * 4, capacity), capacity };
}

type Ring = ReturnType<typeof ringOf>;

/** A producer as shared/reference/readable-stream.md has it, of the values from 1 to `count`. */
function produce(ring: Ring, count: number) {
  return startThread(
    ({ data: { ring, count } }) => {
      const { header, data, capacity } = ring;
      let value = 1;
      while (value <= count) {
        const write = Atomics.load(header, 0);
        const read = Atomics.load(header, 1);
        const next = (write + 1) % capacity;
        if (next === read) {
          Atomics.add(header, 4, 1);
          Atomics.wait(header, 1, read);
          continue;
        }
        data[write] = value++;
        Atomics.store(header, 0, next);
        Atomics.add(header, 2, 1);
        Atomics.notify(header, 0);
      }
    },
    { ring, count },
    { index: null },
  );
}

/** A consumer as shared/reference/writable-stream.md has it, which says the first `count` values. */
function consume(ring: Ring, count: number) {
  return startThread(
    ({ data: { ring, count }, say }) => {
      const { header, data, capacity } = ring;
      const values: unknown[] = [];
      while (values.length < count) {
        const write = Atomics.load(header, 0);
        const read = Atomics.load(header, 1);
        if (write === read) {
          Atomics.add(header, 5, 1);
          Atomics.wait(header, 0, write);
          continue;
        }
        values.push(data[read]);
        Atomics.store(header, 1, (read + 1) % capacity);
        Atomics.add(header, 3, 1);
        Atomics.notify(header, 1);
      }
      say(values);
    },
    { ring, count },
    { index: null },
  );
}

async function take(readable: AsyncIterable<unknown>, count: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of readable) if (values.push(value) === count) break;
  return values;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('a ring of six header words', () => {
  test.each([2, 8, 1024])('of %i values is read from a producer in plain JavaScript', async (capacity) => {
    const ring = ringOf(capacity);
    const count = 1000;
    const producer = produce(ring, count);
    const readable = new SABReadable<number>(ring);
    const doubled = readable.map((value: number) => value * 2);
    expect(await take(doubled, count)).toEqual(upTo(count).map((value) => value * 2));
    await producer.done();
    expect(readable.stats()).toMatchObject({ produced: count, consumed: count, queueDepth: 0 });
    expect(readable.stats().producerWaits).toBe(ring.header[4]);
    readable.destroy();
  });

  test.each([2, 8, 1024])('of %i values is written for a consumer in plain JavaScript', async (capacity) => {
    const ring = ringOf(capacity);
    const count = 1000;
    const consumer = consume(ring, count);
    const writable = new SABWritable<number>(ring);
    await pipeline(Readable.from(upTo(count)), writable);
    expect(await consumer.said()).toEqual(upTo(count));
    await consumer.done();
    expect(writable.stats()).toMatchObject({ produced: count, consumed: count, queueDepth: 0 });
  });

  test('goes both ways by blocking streams in workers', async () => {
    const [there, back] = [ringOf(4), ringOf(4)];
    const count = 1000;
    const producer = produce(there, count);
    const consumer = consume(back, count);
    const between = startThread(
      async ({ streams, data }) => {
        const writable = new streams.SABWritable<unknown>({ ...data.back, blocking: true });
        let seen = 0;
        for await (const value of new streams.SABReadable(Object.assign(data.there, { blocking: true }))) {
          writable.write(value);
          if (++seen === data.count) break;
        }
      },
      { there, back, count },
    );
    expect(await consumer.said()).toEqual(upTo(count));
    await Promise.all([producer, between, consumer].map((thread) => thread.done()));
  });

  test('holds one value less than its capacity, and the write callback waits for room', async () => {
    const ring = ringOf(4);
    const writable = new SABWritable<number>(ring);
    const inRing: number[] = [];
    for (const value of upTo(6)) void written(writable, value).then(() => inRing.push(value));
    await turns(5);
    expect(inRing).toEqual([1, 2, 3]);
    expect(writable.stats()).toMatchObject({ produced: 3, consumed: 0, queueDepth: 3, producerWaits: 1 });
    const readable = new SABReadable<number>({ ...ring, highWaterMark: 1 });
    expect(await take(readable, 6)).toEqual(upTo(6));
    await until(() => inRing.length === 6);
    writable.destroy();
  });

  test('gives values back as they are read: a reader that stops stops the producer', async () => {
    const ring = ringOf(4);
    const writable = new SABWritable<number>(ring);
    const readable = new SABReadable<number>({ ...ring, highWaterMark: 2 });
    let callbacks = 0;
    for (const value of upTo(100))
      void written(writable, value).then(
        () => callbacks++,
        () => {},
      );
    readable.once('data', () => readable.pause());
    await turns(50);
    expect(ring.header[2]).toBeLessThanOrEqual(1 + 2 + 3 + 1);
    readable.destroy();
    writable.destroy();
    await Promise.all([fate(readable), fate(writable)]);
    expect(callbacks).toBeLessThan(10);
  });

  test('takes integers of 32 bits, and says so of anything else, what came before it being in the ring', async () => {
    for (const [value, code] of [
      [2 ** 31, 'ERR_STRAND_OUT_OF_RANGE'],
      [0.5, 'ERR_STRAND_OUT_OF_RANGE'],
      [Number.NaN, 'ERR_STRAND_OUT_OF_RANGE'],
      ['5', 'ERR_STRAND_INVALID_ARGUMENT'],
      [5n, 'ERR_STRAND_INVALID_ARGUMENT'],
      [Symbol('five'), 'ERR_STRAND_INVALID_ARGUMENT'],
      [{ valueOf: () => 5 }, 'ERR_STRAND_INVALID_ARGUMENT'],
    ] as const) {
      const ring = ringOf(4);
      const writable = new SABWritable<unknown>(ring);
      const failed = fate(writable);
      writable.cork();
      for (const good of [-(2 ** 31), 2 ** 31 - 1]) writable.write(good);
      writable.write(value);
      writable.write(1);
      writable.uncork();
      expect(await failed).toMatchObject({ code });
      expect(ring.header[0]).toBe(2);
      expect([...ring.data.subarray(0, 2)]).toEqual([-(2 ** 31), 2 ** 31 - 1]);
    }
  });

  test('that is none is refused', () => {
    const { header, data } = ringOf(4);
    const bad = [
      { header, data, capacity: 5 },
      { header, data, capacity: 1 },
      { header, data, capacity: 2.5 },
      { header: header.subarray(0, 5), data, capacity: 4 },
      { header: new Int32Array(6), data, capacity: 4 },
      { header, data: new Int32Array(4), capacity: 4 },
      { header, data: new Uint32Array(new SharedArrayBuffer(16)) as unknown as Int32Array, capacity: 4 },
      { header, data } as unknown as Ring,
    ];
    for (const ring of bad) {
      for (const open of [() => new SABReadable(ring), () => new SABWritable(ring)]) {
        expect(() => open()).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/INVALID|RANGE/) }),
        );
      }
    }
  });

  test.each([0, 1])(
    'with a damaged header[%i] is an error, at once or later, and nothing outside is touched',
    async (word) => {
      for (const index of [4, -1, 2 ** 31 - 1, -(2 ** 31)]) {
        const sab = new SharedArrayBuffer(200);
        const header = new Int32Array(sab, 0, WORDS);
        const ring = { header, data: new Int32Array(sab, 24, 4), capacity: 4 };
        const readable = new SABReadable(ring);
        const writable = new SABWritable<number>(ring);
        const failures = [fate(readable), fate(writable)];
        readable.resume();
        await turns();
        header[word] = index;
        Atomics.notify(header, 0);
        writable.write(1);
        for (const failed of failures) expect(await failed).toMatchObject({ code: 'ERR_STRAND_HEADER' });
        expect([...new Int32Array(sab, 40)].every((value) => value === 0)).toBe(true);
        const fresh = word === 0 ? () => new SABWritable(ring) : () => new SABReadable(ring);
        expectThrown(fresh, Error, { code: 'ERR_STRAND_HEADER' });
      }
    },
  );

  test('counts in 32 bits without a sign', () => {
    const ring = ringOf(4);
    ring.header.set([0, 0, -1, -1, -2, -3]);
    expect(new SABReadable(ring).stats()).toEqual({
      produced: 2 ** 32 - 1,
      consumed: 2 ** 32 - 1,
      producerWaits: 2 ** 32 - 2,
      consumerWaits: 2 ** 32 - 3,
      queueDepth: 0,
    });
  });

  test('lets go of its wait when it is destroyed', async () => {
    const ring = ringOf(4);
    const readable = new SABReadable(ring);
    readable.resume();
    await turns();
    expect(ring.header[5]).toBe(1);
    readable.destroy();
    expect(await fate(readable)).toBe(undefined);
    // Nobody is left to be woken.
    await turns();
    expect(Atomics.notify(ring.header, 0)).toBe(0);
  });

  test('carries any values in any groups', async () => {
    const groups = fc.array(fc.array(fc.integer(), { maxLength: 12 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(groups, fc.integer({ min: 2, max: 9 }), async (groups, capacity) => {
        const ring = ringOf(capacity);
        const writable = new SABWritable<number>(ring);
        const readable = new SABReadable<number>(ring);
        const read: unknown[] = [];
        readable.on('data', (value) => read.push(value));
        for (const group of groups) {
          writable.cork();
          for (const value of group) writable.write(value);
          writable.uncork();
          await turns(1);
        }
        await new Promise<void>((resolve) => writable.end(resolve));
        await until(() => read.length === groups.flat().length);
        expect(read).toEqual(groups.flat());
        readable.destroy();
      }),
      { seed, numRuns: 40 },
    );
  });
});
