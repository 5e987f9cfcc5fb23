import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { buildSchema, StrandHeaderError, StrandView, StrandWriter } from '../../../dist/index.js';
import { createWorkerStream } from '../../../dist/streams.js';
import { expectThrown } from '../support/strands.js';
import { startChild, until } from '../support/threads.mjs';
import { collect, inlineFile, NUMBER, numbers, through, workerFile } from './support.js';

const ECHO = inlineFile('export default (batch) => batch');
const BOTH = { schemaIn: NUMBER, schemaOut: NUMBER } as const;

describe('createWorkerStream', () => {
  const url = workerFile('every_kind');
  const file = fileURLToPath(url);

  test.each([
    ['a URL', url],
    ['text of a URL', url.href],
    ['an absolute path', file],
    ['a path from the current folder', path.relative(process.cwd(), file)],
  ])('takes its file as %s', async (_, given) => {
    const workerData = { kind: 'batch', input: 'records', output: 'records' };
    const stream = createWorkerStream(given, { ...BOTH, workerData });
    expect(await through(stream, numbers(0, 3))).toEqual(numbers(0, 3));
  });

  test('takes schemas that are built already', async () => {
    const schema = buildSchema(NUMBER);
    const stream = createWorkerStream(ECHO, { schemaIn: schema, schemaOut: schema });
    expect(await through(stream, numbers(0, 3))).toEqual(numbers(0, 3));
  });

  test.each([
    ['an unknown option', { worker_data: 1 }, TypeError],
    ['no workers', { workers: 0 }, RangeError],
    ['half a worker', { workers: 0.5 }, RangeError],
    ['workers that are no number', { workers: '2' }, RangeError],
    ['no records', { maxRecords: 0 }, RangeError],
    ['a ring of three records', { indexCapacity: 3 }, StrandHeaderError],
    ['no heap', { heapCapacity: -1 }, StrandHeaderError],
    // No heap: a thousand threads would otherwise start where this is not refused.
    ['too many workers', { workers: 1025, heapCapacity: -1 }, RangeError],
    ['a batch that is no boolean', { ...BOTH, batch: 'yes' }, TypeError],
    ['arrays of bytes', { batch: true }, TypeError],
    ['an order that is no boolean', { ordered: 'no' }, TypeError],
    ['a negative mark', { highWaterMark: -1 }, RangeError],
    ['a mark that is no number', { highWaterMark: '5' }, RangeError],
    ['a field of no type', { schemaIn: [{ name: 'n', type: 'u33' }] }, TypeError],
    ['a signal that is none', { signal: {} }, TypeError],
    ['options of the worker that it refuses', { worker: { execArgv: 5 } }, TypeError],
    ['options of the worker that are none', { worker: 5 }, TypeError],
    ['a list of options of the worker', { worker: [] }, TypeError],
    ['worker data among the options of the worker', { worker: { workerData: 1 } }, TypeError],
    ['text for a file', { worker: { eval: true } }, TypeError],
    ['worker data that cannot be sent', { workerData: () => {} }, Error],
    ['options that are none', 5, TypeError],
  ])('refuses %s at once', (_, options, type) => {
    expectThrown(() => createWorkerStream(ECHO, options as never), type);
  });

  test.each([
    [{ workers: 2000, heapCapacity: -1 }, 'ERR_STRAND_OUT_OF_RANGE', /workers .*1 to 1024.*2000.*processors/],
    [{ batch: true }, 'ERR_STRAND_INVALID_ARGUMENT', /batch.*schemaIn or schemaOut/],
    [{ ordered: 'no' }, 'ERR_STRAND_INVALID_ARGUMENT', /ordered.*true or false.*"no"/],
    [{ highWaterMark: 0.5 }, 'ERR_STRAND_OUT_OF_RANGE', /highWaterMark.*whole number from 0.*0\.5/],
    [{ worker: { workerData: 1 } }, 'ERR_STRAND_INVALID_ARGUMENT', /worker.*workerData.*beside it/],
  ])('says of %j what it takes', (options, code, message) => {
    expect(() => createWorkerStream(ECHO, options as never)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test.each([5, null, 'n', {}, new Map()])('refuses %s as a schema', (schema) => {
    const code = 'ERR_STRAND_INVALID_ARGUMENT';
    expectThrown(() => createWorkerStream(ECHO, { schemaIn: schema } as never), TypeError, { code });
    expectThrown(() => createWorkerStream(ECHO, { schemaOut: schema } as never), TypeError, { code });
  });

  test.each([[undefined], [5], [{}]])('refuses %s as a file', (given) => {
    expectThrown(() => createWorkerStream(given as never), TypeError, {
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
  });

  test('starts all workers or none', async () => {
    const child = startChild(
      async ({ data, load, say }) => {
        const { createWorkerStream } = (await load(
          data.streams,
        )) as unknown as typeof import('../../../dist/streams.js');
        const { port1 } = new globalThis.MessageChannel();
        try {
          // The second worker is refused the port that the first was given.
          createWorkerStream(data.file, { workers: 2, workerData: port1, worker: { transferList: [port1] } });
        } catch (error) {
          say((error as Error).name);
        }
      },
      { streams: new URL('../../../dist/streams.js', import.meta.url).href, file: ECHO },
    );
    // A worker that is left would keep the process.
    expect(await child.done()).toEqual(['DataCloneError']);
  });

  describe('that fails', () => {
    afterEach(() => {
      vi.restoreAllMocks();
    });

    const closing = () => [
      vi.spyOn(StrandWriter.prototype, 'close'),
      vi.spyOn(StrandView.prototype, 'close'),
    ];
    const closed = (spies: ReturnType<typeof closing>) =>
      spies.map(({ mock }) => new Set(mock.contexts).size);

    test('where the thread is refused closes the rings of it', () => {
      const spies = closing();
      expect(() => createWorkerStream(ECHO, { worker: { execArgv: 5 } } as never)).toThrow(TypeError);
      expect(closed(spies)).toEqual([1, 1]);
    });

    test('behind the start of a thread ends it, and with it those before', async () => {
      const { postMessage } = Worker.prototype;
      const post = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
        this: Worker,
        ...sent
      ) {
        if (post.mock.calls.length === 2) throw new Error('no room');
        postMessage.apply(this, sent);
      });
      const spies = closing();
      expect(() => createWorkerStream(ECHO, { ...BOTH, workers: 3 })).toThrow('no room');
      // With their tickets and receipts.
      expect(closed(spies)).toEqual([4, 4]);
      expect(post.mock.contexts).toHaveLength(2);
      const threads = post.mock.contexts as Worker[];
      await until(() => threads.every(({ threadId }) => threadId === -1));
    });
  });

  test('gives the workers the options of new Worker', async () => {
    const stream = createWorkerStream(
      inlineFile(`export default async function* () {
        yield process.env.FLOUR + ' ' + process.execArgv.join();
      }`),
      { worker: { env: { FLOUR: 'rye' }, execArgv: ['--no-warnings'] } },
    );
    stream.end();
    expect(Buffer.concat(await collect(stream)).toString()).toBe('rye --no-warnings');
  });

  test('moves what workerData transfers', async () => {
    const { port1, port2 } = new MessageChannel();
    const stream = createWorkerStream(
      inlineFile(`
        import { workerData } from 'node:worker_threads';
        export default async function* () {
          workerData.postMessage('here');
          workerData.close();
        }`),
      { workerData: port1, worker: { transferList: [port1] } },
    );
    stream.end().resume();
    const said = await new Promise((resolve) => port2.once('message', resolve));
    expect(said).toBe('here');
  });

  test.each([1, 3])('gives a worker’s function maxRecords at most, with %i workers', async (workers) => {
    const stream = createWorkerStream(inlineFile('export default ({ length }) => ({ n: length })'), {
      ...BOTH,
      batch: true,
      maxRecords: 10,
      workers,
    });
    const sizes = (await through(stream, [numbers(0, 25), numbers(25, 26), numbers(0, 200)])).flat();
    expect(sizes.reduce((sum, { n }) => sum + n, 0)).toBe(226);
    expect(Math.max(...sizes.map(({ n }) => n))).toBe(10);
  });

  test.each([0, 1, 2])('works with a highWaterMark of %i', async (highWaterMark) => {
    const stream = createWorkerStream(ECHO, { ...BOTH, highWaterMark });
    expect(stream.writableHighWaterMark).toBe(highWaterMark);
    expect(stream.readableHighWaterMark).toBe(highWaterMark);
    expect(await through(stream, numbers(0, 500))).toEqual(numbers(0, 500));
    const bytes = createWorkerStream(ECHO, { highWaterMark });
    expect(Buffer.concat(await through(bytes, ['ab', 'cd', 'e']))).toEqual(Buffer.from('abcde'));
  });

  test('is in object mode only on the sides that have a schema', () => {
    const modes = [{}, { schemaIn: NUMBER }, { schemaOut: NUMBER }, BOTH].map((options) => {
      const stream = createWorkerStream(ECHO, options as typeof BOTH);
      stream.destroy();
      return [stream.writableObjectMode, stream.readableObjectMode];
    });
    expect(modes).toEqual([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]);
  });
});
