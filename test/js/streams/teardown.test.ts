import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { StrandView } from '../../../dist/index.js';
import { createReadStream, createWriteStream } from '../../../dist/streams.js';
import { numbered, openNumbered, turns } from '../support/strands.js';
import { byteStrand, collect, collectUntilError, fate, feed, written } from '../support/streams.js';
import { startChild, startThread, until } from '../support/threads.mjs';

function* endless() {
  for (let n = 0; ; n = (n + 1) % 2 ** 32) yield { n };
}

/** A writable in another thread that has written `count` records, waits, and says how it ends. */
function idleWriter(strand: unknown, count = 1) {
  return startThread(
    ({ streams, data, say }) => {
      const writable = streams.createWriteStream(data.strand as never);
      writable.on('error', ({ name, reason, message }: Error & { reason?: string }) =>
        say({ name, reason, message }),
      );
      for (let n = 0; n < data.count; n++) writable.write({ n } as never);
      // Something else keeps the thread going: an idle writable does not.
      const busy = setInterval(() => {}, 1000);
      writable.on('close', () => clearInterval(busy));
    },
    { strand, count },
  );
}

const BROKEN_OFF = 'the reader was destroyed before the end';
/** What Node destroys a stream with whose loop is left. */
const ABORTED = 'The operation was aborted';

describe('a readable that is destroyed', () => {
  test.each([
    ['without an error', undefined, BROKEN_OFF],
    ['with an error', new Error('the pan is too hot'), 'the pan is too hot'],
    ['with a long one', new Error('é'.repeat(100)), 'é'.repeat(52)],
  ] as const)('%s destroys an idle writable of another thread with its reason', async (_, error, reason) => {
    const { strand } = openNumbered();
    const producer = idleWriter(strand);
    const readable = createReadStream(strand);
    const gone = fate(readable);
    for await (const record of readable.iterator({ destroyOnReturn: false })) {
      expect(record).toEqual({ n: 0 });
      break;
    }
    readable.destroy(error);
    expect(await producer.said()).toMatchObject({ name: 'StrandAbortError', reason });
    expect(await gone).toBe(error);
    await producer.done();
  });

  test('by leaving its loop destroys the writable', async () => {
    const { strand } = openNumbered();
    const producer = idleWriter(strand, 100);
    for await (const { n } of createReadStream(strand)) if (n === 20) break;
    expect(await producer.said()).toMatchObject({ name: 'StrandAbortError', reason: ABORTED });
    await producer.done();
  });

  test('ends a write that waits for room', async () => {
    const { strand } = openNumbered(4);
    const writable = createWriteStream(strand);
    const failed = fate(writable);
    const readable = createReadStream(strand);
    for (const record of numbered(0, 20)) writable.write(record);
    await until(() => writable.stats().producerWaits > 0);
    readable.destroy(new Error('no more'));
    await fate(readable);
    expect(await failed).toMatchObject({ code: 'ERR_STRAND_ABORTED', reason: 'no more' });
  });

  test('leaves the producer alone while other consumers are registered', async () => {
    const { strand } = openNumbered();
    const [first, second] = [0, 1].map(() => createReadStream(strand, { from: 'oldest' }));
    const writable = createWriteStream(strand);
    const fed = feed(writable, numbered(0, 50));
    first?.destroy();
    expect(await collect(second as AsyncIterable<unknown>)).toEqual(numbered(0, 50));
    await fed;
  });

  test('leaves its view open, and its registration is over', async () => {
    const { writer, view } = openNumbered();
    writer.write({ n: 0 });
    const readable = createReadStream(view, { from: 'oldest' });
    readable.destroy();
    await fate(readable);
    view.acknowledgeRead(1);
    expect(view.effectiveReadCursor).toBe(1);
  });

  test('with its thread stops the producer', async () => {
    for (const end of ['process.exit()', 'throw new Error("no more")', 'terminate', '']) {
      const { strand } = openNumbered();
      const reader = startThread(
        async ({ streams, data, say }) => {
          const readable = streams.createReadStream(data.strand);
          // One that only holds on: by itself it would keep the thread for ever.
          await readable.iterator({ destroyOnReturn: false }).next();
          say('read');
          if (data.end === 'terminate') await new Promise(() => setInterval(() => {}, 1000));
          new Function(data.end)();
        },
        { strand, end },
      );
      const writable = createWriteStream(strand);
      const failed = fate(writable);
      writable.write({ n: 0 });
      await reader.said();
      if (end === 'terminate') await reader.terminate();
      else if (end === '') writable.end();
      await reader.ended;
      if (end !== '') {
        expect(await failed).toMatchObject({
          code: 'ERR_STRAND_ABORTED',
          reason: "the reader's thread ended before the end of the stream",
        });
      }
    }
  });

  test('with its thread stops the producer also where another readable of the same view was closed before', async () => {
    const { strand } = openNumbered();
    const reader = startThread(async ({ strand, streams, data, say }) => {
      const view = new strand.StrandView(data);
      const readables = [0, 1].map(() => streams.createReadStream(view, { from: 'oldest' }));
      readables[0]?.destroy();
      await new Promise((resolve) => readables[0]?.on('close', resolve));
      say('closed');
      setInterval(() => {}, 1000);
    }, strand);
    const writable = createWriteStream(strand);
    const failed = fate(writable);
    await reader.said();
    expect(writable.destroyed).toBe(false);
    await reader.terminate();
    expect(await failed).toMatchObject({ code: 'ERR_STRAND_ABORTED' });
  });
});

describe('a writable that is destroyed', () => {
  test.each([
    ['without an error', undefined, 'the writer was destroyed before its end'],
    ['with an error', new Error('out of milk'), 'out of milk'],
  ])('%s gives the reader all that was committed, then the reason', async (_, error, reason) => {
    for (const mode of [{}, { field: 'n' }, { batch: true }, { highWaterMark: 1 }] as const) {
      const { strand } = openNumbered(64);
      const writable = createWriteStream(strand);
      const gone = fate(writable);
      await Promise.all(numbered(0, 40).map((record) => written(writable, record)));
      writable.destroy(error);
      expect(await gone).toBe(error);
      const { chunks, error: failure } = await collectUntilError(createReadStream(strand, mode as object));
      expect(chunks.flat().length).toBe(40);
      expect(failure).toMatchObject({ name: 'StrandAbortError', reason });
    }
  });

  test('gives listeners all bytes before the error, however slowly they take them', async () => {
    const strand = byteStrand(8, 1 << 20);
    const writable = createWriteStream(strand, { binary: true });
    await written(writable, Buffer.alloc(200_000));
    writable.destroy();
    const readable = createReadStream(strand, { binary: true });
    let bytes = 0;
    readable.on('data', (chunk) => {
      bytes += chunk.length;
      readable.pause();
      setImmediate(() => readable.resume());
    });
    expect(await fate(readable)).toMatchObject({ code: 'ERR_STRAND_ABORTED' });
    expect(bytes).toBe(200_000);
  });

  test('wakes a reader that waits', async () => {
    const { strand } = openNumbered();
    const writable = createWriteStream(strand);
    const read = collectUntilError(createReadStream(strand));
    await turns();
    writable.destroy();
    expect((await read).error).toMatchObject({ code: 'ERR_STRAND_ABORTED' });
  });

  test.each(['throw new Error("out of flour")', 'process.exit()', ''])(
    'by the end of its thread (%s) gives the reader an error behind the data',
    async (end) => {
      const { strand } = openNumbered(64);
      const producer = startThread(
        ({ streams, data }) => {
          const writable = streams.createWriteStream(data.strand);
          for (let n = 0; n < 30; n++) writable.write({ n });
          new Function(data.end)();
        },
        { strand, end },
      );
      const { chunks, error } = await collectUntilError(createReadStream(strand));
      expect(chunks).toEqual(numbered(0, 30));
      expect(error).toMatchObject({ code: 'ERR_STRAND_ABORTED' });
      expect(error.reason).toMatch(/thread ended before finalize/);
      await producer.ended;
    },
  );

  test('before its first write is heard of, too', async () => {
    const { strand } = openNumbered();
    createWriteStream(strand).destroy();
    const { chunks } = await collectUntilError(createReadStream(strand));
    expect(chunks).toEqual([]);
  });
});

describe('pipeline across threads', () => {
  test('fails on both sides where the source fails, the drain fails, or a signal aborts', async () => {
    for (const failing of ['source', 'drain', 'signal'] as const) {
      const { strand } = openNumbered();
      const consumer = startThread(
        async ({ streams, data, say }) => {
          let seen = 0;
          try {
            for await (const _ of streams.createReadStream(data.strand)) {
              if (++seen === 30) say('thirty');
              if (seen === 30 && data.failing === 'drain') throw new Error('the drain is blocked');
            }
            say('the end');
          } catch (error) {
            say((error as { reason?: string; message: string }).reason ?? (error as Error).message);
          }
        },
        { strand, failing },
      );
      const abort = new AbortController();
      function* source() {
        for (const record of endless()) {
          if (failing === 'source' && record.n === 100) throw new Error('the source is dry');
          yield record;
        }
      }
      const piped = pipeline(Readable.from(source()), createWriteStream(strand), { signal: abort.signal });
      const outcome = piped.then(
        () => 'fulfilled',
        (error: Error & { reason?: string }) => error.reason ?? error.message,
      );
      expect(await consumer.said()).toBe('thirty');
      if (failing === 'signal') abort.abort();
      expect(await outcome).toBe(
        {
          source: 'the source is dry',
          drain: ABORTED,
          signal: ABORTED,
        }[failing],
      );
      expect(await consumer.said()).toBe(
        {
          source: 'the source is dry',
          drain: 'the drain is blocked',
          signal: ABORTED,
        }[failing],
      );
      await consumer.done();
    }
  });
});

describe('a signal', () => {
  const make = {
    'a readable': (signal: AbortSignal) => createReadStream(openNumbered().strand, { signal }),
    'a writable': (signal: AbortSignal) => createWriteStream(openNumbered().strand, { signal }),
  };

  test.each(Object.entries(make))('that is aborted already destroys %s', async (_, open) => {
    const error = await fate(open(AbortSignal.abort('before')));
    expect(error).toMatchObject({ name: 'AbortError', cause: 'before' });
  });

  test('that is aborted already tells the other side', async () => {
    const { strand } = openNumbered();
    const signal = AbortSignal.abort();
    await fate(createWriteStream(strand, { signal }));
    expect((await collectUntilError(createReadStream(strand))).error).toMatchObject({
      code: 'ERR_STRAND_ABORTED',
    });

    const other = openNumbered();
    const writable = createWriteStream(other.strand);
    const failed = fate(writable);
    await fate(createReadStream(other.strand, { signal }));
    expect(await failed).toMatchObject({ code: 'ERR_STRAND_ABORTED', reason: 'The operation was aborted' });
  });

  test('that aborts during a wait destroys the stream, and leaves no listener', async () => {
    const { signal, abort } = controller();
    const { strand } = openNumbered(4);
    const readable = createReadStream(strand, { signal });
    const gone = fate(readable);
    readable.resume();
    await turns();
    abort();
    expect(await gone).toMatchObject({ name: 'AbortError' });

    const second = controller();
    const other = openNumbered(4);
    const writable = createWriteStream(other.strand, { signal: second.signal });
    const failed = fate(writable);
    for (const record of numbered(0, 20)) writable.write(record);
    await until(() => writable.stats().producerWaits > 0);
    second.abort();
    expect(await failed).toMatchObject({ name: 'AbortError' });
    expect((await collectUntilError(createReadStream(other.strand))).chunks).toEqual(numbered(0, 4));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(getEventListeners(second.signal, 'abort')).toEqual([]);
  });

  test('that aborts after the end changes nothing, and has no listener by then', async () => {
    const { signal, abort } = controller();
    const { strand, view } = openNumbered();
    const writable = createWriteStream(strand, { signal });
    const ends = [fate(writable)];
    const readable = createReadStream(strand, { signal });
    ends.push(fate(readable));
    const fed = feed(writable, numbered(0, 20));
    expect(await collect(readable)).toEqual(numbered(0, 20));
    await fed;
    expect(await Promise.all(ends)).toEqual([undefined, undefined]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    abort();
    expect(view.producerStatus).toBe('eos');
  });
});

function controller() {
  const abortController = new AbortController();
  return { signal: abortController.signal, abort: () => abortController.abort() };
}

describe('a process', () => {
  test('ends although a destroyed readable had waited, a destroyed writable too, and others are idle', async () => {
    const child = startChild(async ({ strand, streams, say }) => {
      const fields = [{ name: 'n', type: 'u32' }] as const;
      const ring = () => strand.createStrand(fields, { indexCapacity: 4 });
      const waiting = streams.createReadStream(ring());
      waiting.resume();
      const full = streams.createWriteStream(ring()).on('error', () => {});
      for (let n = 0; n < 100; n++) full.write({ n });
      await new Promise((resolve) => setImmediate(resolve));
      waiting.destroy();
      full.destroy();
      await Promise.all(
        [waiting, full].map((stream) => new Promise((resolve) => stream.on('close', resolve))),
      );
      say('destroyed');
      const idle = streams.createWriteStream(ring());
      idle.write({ n: 1 });
      streams.createReadStream(ring());
      process.on('exit', () => say(idle.destroyed));
    }, {});
    expect(await child.done()).toEqual(['destroyed', false]);
  });

  test('stays for a readable that waits, and for a writable that waits for room', async () => {
    const child = startChild(({ strand, streams, say, startThread }) => {
      const ring = strand.createStrand([{ name: 'n', type: 'u32' }], { indexCapacity: 4 });
      const producer = startThread(({ streams, data }) => {
        const writable = streams.createWriteStream(data);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
        writable.end({ n: 1 });
      }, ring);
      producer.worker.unref();
      const seen: unknown[] = [];
      streams
        .createReadStream(ring)
        .on('data', ({ n }) => seen.push(n))
        .on('end', () => say(seen));
    }, {});
    expect(await child.done()).toEqual([[1]]);
    const alone = startChild(({ strand, streams, say }) => {
      const ring = strand.createStrand([{ name: 'n', type: 'u32' }], { indexCapacity: 4 });
      const writable = streams.createWriteStream(ring);
      for (let n = 0; n < 20; n++) writable.write({ n });
      writable.end();
      const seen: unknown[] = [];
      // Of timers and the like, only one that does not keep the process.
      setTimeout(() => {
        streams
          .createReadStream(ring)
          .on('data', ({ n }) => seen.push(n))
          .on('end', () => say(seen.length));
      }, 20).unref();
    }, {});
    expect(await alone.done()).toEqual([20]);
  });
});

describe('a view that its owner closes', () => {
  test('ends its readable with StrandClosedError, behind what it has pushed', async () => {
    const { strand, writer } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    const view = new StrandView(strand);
    const readable = createReadStream(view);
    const read = collectUntilError(readable);
    await turns();
    view.close();
    const { chunks, error } = await read;
    expect(chunks).toEqual(numbered(0, 3));
    expect(error).toMatchObject({ code: 'ERR_STRAND_CLOSED' });
  });
});
