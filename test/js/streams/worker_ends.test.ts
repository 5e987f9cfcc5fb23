import { getEventListeners, once } from 'node:events';
import { type Duplex, PassThrough, Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { createWorkerStream } from '../../../dist/streams.js';
import { turns } from '../support/strands.js';
import { startChild } from '../support/threads.mjs';
import { collect, failureOf, inlineFile, isClosed, isGone, NUMBER, numbers, through } from './support.js';

const BOTH = { schemaIn: NUMBER, schemaOut: NUMBER } as const;
const ECHO = inlineFile('export default (batch) => batch');

/** Reads nothing and has something to wait for. */
const DEAF = inlineFile(`
  const keep = setInterval(() => {}, 1e6);
  export default async function* () { await new Promise(() => {}); }`);
/** Never gives its thread back. */
const BLOCKED = inlineFile('export default (batch) => { for (;;); }');

function* endless() {
  for (let n = 0; ; n++) yield { n };
}

describe('a worker stream that is destroyed', () => {
  test.each([
    ['at once', ECHO, false],
    ['while its worker reads nothing', DEAF, true],
    ['while its worker blocks its thread for ever', BLOCKED, true],
  ])('%s is closed, with its workers gone and its writes failed', async (_, file, isWriting) => {
    for (const workers of [1, 2]) {
      const stream = createWorkerStream(file, {
        ...BOTH,
        workers,
        ordered: false,
        indexCapacity: 2,
        highWaterMark: 1,
      });
      const failures: unknown[] = [];
      if (isWriting) {
        await Promise.all(stream.workers.map((worker) => once(worker, 'online')));
        for (const each of numbers(0, 20)) stream.write(each, (error) => failures.push(error ?? undefined));
        await turns(20);
      }
      const errors: Error[] = [];
      stream.on('error', (error) => errors.push(error));
      stream.destroy();
      await isGone(stream);
      await turns();
      expect(errors).toEqual([]);
      if (!isWriting) continue;
      const failed = failures.filter(Boolean);
      expect(failures).toHaveLength(20);
      expect(failed.length).toBeGreaterThanOrEqual(20 - 4 * workers);
      // No AbortError: nobody has aborted a signal.
      for (const error of failed) expect(error).toMatchObject({ code: 'ERR_STRAND_CLOSED' });
    }
  });

  test.each(['source', 'sink', 'reader'])(
    'by the other end of its pipeline (%s) ends its workers',
    async (end) => {
      const stream = createWorkerStream(ECHO, { ...BOTH, workers: 2 });
      const source = Readable.from(endless());
      const sink = new PassThrough({ objectMode: true });
      const failed = new Error('no more');
      const piped =
        end === 'reader'
          ? pipeline(source, stream as Duplex, async (results: AsyncIterable<unknown>) => {
              for await (const _ of results) throw failed;
            })
          : pipeline(source, stream, sink);
      const outcome = piped.catch((error: unknown) => error);
      if (end !== 'reader') {
        await once(sink, 'readable');
        (end === 'source' ? source : sink).destroy(failed);
      }
      expect(await outcome).toBe(failed);
      await isGone(stream);
    },
  );

  test('by leaving a loop over it ends its workers', async () => {
    const stream = createWorkerStream(ECHO, BOTH);
    Readable.from(endless()).pipe(stream);
    for await (const { n } of stream) if (n === 100) break;
    await isGone(stream);
  });

  test('has no listener left at its signal, and none at the process', async () => {
    const { signal } = new AbortController();
    const before = process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const stream = createWorkerStream(ECHO, { ...BOTH, signal, workers: 2 });
    await through(stream, numbers(0, 100));
    await isGone(stream);
    const other = createWorkerStream(ECHO, { ...BOTH, signal });
    other.destroy();
    await isGone(other);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(before);
  });
});

describe('a signal', () => {
  test('that has aborted before ends the stream at once', async () => {
    const stream = createWorkerStream(ECHO, { ...BOTH, signal: AbortSignal.abort() });
    expect(await failureOf(stream)).toMatchObject({ name: 'AbortError' });
    await isGone(stream);
  });

  test('that aborts in the midst ends the stream and its pipeline with an AbortError', async () => {
    const abort = new AbortController();
    const stream = createWorkerStream(ECHO, { ...BOTH, signal: abort.signal, workers: 2 });
    const outcome = pipeline(
      Readable.from(endless()),
      stream as Duplex,
      async (results: AsyncIterable<{ n: number }>) => {
        for await (const { n } of results) if (n === 1000) abort.abort();
      },
    ).catch((error: unknown) => error);
    expect(await outcome).toMatchObject({ name: 'AbortError' });
    await isGone(stream);
  });

  test('that aborts behind the end changes nothing', async () => {
    const abort = new AbortController();
    const stream = createWorkerStream(ECHO, { ...BOTH, signal: abort.signal });
    await through(stream, numbers(0, 10));
    await isClosed(stream);
    abort.abort();
    await turns();
    expect(stream.errored).toBeNull();
  });
});

describe('a worker stream', () => {
  test('loses nothing where end() follows write()', async () => {
    for (const workers of [1, 3]) {
      const stream = createWorkerStream(ECHO, { ...BOTH, workers, indexCapacity: 4 });
      for (const each of numbers(0, 100)) stream.write(each);
      stream.end({ n: 100 });
      expect(await collect(stream)).toEqual(numbers(0, 101));
    }
  });

  test('ends without having been written to', async () => {
    for (const workers of [1, 2]) {
      const stream = createWorkerStream(ECHO, { ...BOTH, workers });
      stream.end();
      expect(await collect(stream)).toEqual([]);
      await isGone(stream);
    }
  });

  test('calls a write’s callback when its data is in the ring', async () => {
    const stream = createWorkerStream(DEAF, { ...BOTH, indexCapacity: 4 });
    const called: number[] = [];
    for (const { n } of numbers(0, 10)) stream.write({ n }, (error) => error || called.push(n));
    await turns(50);
    expect(called).toEqual([0, 1, 2, 3]);
    expect(stream.stats().input).toMatchObject({ produced: 4, queueDepth: 4 });
    stream.destroy();
    await isGone(stream);
  });

  test('waits idle without an end, and then goes on', async () => {
    const stream = createWorkerStream(ECHO, BOTH);
    const reader = stream[Symbol.asyncIterator]();
    for (const each of numbers(0, 3)) {
      stream.write(each);
      expect((await reader.next()).value).toEqual(each);
      await turns(200);
      expect(stream.destroyed).toBe(false);
    }
    stream.end();
    expect((await reader.next()).done).toBe(true);
  });

  test('is no worse for being composed, piped and finished', async () => {
    const streams = [0, 1, 2].map(() => createWorkerStream(ECHO, BOTH));
    const [first, second, third] = streams as unknown as [Duplex, Duplex, Duplex];
    const done = Promise.all(streams.map((stream) => finished(stream)));
    const results: unknown[] = [];
    await pipeline(
      Readable.from(numbers(0, 2000)),
      first,
      second,
      third,
      async (all: AsyncIterable<unknown>) => {
        for await (const each of all) results.push(each);
      },
    );
    await done;
    expect(results).toEqual(numbers(0, 2000));
    const composed = Readable.from(numbers(0, 50)).compose<Duplex>(createWorkerStream(ECHO, BOTH));
    expect(await composed.toArray()).toEqual(numbers(0, 50));
  });

  test('closes although its worker’s file keeps the thread', async () => {
    const stream = createWorkerStream(
      inlineFile('setInterval(() => {}, 1e6); export default async function* (source) { yield* source; }'),
      BOTH,
    );
    expect(await through(stream, numbers(0, 10))).toEqual(numbers(0, 10));
    await isGone(stream);
    expect(stream.errored).toBeNull();
  });

  test('lets the process end once it has ended or is destroyed, whatever its workers do', async () => {
    const child = startChild(
      async ({ data, load, say }) => {
        const { createWorkerStream } = (await load(
          data.streams,
        )) as unknown as typeof import('../../../dist/streams.js');
        const ended = createWorkerStream(data.echo, { workers: 2 });
        ended.on('data', (chunk) => say(String(chunk)));
        ended.end('cake');
        const blocked = createWorkerStream(data.blocked);
        blocked.write('x');
        for (const stream of [blocked, createWorkerStream(data.deaf), createWorkerStream(data.echo)]) {
          stream.on('close', () => say('closed'));
          setImmediate(() => stream.destroy());
        }
      },
      {
        streams: new URL('../../../dist/streams.js', import.meta.url).href,
        echo: ECHO,
        deaf: DEAF,
        blocked: BLOCKED,
      },
    );
    const said = await child.done();
    expect(said.sort()).toEqual(['cake', 'closed', 'closed', 'closed']);
  });
});
