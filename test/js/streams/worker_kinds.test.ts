import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createStrand, FIELD_BYTE_WIDTHS, StrandView, StrandWriter } from '../../../dist/index.js';
import { createWorkerStream } from '../../../dist/streams.js';
import { everyType } from '../support/every_type.mjs';
import { collect, inlineFile, NUMBER, numbers, through, workerFile } from './support.js';

const KINDS = ['generator', 'batches', 'batch', 'promise', 'transform'] as const;
const RECORDS = 3000;
const BYTES = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));

/** What the numbers from 0 to before `RECORDS` become where each gives up to six. */
const MANY = Array.from({ length: RECORDS }, (_, n) => numbers(n * 10, n * 10 + (n % 7))).flat();

describe.each(KINDS)('a worker file of the kind %s', (kind) => {
  const url = workerFile('every_kind');

  test.each([
    ['one', numbers(0, RECORDS)],
    ['nothing', []],
    ['many', MANY],
  ])('takes records and gives %s of each', async (give, expected) => {
    const stream = createWorkerStream(url, {
      schemaIn: NUMBER,
      schemaOut: NUMBER,
      workerData: { kind, input: 'records', output: 'records', give },
    });
    expect(await through(stream, numbers(0, RECORDS))).toEqual(expected);
  });

  test('takes and gives arrays of records of any length', async () => {
    const stream = createWorkerStream(url, {
      schemaIn: NUMBER,
      schemaOut: NUMBER,
      batch: true,
      maxRecords: 100,
      workerData: { kind, input: 'records', output: 'records', give: 'many' },
    });
    const arrays = [[], numbers(0, 1), numbers(1, 2500), [], numbers(2500, RECORDS)];
    const given = await through(stream, arrays);
    expect(given.flat()).toEqual(MANY);
    expect(given.every(({ length }) => length > 0 && length <= 100)).toBe(true);
  });

  test('takes records and gives bytes', async () => {
    const stream = createWorkerStream(url, {
      schemaIn: NUMBER,
      workerData: { kind, input: 'records', output: 'bytes' },
    });
    const text = Buffer.concat(await through(stream, numbers(0, RECORDS))).toString();
    expect(text).toBe(
      numbers(0, RECORDS)
        .map(({ n }) => `${n}\n`)
        .join(''),
    );
  });

  test('takes bytes and gives records', async () => {
    const stream = createWorkerStream(url, {
      schemaOut: NUMBER,
      workerData: { kind, input: 'bytes', output: 'records' },
    });
    const bytes = BYTES.subarray(0, 5000);
    expect(await through(stream, [bytes.subarray(0, 1), bytes.subarray(1)])).toEqual(
      Array.from(bytes, (n) => ({ n })),
    );
  });

  test('takes bytes and gives bytes', async () => {
    const stream = createWorkerStream(url, { workerData: { kind, input: 'bytes', output: 'bytes' } });
    const chunks = [
      BYTES.subarray(0, 10),
      new Uint8Array(0),
      BYTES.toString('latin1', 10, 20),
      BYTES.subarray(20),
    ];
    const given = Buffer.concat(await through(stream, chunks));
    // As Latin 1 and as UTF-8 bytes below 128 are the same.
    expect(given.equals(BYTES.map((byte) => (byte + 1) % 256))).toBe(true);
  });
});

describe('a worker stream', () => {
  test('passes values of every type both ways as they are', async () => {
    const fields = everyType.fields(FIELD_BYTE_WIDTHS).filter(({ type }) => type !== 'utf8_ref');
    const records = Array.from({ length: 200 }, (_, n) => everyType.record(n));
    const strand = createStrand(fields, { indexCapacity: 256, heapCapacity: 1 << 17 });
    new StrandWriter(strand).writeRecordBatch(records);
    const cursor = new StrandView(strand).allocateCursor();
    const expected = records.map((_, n) => cursor.seek(n) && cursor.toObject());
    const given = await Promise.all(
      ['(batch) => batch', 'async function* (source) { yield* source; }'].map((text) =>
        through(
          createWorkerStream(inlineFile(`export default ${text}`), { schemaIn: fields, schemaOut: fields }),
          records,
        ),
      ),
    );
    for (const each of given) expect(each).toEqual(expected);
  });

  test('gives bytes of any source that a worker may return', async () => {
    const stream = createWorkerStream(
      inlineFile(`export default async function* () {
        yield 'é';
        yield new Uint8Array([1]);
        yield [Buffer.of(2), null, 'x', undefined];
        yield [];
        yield new Uint8Array([3]).buffer;
        yield new SharedArrayBuffer(1);
        yield '';
      }`),
    );
    stream.end();
    expect(Buffer.concat(await collect(stream))).toEqual(Buffer.from([0xc3, 0xa9, 1, 2, 0x78, 3, 0]));
  });

  test('gives its worker nothing of what it holds for itself: workerData and all messages are the file’s own', async () => {
    const stream = createWorkerStream(
      inlineFile(`
        import { parentPort, workerData } from 'node:worker_threads';
        const heard = [];
        parentPort.on('message', (message) => {
          heard.push(message);
          parentPort.postMessage({ heard, workerData });
        });
        export default (batch) => batch;
      `),
      { schemaIn: NUMBER, schemaOut: NUMBER, workerData: { sugar: 3n, of: [1, 2] } },
    );
    const [worker] = stream.workers;
    worker?.postMessage('first');
    worker?.postMessage({ second: true });
    const heard: unknown[] = [];
    worker?.on('message', (message) => heard.push(message));
    stream.write({ n: 1 });
    await once(stream, 'readable');
    worker?.postMessage('third');
    while (heard.length < 3) await once(worker as NonNullable<typeof worker>, 'message');
    expect(heard.at(-1)).toEqual({
      heard: ['first', { second: true }, 'third'],
      workerData: { sugar: 3n, of: [1, 2] },
    });
    stream.end();
    expect(await collect(stream)).toEqual([{ n: 1 }]);
  });

  test('runs a generator that gives before it reads', async () => {
    const stream = createWorkerStream(
      inlineFile('export default async function* (source) { yield { n: 100 }; yield* source; }'),
      { schemaIn: NUMBER, schemaOut: NUMBER },
    );
    expect((await once(stream, 'data'))[0]).toEqual({ n: 100 });
    stream.pause();
    stream.write({ n: 1 });
    stream.end();
    expect(await collect(stream)).toEqual([{ n: 1 }]);
  });

  test('loses no record between several ways of reading its source', async () => {
    const stream = createWorkerStream(
      inlineFile(`export default async function* (source) {
        // All is there before the first is read, so that they come together.
        const first = source[Symbol.asyncIterator]();
        yield (await first.next()).value;
        for await (const each of source) {
          yield each;
          break;
        }
        const asked = [first.next(), first.next(), source[Symbol.asyncIterator]().next()];
        for (const each of asked) yield (await each).value;
        for await (const batch of source.batches()) {
          yield batch.slice(0, 1);
          yield batch.slice(1);
          break;
        }
        for await (const each of source) yield each;
        if (!(await first.next()).done) throw new Error('there was more');
      }`),
      { schemaIn: NUMBER, schemaOut: NUMBER, batch: true, maxRecords: 7 },
    );
    expect((await through(stream, [numbers(0, 50)])).flat()).toEqual(numbers(0, 50));
  });

  test('answers all who ask its source at once, in order', async () => {
    const stream = createWorkerStream(
      inlineFile(`export default async function* (source) {
        const iterator = source[Symbol.asyncIterator]();
        for (;;) {
          const answers = await Promise.all(Array.from({ length: 5 }, () => iterator.next()));
          yield answers.filter(({ done }) => !done).map(({ value }) => value);
          if (answers.some(({ done }) => done)) return;
        }
      }`),
      { schemaIn: NUMBER, schemaOut: NUMBER, batch: true, maxRecords: 3 },
    );
    expect((await through(stream, [numbers(0, 4), numbers(4, 99)])).flat()).toEqual(numbers(0, 99));
  });

  test('runs a generator function that is not asynchronous', async () => {
    const stream = createWorkerStream(
      inlineFile('export default function* () { yield { n: 1 }; yield [{ n: 2 }]; }'),
      {
        schemaOut: NUMBER,
      },
    );
    stream.end();
    expect(await collect(stream)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('gives strings of its intern table both ways', async () => {
    const fields = [{ name: 'city', type: 'utf8_ref' }] as const;
    const stream = createWorkerStream(inlineFile('export default (batch) => batch'), {
      schemaIn: fields,
      schemaOut: fields,
      internTable: ['Ulm', 'Graz'],
    });
    const records = [{ city: 'Graz' }, { city: 'Ulm' }];
    expect(await through(stream, records)).toEqual(records);
  });
});
