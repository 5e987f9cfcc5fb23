// Compiled, never run: what a registry takes and gives.

import { Worker, workerData } from 'node:worker_threads';
import { bind, type Lease, Registry, type RegistryChange, type RegistryData } from '../../dist/registry.js';
import { expectTrue, type Same } from './expect_type.js';

interface Item {
  stock: number;
}

const registry = new Registry<Item>();
const data: RegistryData = registry.data;
new Registry<Item>(workerData);
new Registry(data);
// @ts-expect-error: neither a capacity nor data
new Registry('5');

const item = await registry.get(1);
expectTrue<Same<typeof item, Item | undefined>>();
await registry.set(1, { stock: 1 });
// @ts-expect-error: no item
await registry.set(1, { stock: 'one' });
// @ts-expect-error: keys are numbers
await registry.get('1');
const after = await registry.lock(1, (value) => ({ stock: (value?.stock ?? 0) + 1 }), { timeoutMs: 5 });
expectTrue<Same<typeof after, Item | undefined>>();
await registry.lock(1, async () => undefined);
await registry.lock(1, () => {});
// @ts-expect-error: a section returns an item or nothing
await registry.lock(1, () => 5);
const lease: Lease<Item> = await registry.acquire(1, { signal: AbortSignal.timeout(5) });
await lease.set({ stock: 2 });
await using held = await registry.acquire(2);
export const key: number = held.key;
for (const [key, { stock }] of registry) console.log(key + stock);
for await (const change of registry.watch('*')) {
  expectTrue<Same<typeof change, RegistryChange<Item>>>();
  if (change.type === 'set') console.log(change.value.stock);
  // @ts-expect-error: a key that was deleted has no value
  else console.log(change.value);
}
await bind(registry, new Worker('worker.mjs'));
const loose = new Registry();
const unknown: unknown = loose.peek(1);

export { unknown };
