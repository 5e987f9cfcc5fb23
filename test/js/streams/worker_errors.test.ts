import { type Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { StrandAbortError, StrandError } from '../../../dist/index.js';
import { createWorkerStream } from '../../../dist/streams.js';
import { LONG } from '../support/long.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { until } from '../support/threads.mjs';
import { collect, failureOf, inlineFile, isClosed, isGone, NUMBER, numbers, workerFile } from './support.js';

const BOTH = { schemaIn: NUMBER, schemaOut: NUMBER } as const;
const TERMINATIONS = LONG ? 50 : 12;
/** Rounds at a time. */
const LANES = 4;

/** Numbers without an end. */
function* endless() {
  for (let n = 0; ; n++) yield { n };
}

/** The error of a stream that runs this text over numbers without an end. */
async function failureOfText(text: string, options: object = {}) {
  const stream = createWorkerStream(inlineFile(text), { ...BOTH, ...options });
  Readable.from(endless()).pipe(stream);
  stream.resume();
  const error = await failureOf(stream);
  await isGone(stream);
  return error;
}

describe.each(['generator', 'batch', 'transform'])('a worker file of the kind %s', (kind) => {
  const moments = kind === 'batch' ? ['start', 'middle'] : ['start', 'middle', 'end'];
  const cases = moments.flatMap((moment) =>
    // What makes a Transform does so at once.
    (kind === 'transform' && moment === 'start'
      ? ['throws', 'exits with 7']
      : ['throws', 'rejects', 'exits with 0', 'exits with 7']
    ).map((way) => [way, moment]),
  );

  test.each(cases)('that %s at its %s ends the pipeline with that error', async (way, moment) => {
    const stream = createWorkerStream(workerFile('faults'), { ...BOTH, workerData: { kind, moment, way } });
    const source = Readable.from(moment === 'end' ? numbers(0, 30) : endless());
    const sink = new PassThrough({ objectMode: true }).resume();
    const error = await pipeline(source, stream, sink).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).toBe(await failureOf(stream));
    if (way === 'throws' || way === 'rejects') {
      expect(error).toBeInstanceOf(RangeError);
      expect(error).toMatchObject({ message: 'out of flour', code: 'E_FLOUR', sacks: { left: 0 } });
    } else {
      expect(error).toBeInstanceOf(StrandError);
      expect(error).toMatchObject({ code: 'ERR_STRAND_WORKER' });
      expect((error as Error).message).toContain(`code ${way.at(-1)}`);
    }
    expect(source.destroyed && sink.destroyed).toBe(true);
    await isGone(stream);
  });
});

describe('a worker file', () => {
  test.each([
    ['throws', 'E_FLOUR'],
    ['rejects', 'E_FLOUR'],
    ['exits with 0', 'ERR_STRAND_WORKER'],
    ['exits with 7', 'ERR_STRAND_WORKER'],
  ])('that %s while it is loaded ends the stream with that error', async (way, code) => {
    const workerData = { kind: 'batch', moment: 'load', way };
    const stream = createWorkerStream(workerFile('faults'), { ...BOTH, workerData });
    expect(await failureOf(stream)).toMatchObject({ code });
  });

  test('that does not exist ends the stream with the error of import()', async () => {
    expect(await failureOf(createWorkerStream('no/such/file.mjs'))).toMatchObject({
      code: 'ERR_MODULE_NOT_FOUND',
    });
  });

  test('that is no JavaScript ends the stream with a SyntaxError', async () => {
    expect(await failureOfText('export default function {')).toBeInstanceOf(SyntaxError);
  });

  test.each(['export const other = 1', 'export default { run() {} }', 'export default "text"'])(
    'that exports no function by default ends the stream with a TypeError that says what is wanted (%s)',
    async (text) => {
      const error = await failureOfText(text);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain('must export by default a function');
    },
  );

  test.each(['', 'constructor(options) { super(options); }'])(
    'that exports a class is named, and told what to export in its place (%s)',
    async (body) => {
      const text = `import { Transform } from 'node:stream'; export default class extends Transform { ${body} }`;
      for (const workers of [1, 2]) {
        const error = await failureOfText(text, { workers });
        expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_STRAND_INVALID_ARGUMENT' });
        expect(error.message).toContain(inlineFile(text));
        expect(error.message).toContain('a class: export () => new');
      }
    },
  );

  test('that takes nothing and makes no stream, or takes a batch and makes one, is told how to write it', async () => {
    expect((await failureOfText('export default () => [1]')).message).toContain('must return a Transform');
    const made = `import { PassThrough } from 'node:stream'; export default (batch) => new PassThrough();`;
    for (const workers of [1, 2]) {
      expect((await failureOfText(made, { workers })).message).toContain('takes no parameters');
    }
  });

  test.each([
    ['undefined', 'undefined'],
    ['"rye"', 'rye'],
    ['Object.create(null)', 'an object'],
    ['Symbol("rye")', undefined],
    ['Object.assign(new Error("rye"), { message: { of: "rye" } })', undefined],
    ['Object.assign(new Error("rye"), { run() {} })', 'rye'],
  ])('that throws %s ends the stream with an error', async (thrown, message) => {
    const error = await failureOfText(`export default (batch) => { throw ${thrown}; }`);
    expect(error).toBeInstanceOf(Error);
    if (message !== undefined) expect(error.message).toContain(message);
    expect(error.code).toBeUndefined();
  });

  test.each([
    ['StrandWriter', 'abort'],
    ['StrandWriter', 'close'],
    ['StrandView', 'signalAbort'],
    ['StrandView', 'close'],
  ])('that throws has its own error told, also where %s.%s() throws behind it', async (name, method) => {
    const index = new URL('../../../dist/index.js', import.meta.url).href;
    const text = `
      import { ${name} } from '${index}';
      ${name}.prototype.${method} = () => { throw new Error('broken ring'); };
      export default (batch) => { throw new RangeError('out of flour'); }`;
    expect((await failureOfText(text)).message).toBe('out of flour');
  });

  test('whose promise settles never, with nothing left to run, is an error and no hang', async () => {
    for (const text of [
      'export default async function* () { await new Promise(() => {}); }',
      'export default (batch) => new Promise(() => {})',
      'await new Promise(() => {});',
    ]) {
      expect(await failureOfText(text)).toMatchObject({ code: 'ERR_STRAND_WORKER' });
    }
  });

  test('that runs out of memory ends the stream with that error', async () => {
    const text = 'export default (batch) => { for (const all = []; ; ) all.push(new Array(1e5).fill(0.1)); }';
    const error = await failureOfText(text, { worker: { resourceLimits: { maxOldGenerationSizeMb: 16 } } });
    expect(error).toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' });
  });

  test('whose results do not fit schemaOut ends the stream with the field’s error', async () => {
    for (const [result, details] of [
      ['{ n: -1 }', { code: 'ERR_STRAND_OUT_OF_RANGE', field: 'n' }],
      ['[{ n: 1 }, { n: "2" }]', { code: 'ERR_STRAND_INVALID_ARGUMENT', field: 'n', record: 1 }],
      ['[5]', { code: 'ERR_STRAND_INVALID_ARGUMENT' }],
    ] as const) {
      for (const workers of [1, 2]) {
        expect(await failureOfText(`export default (batch) => (${result})`, { workers })).toMatchObject(
          details,
        );
      }
    }
    const transform = `import { Transform } from 'node:stream';
      export default () => new Transform({ objectMode: true, transform(each, _, done) { done(null, { n: 0.5 }); } });`;
    expect(await failureOfText(transform)).toMatchObject({ field: 'n' });
    expect(
      await failureOfText('export default (batch) => ({ n: 1 })', { schemaOut: undefined }),
    ).toMatchObject({
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
  });

  test('that fails in one of several workers ends the stream and the others', async () => {
    for (const ordered of [true, false]) {
      const text =
        'export default (batch) => { if (batch.some(({ n }) => n === 500)) throw new Error("burnt"); return batch; }';
      expect((await failureOfText(text, { workers: 3, ordered })).message).toBe('burnt');
    }
  });

  test.each(['generator', 'transform'])(
    'that is a %s is refused by several ordered workers with what can be done',
    async (kind) => {
      const stream = createWorkerStream(workerFile('faults'), { ...BOTH, workers: 2, workerData: { kind } });
      const error = await failureOf(stream);
      expect(error).toMatchObject({ code: 'ERR_STRAND_INVALID_ARGUMENT' });
      expect(error.message).toContain('ordered: false');
    },
  );
});

describe('a record that does not fit schemaIn', () => {
  test.each([
    [{ n: 'x' }, TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT', field: 'n' }],
    [{ n: 2 ** 32 }, RangeError, { code: 'ERR_STRAND_OUT_OF_RANGE', field: 'n' }],
    [[{ n: 1 }], TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT' }],
    [5, TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT' }],
  ])('fails its write with the error of the field (%j)', async (record, type, details) => {
    const stream = createWorkerStream(inlineFile('export default (batch) => batch'), BOTH);
    const failed = failureOf(stream);
    const results: unknown[] = [];
    stream.write({ n: 1 }, (error) => results.push(error ?? 'written'));
    stream.write(record as never, (error) => results.push(error ?? 'written'));
    const error = await failed;
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject(details);
    expect(results).toEqual(['written', error]);
    await isGone(stream);
  });
});

describe('a worker that is terminated', () => {
  test(`at ${TERMINATIONS} random moments ends its stream with an error and lets no write wait`, async () => {
    const random = seeded(seed);
    const round = async () => {
      const workers = random.pick([1, 1, 2]);
      const stream = createWorkerStream(inlineFile('export default (batch) => batch'), {
        ...BOTH,
        workers,
        ordered: random.below(2) === 0,
        indexCapacity: random.pick([2, 64, 4096]),
      });
      let pending = 0;
      const source = endless();
      const write = () => {
        while (!stream.destroyed) {
          pending++;
          if (!stream.write(source.next().value as { n: number }, () => pending--)) break;
        }
      };
      stream.on('drain', write);
      write();
      // The reader may stop for good before that.
      const wanted = random.pick([0, 0, 1, 10, 1000]);
      let received = 0;
      stream.on('data', () => {
        if (++received === wanted && random.below(2) === 0) stream.pause();
      });
      const failed = failureOf(stream);
      if (wanted > 0) await until(() => received >= wanted);
      else for (let turns = random.below(400); turns > 0; turns--) await new Promise(setImmediate);
      await stream.workers[random.below(workers)]?.terminate();
      expect(await failed, `seed ${seed}`).toMatchObject({ code: 'ERR_STRAND_WORKER' });
      expect(pending, `seed ${seed}`).toBe(0);
      await isGone(stream);
    };
    let rounds = 0;
    const lane = async () => {
      while (rounds++ < TERMINATIONS) await round();
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  });
});

describe('a generator that returns early', () => {
  /** Reads one record, gives many, says so and returns. */
  const EARLY = inlineFile(`
    export default async function* (source) {
      for await (const each of source) {
        yield Array.from({ length: 300 }, (_, n) => ({ n }));
        return;
      }
    }`);

  test('has all delivered that it gave, then the writing side gets the StrandAbortError', async () => {
    const stream = createWorkerStream(EARLY, { ...BOTH, highWaterMark: 1 });
    const source = Readable.from(endless());
    const received: unknown[] = [];
    const error = await pipeline(source, stream as Duplex, async (results: AsyncIterable<unknown>) => {
      for await (const each of results) {
        received.push(each);
        await new Promise(setImmediate);
      }
    }).catch((reason: unknown) => reason);
    expect(received).toEqual(numbers(0, 300));
    expect(error).toBeInstanceOf(StrandAbortError);
    expect(source.destroyed).toBe(true);
    await isGone(stream);
  });

  test('ends also a stream that nobody writes to any more', async () => {
    const stream = createWorkerStream(EARLY, BOTH);
    stream.write({ n: 0 });
    const failed = failureOf(stream);
    expect(await collect(stream)).toEqual(numbers(0, 300));
    expect(await failed).toBeInstanceOf(StrandAbortError);
  });

  test('is a good end where all was written before', async () => {
    const stream = createWorkerStream(EARLY, BOTH);
    for (const each of numbers(0, 10)) stream.write(each);
    stream.end();
    expect(await collect(stream)).toEqual(numbers(0, 300));
    await isClosed(stream);
    expect(stream.errored).toBeNull();
  });

  test('in one of several workers leaves the writes to the others, also those of the same turn', async () => {
    const turns = new Int32Array(new SharedArrayBuffer(8));
    const stream = createWorkerStream(
      inlineFile(`
        import { workerData } from 'node:worker_threads';
        export default async function* (source) {
          if (Atomics.add(workerData, 0, 1) === 0) {
            Atomics.wait(workerData, 1, 0);
            return;
          }
          for await (const each of source) yield each;
        }`),
      { ...BOTH, workers: 2, ordered: false, workerData: turns, highWaterMark: 10_000 },
    );
    await until(() => Atomics.load(turns, 0) === 2);
    // In one turn, in which no news of the early end comes.
    Atomics.store(turns, 1, 1);
    Atomics.notify(turns, 1);
    for (const each of numbers(0, 9000)) stream.write(each);
    stream.end();
    const received = await collect(stream);
    await isClosed(stream);
    expect(stream.errored).toBeNull();
    expect(received.length).toBeGreaterThan(0);
    const distinct = new Set(received.map(({ n }) => n));
    expect(distinct.size).toBe(received.length);
  });
});
