// A pool of workers fills one list, which is replaced by a larger one whenever it is full.
//
//   node examples/registry/main.mjs

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Registry } from '@strand/core/registry';
import { emptyList, LIST } from './list.mjs';

const WORKERS = 4;
const COUNT = 25_000;

const registry = new Registry(1);
await registry.set(LIST, emptyList(8));

let replaced = 0;
const counting = (async () => {
  for await (const change of registry.watch(LIST)) {
    replaced++;
    if (change.value.length > WORKERS * COUNT) break;
  }
})();

const workers = Array.from(
  { length: WORKERS },
  (_, i) =>
    new Worker(new URL('worker.mjs', import.meta.url), {
      workerData: { data: registry.data, first: i * COUNT, count: COUNT },
    }),
);
const found = await Promise.all(workers.map((worker) => once(worker, 'message')));
await counting;

const list = await registry.get(LIST);
const integers = list.subarray(1, 1 + list[0]).sort();
console.log(`${integers.length} integers, each once: ${integers.every((integer, i) => integer === i)}`);
console.log(`every worker found its own: ${found.every(([own]) => own === COUNT)}`);
console.log(`the list was replaced: ${replaced > 0}, and is ${list.length} long`);
