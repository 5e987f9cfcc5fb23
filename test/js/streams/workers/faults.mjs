// Fails as workerData says: the kind of function, the moment (load, start, middle or end) and the way.

import { Transform } from 'node:stream';
import { workerData } from 'node:worker_threads';

const { kind, moment, way } = workerData;
const MIDDLE = 20;

const ways = {
  throws: () => {
    throw Object.assign(new RangeError('out of flour'), { code: 'E_FLOUR', sacks: { left: 0 } });
  },
  rejects: () =>
    Promise.reject(Object.assign(new RangeError('out of flour'), { code: 'E_FLOUR', sacks: { left: 0 } })),
  'exits with 0': () => process.exit(0),
  'exits with 7': () => process.exit(7),
};
const fail = ways[way];

let seen = 0;
const met = (each) => (++seen === MIDDLE && moment === 'middle' ? fail() : each);
const all = async (batch) => {
  const results = [];
  for (const each of batch) results.push(await met(each));
  return results;
};

const kinds = {
  generator: async function* (source) {
    if (moment === 'start') await fail();
    for await (const each of source) yield await met(each);
    if (moment === 'end') await fail();
  },
  batch: (batch) => {
    if (moment === 'start') return fail();
    return way === 'rejects' ? all(batch) : batch.map(met);
  },
  transform: () => {
    if (moment === 'start') fail();
    return new Transform({
      objectMode: true,
      transform(each, _encoding, callback) {
        if (way !== 'rejects') callback(null, met(each));
        else Promise.resolve(met(each)).then((result) => callback(null, result), callback);
      },
      flush(callback) {
        if (moment !== 'end') callback();
        else if (way === 'rejects') fail().catch(callback);
        else fail();
      },
    });
  },
};

if (moment === 'load') await fail();

export default kinds[kind];
