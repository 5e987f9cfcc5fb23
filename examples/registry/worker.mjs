import { parentPort, workerData } from 'node:worker_threads';
import { Registry } from '@strand/core/registry';
import { append, LIST } from './list.mjs';

const { data, first, count } = workerData;
const registry = new Registry(data);

for (let i = 0; i < count; i += 10) {
  await append(
    registry,
    Array.from({ length: 10 }, (_, n) => first + i + n),
  );
}

// The others may go on: whatever list is the present one, this worker's integers are in it.
const list = await registry.get(LIST);
const own = list.subarray(1, 1 + list[0]).filter((integer) => integer >= first && integer < first + count);
parentPort.postMessage(own.length);
