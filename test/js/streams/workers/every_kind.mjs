// One conversion in every kind of function. workerData: kind, input and output ('records' or 'bytes'), give.

import { Transform } from 'node:stream';
import { workerData } from 'node:worker_threads';

const { kind, input, output, give = 'one' } = workerData;

/** What stands for nothing, by turns. */
const NOTHINGS = [undefined, null, []];

function resultOf(n) {
  if (output === 'bytes') return input === 'bytes' ? Buffer.of((n + 1) % 256) : `${n}\n`;
  if (give === 'nothing') return NOTHINGS[n % NOTHINGS.length];
  if (give === 'many') return Array.from({ length: n % 7 }, (_, i) => ({ n: n * 10 + i }));
  return { n };
}

/** Results of a record, or of a chunk of bytes. */
function convert(each) {
  return input === 'bytes' ? Array.from(each, resultOf).flat() : resultOf(each.n);
}

const listOf = (result) => [result].flat().filter((each) => each !== undefined && each !== null);

const convertBatch = (batch) =>
  input === 'bytes' ? convert(batch) : batch.flatMap((each) => listOf(convert(each)));

const kinds = {
  generator: async function* (source) {
    for await (const each of source) yield convert(each);
  },
  batches: async function* (source) {
    for await (const batch of source.batches()) {
      if (!Array.isArray(batch)) throw new Error('batches() gives arrays');
      yield batch.flatMap((each) => listOf(convert(each)));
    }
  },
  batch: (batch) => convertBatch(batch),
  promise: async (batch) => {
    await null;
    return convertBatch(batch);
  },
  transform: () =>
    new Transform({
      writableObjectMode: input === 'records',
      readableObjectMode: output === 'records',
      transform(each, _encoding, callback) {
        for (const result of listOf(convert(each))) this.push(result);
        callback();
      },
    }),
};

export default kinds[kind];
