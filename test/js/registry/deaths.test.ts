import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bind, Registry } from '../../../dist/registry.js';
import { LONG } from '../support/long.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startThread, until } from '../support/threads.mjs';

const TERMINATIONS = LONG ? 500 : 60;
const LANES = 3;

let registry: Registry<number>;
beforeEach(() => {
  registry = new Registry(1);
});
afterEach(() => registry.close());

describe('a thread that ends', () => {
  test('while it holds a lock: the next one has it', async () => {
    const holder = startThread(async ({ registry, data, say, hear }) => {
      const mine = new registry.Registry<number>(data);
      await mine.acquire(1);
      say('acquired');
      await mine.lock(2, async () => {
        say('locked');
        await hear();
        return undefined;
      });
    }, registry.data);
    await holder.said();
    await holder.said();
    const waiting = [registry.set(1, 1), registry.set(2, 2), registry.lock(1, (value) => (value ?? 0) + 1)];
    await holder.terminate();
    await Promise.all(waiting);
    expect([await registry.get(1), await registry.get(2)]).toStrictEqual([2, 2]);
  });

  test('while it waits for a lock, whoever is behind it: the order of the others stays', async () => {
    const lease = await registry.acquire(1);
    const threads = [0, 1].map(() =>
      startThread(async ({ registry, data, say }) => {
        const mine = new registry.Registry<number>(data);
        await registry.bind(mine);
        const taken = mine.acquire(1);
        say('waiting');
        await taken;
        say('acquired');
      }, registry.data),
    );
    const [first, second] = threads;
    await first?.said();
    const order: string[] = [];
    const own = registry.set(1, 1).then(() => order.push('set'));
    await second?.said();
    const last = registry.lock(1, () => void order.push('lock'));
    await Promise.all(threads.map((thread) => thread.terminate()));
    await lease.release();
    await Promise.all([own, last]);
    expect(order).toStrictEqual(['set', 'lock']);
  });

  test('when it has just been given a lock, and does not know: it is passed on', async () => {
    for (let round = 0; round < 10; round++) {
      const gate = new Int32Array(new SharedArrayBuffer(8));
      const lease = await registry.acquire(1);
      const thread = startThread(
        async ({ registry, data }) => {
          const mine = new registry.Registry<number>(data.registry);
          await registry.bind(mine);
          void mine.acquire(1);
          Atomics.store(data.gate, 1, 1);
          // Never looks at what it is given.
          for (;;) Atomics.wait(data.gate, 0, 0, 5);
        },
        { registry: registry.data, gate },
      );
      await until(() => Atomics.load(gate, 1) === 1);
      const next = registry.set(1, round);
      await lease.release();
      await thread.terminate();
      await next;
      expect(await registry.get(1)).toBe(round);
    }
  });

  test.each(['throw', 'exit', 'end'])('by %s frees its locks, too', async (how) => {
    const thread = startThread(
      async ({ registry, data }) => {
        const mine = new registry.Registry<number>(data.registry);
        await registry.bind(mine);
        await mine.acquire(1);
        if (data.how === 'throw') throw new Error('burnt');
        if (data.how === 'exit') process.exit(3);
      },
      { registry: registry.data, how },
    );
    await thread.ended;
    await registry.set(1, 1);
  });

  test('right after its set has resolved has lost nothing, while any other lives', async () => {
    for (let round = 1; round <= 10; round++) {
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const setter = startThread(
        async ({ registry, data }) => {
          const mine = new registry.Registry<number>(data.registry);
          await mine.set(data.round, data.round);
          Atomics.store(data.gate, 0, 1);
          for (;;);
        },
        { registry: registry.data, gate, round },
      );
      await until(() => Atomics.load(gate, 0) === 1);
      await setter.terminate();
      expect(await registry.get(round)).toBe(round);
    }
  });

  test('as the last one that had a value: reading it is an error that says so, setting and deleting mend it', async () => {
    const { data } = registry;
    registry.close();
    const thread = startThread(async ({ registry, data }) => {
      const mine = new registry.Registry<number>(data);
      await mine.set(1, 1);
      await mine.set(2, 2);
    }, data);
    await thread.done();
    using late = new Registry<number>(data);
    using second = new Registry<number>(data);
    await Promise.all([bind(late), bind(second)]);
    const lost = { code: 'ERR_STRAND_REGISTRY_LOST', message: expect.stringMatching(/key 1 .*set another/) };
    await expect(late.get(1)).rejects.toMatchObject(lost);
    await expect(late.lock(1, () => 5)).rejects.toMatchObject(lost);
    await expect(late.acquire(1)).rejects.toMatchObject(lost);
    expect(late.size).toBe(0);
    expect(await late.has(1)).toBe(true);
    await late.set(1, 7);
    expect(await late.get(1)).toBe(7);
    expect(await late.delete(2)).toBe(true);
    expect(await late.get(2)).toBeUndefined();
  });

  test('while it is asked for a value: others are asked, or the value is lost, and nobody waits for ever', async () => {
    await registry.set(1, 1);
    const { data } = registry;
    const members = [0, 1].map(() =>
      startThread(async ({ registry, data, say, hear }) => {
        const mine = new registry.Registry<number>(data);
        await registry.bind(mine);
        say('bound');
        await hear();
        // Answers nobody from here on.
        say('blocked');
        for (;;);
      }, data),
    );
    for (const member of members) await member.said();
    registry.close();
    for (const member of members) {
      member.say('block');
      await member.said();
    }
    using late = new Registry<number>(data);
    const got = late.get(1).catch((error) => error);
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    for (const member of members) await member.terminate();
    expect(await got).toMatchObject({ code: 'ERR_STRAND_REGISTRY_LOST' });
  });
});

test('what a thread had sent when it died, and not published, never counts', async () => {
  await registry.set(1, 1);
  const id = Buffer.from(new Uint8Array(registry.data.table, 8, 16)).toString('hex');
  const channel = new BroadcastChannel(`strand-registry-${id}`);
  const watch = registry.watch('*');
  // As a member sends it: kind, key, version, joins, writer, value.
  for (const key of [1, 2])
    for (const joins of [0, 1]) channel.postMessage([0, key, 1000, joins, 77, 'never']);
  channel.postMessage([1, 1, 1001, 1, 77]);
  // Behind those, and heard after them.
  using other = new Registry<number>(registry.data);
  await other.set(3, 3);
  expect((await watch.next()).value).toStrictEqual({ type: 'set', key: 3, value: 3 });
  expect([registry.peek(1), registry.peek(2)]).toStrictEqual([1, undefined]);
  expect([await registry.get(1), await registry.get(2)]).toStrictEqual([1, undefined]);
  channel.close();
});

test('threads that came, asked for what there was, and went leave no channel behind', async () => {
  await registry.set(1, 1);
  /** Handles that BroadcastChannels and their like have in this loop. */
  const channels = () =>
    (process.report.getReport() as unknown as { libuv: { type: string }[] }).libuv.filter(
      ({ type }) => type === 'async',
    ).length;
  const visit = async () => {
    const thread = startThread(async ({ registry, data }) => {
      const mine = new registry.Registry<number>(data);
      if ((await mine.get(1)) !== 1) throw new Error('not there');
      await registry.bind(mine);
    }, registry.data);
    await thread.done();
  };
  await visit();
  const before = channels();
  for (let round = 0; round < 8; round++) await visit();
  await until(() => channels() <= before);
});

test(`${TERMINATIONS} threads terminated at any moment block nobody and lose no update`, async () => {
  let next = 0;
  let survived = 0;
  /** Sections that have begun, and whose call has resolved. */
  const begun = new Int32Array(new SharedArrayBuffer(4 * 8));
  const done = new Int32Array(new SharedArrayBuffer(4 * 8));
  const lane = async (): Promise<void> => {
    while (next < TERMINATIONS) {
      const round = next++;
      const random = seeded(seed + round);
      const thread = startThread(
        async ({ registry, data, say, seeded }) => {
          const random = seeded(data.seed);
          const mine = new registry.Registry<number>(data.registry);
          say('there');
          for (;;) {
            const key = 1 + random.below(4);
            const doings = [
              () =>
                mine
                  .lock(key, async (value = 0) => {
                    Atomics.add(data.begun, key, 1);
                    return value + 1;
                  })
                  .then(() => Atomics.add(data.done, key, 1)),
              () => mine.get(key),
              () => mine.acquire(4 + key).then((lease) => (random.below(2) ? lease.release() : undefined)),
              () => mine.lock(8 + key, () => mine.lock(20 + random.below(3), () => 1)),
              () => mine.set(30 + key, data.seed),
              () => mine.delete(30 + key),
            ];
            const doing = random.pick(doings);
            if (random.below(3) > 0) await Promise.race([doing(), new Promise((r) => setTimeout(r, 2))]);
            else void doing().catch(() => {});
          }
        },
        { registry: registry.data, seed: seed + round, begun, done },
      );
      await thread.said();
      for (let turns = random.below(30); turns > 0; turns--) await new Promise(setImmediate);
      await thread.terminate();
      survived++;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(survived).toBe(TERMINATIONS);
  for (let key = 1; key <= 40; key++) {
    await registry.lock(key, (value) => value ?? 0, { timeoutMs: 60_000 });
    const value = await registry.get(key);
    if (key > 4) continue;
    expect(value).toBeGreaterThanOrEqual(Atomics.load(done, key));
    expect(value).toBeLessThanOrEqual(Atomics.load(begun, key));
  }
});
