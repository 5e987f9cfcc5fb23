import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { createWorkerStream } from '../../../dist/streams.js';
import { LONG } from '../support/long.js';
import { numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { turns } from '../support/strands.js';
import { until } from '../support/threads.mjs';
import { collect, inlineFile, NUMBER, numbers, through, workerFile } from './support.js';
import { resultsOf, timesOf } from './workers/result_sizes.mjs';

const BOTH = { schemaIn: NUMBER, schemaOut: NUMBER } as const;
const RESULT = [
  { name: 'n', type: 'f64' },
  { name: 'i', type: 'u32' },
] as const;
const ROUNDS = LONG ? 40 : 4;

describe.each([true, false])('a pool of workers (ordered: %s)', (ordered) => {
  test('loses, doubles and moves no result, whatever sizes, paces and rings there are', async () => {
    const random = seeded(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const indexCapacity = random.pick([2, 4, 64, 1024]);
      const most = random.pick([0, 1, 3, 3 * indexCapacity]) % 200;
      const count = random.between(1, 600);
      const options = {
        workers: random.between(1, 4),
        ordered,
        indexCapacity,
        heapCapacity: random.pick([512, 2048, 65_536]),
        maxRecords: random.pick([1, 10, 1024]),
        highWaterMark: random.pick([0, 1, 16, 1000]),
        workerData: { seed: random.next(), most },
      };
      const about = `seed ${seed}, round ${round}, ${JSON.stringify(options)}`;
      const arrays: object[][] = [];
      for (let next = 0; next < count; next += arrays.at(-1)?.length as number) {
        arrays.push(
          numbered.records(next, Math.min(random.between(1, random.pick([1, 20, 300])), count - next)),
        );
      }
      const schemas = { schemaIn: numbered.fields, schemaOut: RESULT };
      const results =
        random.below(2) === 0
          ? await through(createWorkerStream(workerFile('paced'), { ...options, ...schemas }), arrays.flat())
          : (
              await through(
                createWorkerStream(workerFile('paced'), { ...options, ...schemas, batch: true }),
                arrays,
              )
            ).flat();
      // Without an order the results of one record still follow each other.
      if (!ordered) results.sort((a, b) => a.n - b.n);
      expect(results, about).toEqual(Array.from({ length: count }, (_, n) => resultsOf(n, most)).flat());
    }
  });

  test('loses, doubles and moves no byte', async () => {
    const random = seeded(seed);
    for (let round = 0; round < ROUNDS / 2; round++) {
      const options = {
        workers: random.between(1, 4),
        ordered,
        indexCapacity: random.pick([2, 16, 1024]),
        heapCapacity: random.pick([64, 4096, 1 << 20]),
        workerData: { seed: random.next() },
      };
      const about = `seed ${seed}, round ${round}, ${JSON.stringify(options)}`;
      const most = Math.min(options.heapCapacity * 4, 100_000);
      const chunks = Array.from({ length: random.between(1, 30) }, () =>
        Buffer.from(
          Array.from({ length: random.below(random.pick([5, 500, most])) }, () => random.below(256)),
        ),
      );
      const given = Buffer.concat(await through(createWorkerStream(workerFile('paced'), options), chunks));
      const expected = Buffer.from(
        Array.from(Buffer.concat(chunks), (byte) => Array<number>(timesOf(byte)).fill(byte)).flat(),
      );
      if (!ordered) {
        given.sort();
        expected.sort();
      }
      expect(given.equals(expected), about).toBe(true);
    }
  });
});

describe('workers of unequal speed', () => {
  test('gives each write to the worker with the least to do', async () => {
    const stream = createWorkerStream(workerFile('stalls'), { ...BOTH, workers: 3, ordered: false });
    const stalled = new Promise((resolve) => {
      for (const worker of stream.workers) worker.once('message', () => resolve(worker));
    });
    stream.write({ n: 0 });
    const busy = (await stalled) as unknown as Worker;
    const reader = stream[Symbol.asyncIterator]();
    for (const each of numbers(1, 100)) {
      stream.write(each);
      // One at a time: had it gone behind number 0 it would never come.
      expect((await reader.next()).value).toEqual(each);
      // A worker gives its result first, and the record's room back behind it.
      await until(() => stream.stats().input.queueDepth === 1);
    }
    busy.postMessage('go on');
    stream.end();
    expect((await reader.next()).value).toEqual({ n: 0 });
    expect((await reader.next()).done).toBe(true);
  });

  test('do unequal shares of the work', async () => {
    const count = new Int32Array(new SharedArrayBuffer(4));
    const stream = createWorkerStream(
      inlineFile(`
        import { setTimeout as delay } from 'node:timers/promises';
        import { workerData } from 'node:worker_threads';
        const who = Atomics.add(workerData, 0, 1);
        export default async (batch) => {
          if (who === 0) await delay(20);
          return batch.map(() => ({ n: who }));
        };`),
      { ...BOTH, workers: 2, ordered: false, maxRecords: 1, indexCapacity: 4, workerData: count },
    );
    await until(() => count[0] === 2);
    const who = await through(stream, numbers(0, 500));
    expect(who).toHaveLength(500);
    expect(who.filter(({ n }) => n === 0).length).toBeLessThan(200);
  });

  test('keep the order while one of them stalls, in no more memory than their rings', async () => {
    const RING = 16;
    const COUNT = 2000;
    const stream = createWorkerStream(workerFile('stalls'), { ...BOTH, workers: 3, indexCapacity: RING });
    const stalled = new Promise<Worker>((resolve) => {
      for (const worker of stream.workers) worker.once('message', () => resolve(worker as unknown as Worker));
    });
    let pulled = 0;
    const source = Readable.from(
      (function* () {
        for (; pulled < COUNT; pulled++) yield { n: pulled };
      })(),
    );
    source.pipe(stream);
    const collected = collect(stream);
    const busy = await stalled;
    // All rings to the workers are full, and those from the ones that run.
    await until(() => {
      const lanes = stream.stats().workers;
      const full = lanes.filter(({ output }) => output.queueDepth === RING);
      return full.length === 2 && lanes.every(({ input }) => input.queueDepth === RING);
    });
    await turns(100);
    const atRest = pulled;
    await turns(100);
    expect(pulled).toBe(atRest);
    // Five rings, what two workers hold, and what three streams' buffers do.
    expect(pulled).toBeLessThan(7 * RING + 4 * 16);
    busy.postMessage('go on');
    expect(await collected).toEqual(numbers(0, COUNT));
  });
});

describe('stats()', () => {
  test('adds up over the workers, also when all is over', async () => {
    const stream = createWorkerStream(inlineFile('export default (batch) => batch.flatMap((n) => [n, n])'), {
      ...BOTH,
      workers: 3,
    });
    expect(stream.stats().input).toMatchObject({ produced: 0, consumed: 0, queueDepth: 0 });
    await through(stream, numbers(0, 1000));
    const check = () => {
      const { input, output, workers } = stream.stats();
      expect(input).toMatchObject({ produced: 1000, consumed: 1000, queueDepth: 0 });
      expect(output).toMatchObject({ produced: 2000, consumed: 2000, queueDepth: 0 });
      expect(workers).toHaveLength(3);
      for (const side of ['input', 'output'] as const) {
        for (const name of [
          'produced',
          'consumed',
          'producerWaits',
          'consumerWaits',
          'queueDepth',
        ] as const) {
          const sum = workers.reduce((total, each) => total + each[side][name], 0);
          expect(stream.stats()[side][name]).toBe(sum);
        }
      }
    };
    check();
    if (!stream.closed) await once(stream, 'close');
    check();
  });
});
