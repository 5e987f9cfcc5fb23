import { afterAll, describe, expect, test } from 'vitest';
import type * as RegistryPackage from '../../../dist/registry.js';
import { Registry } from '../../../dist/registry.js';
import { copyPackage } from '../support/second_copy.js';
import { seed } from '../support/seed.js';
import { startChild, startThread } from '../support/threads.mjs';

const ROUNDS = 40;

describe('a registry whose memory somebody else writes to', () => {
  test('answers or refuses, and neither crashes nor hangs', async () => {
    const child = startChild(
      async ({ registry, data, say, seeded }) => {
        const codes = new Set<string>();
        for (let round = 0; round < data.rounds; round++) {
          const random = seeded(data.seed + round);
          const mine = new registry.Registry<number>(1);
          const other = new registry.Registry<number>(mine.data);
          for (let key = 1; key < 200; key++) await mine.set(key, key);
          const bytes = new Uint8Array(mine.data.table);
          const words = new Uint32Array(mine.data.table);
          for (let i = random.below(60); i >= 0; i--) {
            const at = random.below(bytes.length);
            // The lock words would keep a call for seconds, as documented; they are tried in the core's tests.
            const isLock = at < 0x4200 && (at & 0xff) < 4;
            if (isLock) continue;
            if (random.below(2)) bytes[at] = random.below(256);
            else words[at >> 2] = random.below(2) ? 0xffffffff : random.below(2000);
          }
          const calls: (() => Promise<unknown>)[] = [];
          for (let key = 1; key < 220; key += 7) {
            for (const one of [mine, other]) {
              calls.push(
                () => one.get(key),
                () => one.set(key, 1, { timeoutMs: 1 }),
                () => one.delete(key, { timeoutMs: 1 }),
                () => one.lock(key, () => 2, { timeoutMs: 1 }),
                () => one.acquire(key, { timeoutMs: 1 }),
              );
            }
          }
          calls.push(() => mine.clear({ timeoutMs: 1 }));
          for (const call of calls) {
            const signal = new Promise((resolve) => setTimeout(resolve, 20, { code: 'waits' }));
            const error = (await Promise.race([call().catch((error) => error), signal])) as
              | { code?: string }
              | undefined;
            if (typeof error === 'object') codes.add(error.code ?? String(error));
          }
          try {
            new registry.Registry(mine.data).close();
          } catch (error) {
            codes.add((error as { code: string }).code);
          }
          mine.close();
          other.close();
        }
        say([...codes]);
      },
      { seed, rounds: ROUNDS },
    );
    const codes = await child.said<string[]>();
    await child.done();
    expect(codes).toContain('ERR_STRAND_REGISTRY_CORRUPT');
    for (const code of codes) expect(code).toMatch(/^(ERR_STRAND_\w+|waits|undefined|\[object Object\])$/);
  });
});

test('a wait that ends when somebody has written over the table rejects, and nothing is thrown beside it', async () => {
  const child = startChild(async ({ registry, say }) => {
    const mine = new registry.Registry<number>(1);
    const other = new registry.Registry<number>(mine.data);
    await other.acquire(1);
    const controller = new AbortController();
    const waits = [
      mine.set(1, 1, { timeoutMs: 5 }),
      mine.lock(1, () => 2, { signal: controller.signal }),
      mine.acquire(1),
    ];
    // The entries, tickets and members; no lock among them.
    new Uint8Array(mine.data.table, 0x4200).fill(0xff);
    setTimeout(() => controller.abort(new Error('enough')), 10);
    const results = await Promise.allSettled(waits);
    say(results.map((result) => (result as PromiseRejectedResult).reason.code ?? 'enough'));
    say(await mine.get(1).catch((error) => error.code));
  }, null);
  const codes = await child.said<string[]>();
  expect(codes).toHaveLength(3);
  for (const code of codes) expect(code).toMatch(/TIMEOUT|CORRUPT|enough/);
  expect(codes).toContain('ERR_STRAND_REGISTRY_CORRUPT');
  expect(await child.said()).toBe('ERR_STRAND_REGISTRY_CORRUPT');
  await child.done();
});

describe('two copies of the package', () => {
  const copy = copyPackage('own');
  afterAll(copy.remove);

  test('share a registry: values, locks and wake-ups go both ways', async () => {
    using registry = new Registry<number>();
    await registry.set(1, 0);
    const thread = startThread(
      async ({ registry, data }) => {
        const mine = new registry.Registry<number>(data);
        await registry.bind(mine);
        for (let i = 0; i < 500; i++) await mine.lock(1, async (value = 0) => value + 1);
      },
      registry.data,
      { index: copy.index },
    );
    for (let i = 0; i < 500; i++) await registry.lock(1, async (value = 0) => value + 1);
    await thread.done();
    expect(await registry.get(1)).toBe(1000);

    const other = (await import(new URL('registry.js', copy.index).href)) as typeof RegistryPackage;
    using second = new other.Registry<number>(registry.data);
    const lease = await second.acquire(1);
    const waiting = registry.set(1, 5);
    await lease.release();
    await waiting;
    expect(await second.get(1)).toBe(5);
  });
});
