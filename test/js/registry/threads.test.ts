import { createSecretKey, type KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bind, Registry, type RegistryData } from '../../../dist/registry.js';
import { LONG } from '../support/long.js';
import { startChild, startThread, until } from '../support/threads.mjs';

const INCREMENTS = LONG ? 200_000 : 20_000;
const THREADS = 4;

let registry: Registry<unknown>;
beforeEach(() => {
  registry = new Registry(1);
});
afterEach(() => registry.close());

/** A thread that takes part and obeys: `[method, ...arguments]`, 'stop' ends it. */
function startMember(data: RegistryData) {
  const thread = startThread(async ({ registry, data, say, hear }) => {
    const mine = new registry.Registry(data) as unknown as Record<string, (...args: unknown[]) => unknown>;
    await registry.bind(mine as never);
    say('bound');
    for (;;) {
      const order = await hear<[string, ...unknown[]] | 'stop'>();
      if (order === 'stop') return;
      const [method, ...rest] = order;
      say(await mine[method]?.(...rest));
    }
  }, data);
  return {
    ...thread,
    worker: thread.worker,
    bound: () => thread.said(),
    async ask<R>(method: string, ...args: unknown[]): Promise<R> {
      thread.say([method, ...args]);
      return thread.said<R>();
    },
    stop: () => {
      thread.say('stop');
      return thread.done();
    },
    terminate: () => thread.terminate(),
  };
}

async function startMembers(count: number) {
  const members = Array.from({ length: count }, () => startMember(registry.data));
  await Promise.all(members.map((member) => member.bound()));
  return members;
}

describe('threads that share a registry', () => {
  test('a get after a set has resolved gives it, in any thread', async () => {
    const members = await startMembers(3);
    for (let round = 0; round < 50; round++) {
      const setter = members[round % 3];
      await setter?.ask('set', 1 + (round % 2), { round });
      for (const member of members) expect(await member.ask('get', 1 + (round % 2))).toStrictEqual({ round });
      expect(await registry.get(1 + (round % 2))).toStrictEqual({ round });
      await registry.delete(1 + (round % 2));
      for (const member of members) expect(await member.ask('get', 1 + (round % 2))).toBeUndefined();
      for (const member of members) expect(await member.ask('has', 1 + (round % 2))).toBe(false);
    }
    await Promise.all(members.map((member) => member.stop()));
  });

  test('a get is never older than what a set had resolved with, while everybody sets', async () => {
    const newest = new Int32Array(new SharedArrayBuffer(4));
    const threads = Array.from({ length: 3 }, () =>
      startThread(
        async ({ registry, data }) => {
          const mine = new registry.Registry<number>(data.registry);
          await registry.bind(mine);
          for (let i = 0; i < 1500; i++) {
            // What has resolved anywhere by now is a lower bound for what is read.
            const bound = Atomics.load(data.newest, 0);
            const got = (await mine.get(1)) ?? 0;
            if (got < bound) throw new Error(`read ${got} after ${bound} was set`);
            if (i % 3 !== 0) continue;
            const next = (await mine.lock(1, (value = 0) => value + 1)) ?? 0;
            for (let seen = Atomics.load(data.newest, 0); seen < next; ) {
              seen = Atomics.compareExchange(data.newest, 0, seen, next);
            }
          }
        },
        { registry: registry.data, newest },
      ),
    );
    await Promise.all(threads.map((thread) => thread.done()));
    expect(await registry.get(1)).toBe(1500);
  });

  test(`${INCREMENTS} increments under lock from ${THREADS} threads lose none`, async () => {
    const threads = Array.from({ length: THREADS - 1 }, () =>
      startThread(
        async ({ registry, data }) => {
          const mine = new registry.Registry<number>(data.registry);
          for (let i = 0; i < data.count; i++) await mine.lock(1, async (value = 0) => value + 1);
        },
        { registry: registry.data, count: INCREMENTS / THREADS },
      ),
    );
    const own = registry as Registry<number>;
    for (let i = 0; i < INCREMENTS / THREADS; i++) await own.lock(1, async (value = 0) => value + 1);
    await Promise.all(threads.map((thread) => thread.done()));
    expect(await registry.get(1)).toBe(INCREMENTS);
  });

  test('grows from one key to 100,000 by four threads at once, each key findable at each moment', async () => {
    const count = 100_000;
    expect(registry.data.table.byteLength).toBeLessThan(65_536);
    const done = new Int32Array(new SharedArrayBuffer(4 * THREADS));
    const threads = Array.from({ length: THREADS - 1 }, (_, thread) =>
      startThread(
        async ({ registry, data }) => {
          const mine = new registry.Registry<number>(data.registry);
          for (let i = 1; i * data.threads <= data.count; i++) {
            await mine.set(i * data.threads - data.thread, i);
            Atomics.store(data.done, data.thread, i);
          }
        },
        { registry: registry.data, done, thread, threads: THREADS, count },
      ),
    );
    for (let i = 1; i * THREADS <= count; i++) {
      await registry.set(i * THREADS - (THREADS - 1), i);
      Atomics.store(done, THREADS - 1, i);
      if (i % 100 !== 0) continue;
      for (let thread = 0; thread < THREADS; thread++) {
        const last = Atomics.load(done, thread);
        for (const probe of [last, Math.ceil(last / 2), 1]) {
          if (last === 0) continue;
          const key = probe * THREADS - thread;
          if (!(await registry.has(key))) throw new Error(`key ${key} is not there`);
          expect(await registry.get(key)).toBe(probe);
        }
      }
    }
    await Promise.all(threads.map((thread) => thread.done()));
    for (let key = 1; key <= count; key++) {
      if (!(await registry.has(key))) throw new Error(`key ${key} is lost`);
      await registry.get(key);
    }
    expect(registry.size).toBe(count);
    expect(registry.data.table.byteLength / count).toBeLessThan(64);
    using late = new Registry(registry.data);
    await bind(late);
    expect(late.size).toBe(count);
  });

  test('one that comes late receives everything, also what was set while it came', async () => {
    const own = registry as Registry<number>;
    for (let key = 1; key <= 5000; key++) await own.set(key, key);
    await own.delete(17);
    const threads = [0, 1, 2].map(() =>
      startThread(async ({ registry, data, say }) => {
        const mine = new registry.Registry<number>(data);
        await registry.bind(mine);
        const sum = [...mine.values()].reduce((a, b) => a + b, 0);
        say([mine.size, mine.peek(1), mine.peek(17), mine.peek(5000), sum]);
      }, registry.data),
    );
    const sum = (5000 * 5001) / 2 - 17;
    for (const thread of threads) {
      expect(await thread.said()).toStrictEqual([4999, 1, undefined, 5000, sum]);
      await thread.done();
    }
    // While others set without a pause.
    let sets = 0;
    let isOver = false;
    const setting = (async () => {
      while (!isOver) {
        await own.set(5001 + (sets++ % 5000), 1);
        if (sets % 50 === 0) await new Promise(setImmediate);
      }
    })();
    for (let round = 0; round < 3; round++) {
      const before = 5001 + Math.min(sets, 5000);
      const thread = startThread(
        async ({ registry, data, say }) => {
          const mine = new registry.Registry<number>(data.registry);
          await registry.bind(mine);
          const missing: number[] = [];
          for (let key = 1; key < data.before; key++) if (mine.peek(key) === undefined) missing.push(key);
          say(missing);
        },
        { registry: registry.data, before },
      );
      expect(await thread.said()).toStrictEqual([17]);
      await thread.done();
    }
    isOver = true;
    await setting;
  });

  test('workers of workers see each other, in any topology', async () => {
    const thread = startThread(async ({ registry, data, say, startThread }) => {
      const mine = new registry.Registry<string>(data);
      await mine.set(1, 'child');
      const grandchild = startThread(async ({ registry, data, say }) => {
        const mine = new registry.Registry<string>(data);
        await mine.set(2, 'grandchild');
        say([await mine.get(1), await mine.get(3)]);
        await mine.lock(1, (value) => `${value}, changed by its own`);
      }, mine.data);
      say(await grandchild.said());
      await grandchild.done();
      say(await mine.get(1));
    }, registry.data);
    await registry.set(3, 'root');
    expect(await thread.said()).toStrictEqual(['child', 'root']);
    expect(await thread.said()).toBe('child, changed by its own');
    expect(await registry.get(2)).toBe('grandchild');
    await thread.done();
    expect(await registry.get(1)).toBe('child, changed by its own');
  });

  test('a thread without a bind, and one that has closed, are in the way of nobody', async () => {
    const [closing, staying] = await startMembers(2);
    expect(await closing?.ask('acquire', 1)).toMatchObject({ key: 1 });
    await closing?.ask('close');
    await registry.set(1, 'free');
    expect(await staying?.ask('get', 1)).toBe('free');
    const unbound = startThread(({ registry, data, say }) => {
      new registry.Registry(data);
      say('there');
    }, registry.data);
    expect(await unbound.said()).toBe('there');
    await unbound.done();
    await registry.set(1, 'still free');
    expect(await staying?.ask('get', 1)).toBe('still free');
    await Promise.all([closing?.stop(), staying?.stop()]);
  });

  test('bind(registry, worker) resolves when the worker has everything, and when it has gone', async () => {
    for (let key = 1; key <= 1000; key++) await registry.set(key, key);
    const member = startMember(registry.data);
    await bind(registry, member.worker);
    expect(await member.bound()).toBe('bound');
    expect(await member.ask('peek', 1000)).toBe(1000);
    const other = new Worker('', { eval: true });
    await bind(registry, other);
    await member.stop();
    await bind(registry, member.worker);
  });

  test('a watch in another thread hears what is set here', async () => {
    const thread = startThread(async ({ registry, data, say }) => {
      const mine = new registry.Registry<number>(data);
      await registry.bind(mine);
      const watch = mine.watch(1);
      say('watching');
      for await (const change of watch) {
        say(change);
        if (change.type === 'delete') break;
      }
    }, registry.data);
    await thread.said();
    await registry.set(2, 0);
    await registry.set(1, 7);
    expect(await thread.said()).toStrictEqual({ type: 'set', key: 1, value: 7 });
    await registry.delete(1);
    expect(await thread.said()).toStrictEqual({ type: 'delete', key: 1 });
    await thread.done();
  });

  test('values that Node.js gives to one receiver only reach all', async () => {
    const threads = [0, 1, 2].map(() =>
      startThread(async ({ registry, data, say, hear }) => {
        const mine = new registry.Registry<{ key: KeyObject }>(data);
        await registry.bind(mine);
        say('bound');
        await hear();
        say(mine.peek(1) === undefined ? 'late' : 'received');
        say((await mine.get(1))?.key.export().toString());
        await hear();
        say((await mine.get(1))?.key.export().toString());
      }, registry.data),
    );
    for (const thread of threads) await thread.said();
    await registry.set(1, { key: createSecretKey(Buffer.from('first')) });
    for (const thread of threads) {
      thread.say('look');
      await thread.said();
      expect(await thread.said()).toBe('first');
    }
    await registry.lock(1, () => ({ key: createSecretKey(Buffer.from('second')) }));
    const late = startThread(async ({ registry, data, say }) => {
      const mine = new registry.Registry<{ key: KeyObject }>(data);
      say((await mine.get(1))?.key.export().toString());
    }, registry.data);
    expect(await late.said()).toBe('second');
    for (const thread of threads) {
      thread.say('look');
      expect(await thread.said()).toBe('second');
      await thread.done();
    }
  });

  test('a growing SharedArrayBuffer is replaced under lock, and everybody goes on with the new one', async () => {
    const own = registry as Registry<Int32Array>;
    await own.set(1, new Int32Array(new SharedArrayBuffer(4)));
    const threads = [0, 1, 2].map(() =>
      startThread(async ({ registry, data }) => {
        const mine = new registry.Registry<Int32Array>(data);
        for (let i = 0; i < 60; i++) {
          await mine.lock(1, (memory = new Int32Array(0)) => {
            const used = memory[0] ?? 0;
            let larger: Int32Array | undefined;
            if (used + 1 === memory.length) {
              larger = new Int32Array(new SharedArrayBuffer(8 * memory.length));
              larger.set(memory);
            }
            const target = larger ?? memory;
            target[used + 1] = 1;
            target[0] = used + 1;
            return larger;
          });
        }
      }, registry.data),
    );
    await Promise.all(threads.map((thread) => thread.done()));
    const memory = await own.get(1);
    expect(memory?.[0]).toBe(180);
    expect(memory?.subarray(1, 181).every((one) => one === 1)).toBe(true);
  });
});

describe('the event loop', () => {
  test('is not held open by an idle registry, a lease or an open watch', async () => {
    const child = startChild(async ({ registry, startThread }) => {
      const mine = new registry.Registry<number>();
      await mine.set(1, 1);
      const thread = startThread(async ({ registry, data }) => {
        const mine = new registry.Registry<number>(data);
        await registry.bind(mine);
        await mine.acquire(2);
        mine.watch('*');
      }, mine.data);
      await thread.done();
      mine.watch(1);
      await mine.acquire(1);
    }, null);
    await child.done();
  });

  test('is held open by a wait: for a lock, for a value, for a change', async () => {
    const child = startChild(async ({ registry, say }) => {
      const mine = new registry.Registry<number>();
      const lease = await mine.acquire(1);
      void mine.set(1, 5).then(() => say('set'));
      const next = mine.watch(1).next();
      void next.then(({ value }) => say(value));
      setTimeout(() => void lease.release(), 50).unref();
    }, null);
    expect(await child.said()).toStrictEqual({ type: 'set', key: 1, value: 5 });
    expect(await child.said()).toBe('set');
    await child.done();
  });

  test('goes on while a lock is waited for', async () => {
    const [member] = await startMembers(1);
    expect(await member?.ask('acquire', 1)).toMatchObject({ key: 1 });
    let isSet = false;
    const waiting = registry.set(1, 'mine').then(() => {
      isSet = true;
    });
    for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate);
    expect(isSet).toBe(false);
    await member?.terminate();
    await waiting;
    expect(await registry.get(1)).toBe('mine');
  });

  test('has its turns, and get an answer, while others set without a pause', async () => {
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const setters = [0, 1].map((index) =>
      startThread(
        async ({ registry, data, say }) => {
          const mine = new registry.Registry<number[]>(data.registry);
          await registry.bind(mine);
          say('bound');
          for (let i = 0; Atomics.load(data.stop, 0) === 0; i++) {
            // In turns without any of the loop, as long as the other one does not have the key locked.
            await mine.set(1 + data.index, [i, i, i]);
            if (i % 200 === 0) await new Promise(setImmediate);
          }
        },
        { registry: registry.data, stop, index },
      ),
    );
    for (const setter of setters) await setter.said();
    while (!((await registry.has(1)) && (await registry.has(2)))) await new Promise(setImmediate);
    for (let round = 0; round < 30; round++) {
      expect(await registry.get(1)).toHaveLength(3);
      expect(await registry.get(2)).toHaveLength(3);
      await new Promise(setImmediate);
    }
    using late = new Registry(registry.data);
    await bind(late);
    expect(await late.get(2)).toHaveLength(3);
    Atomics.store(stop, 0, 1);
    for (const setter of setters) await setter.done();
  });

  test('of one that gives large values to a newcomer goes on', async () => {
    for (let key = 1; key <= 100; key++) await registry.set(key, new Uint8Array(500_000));
    using late = new Registry(registry.data);
    let turns = 0;
    let isBound = false;
    const bound = bind(late).then(() => {
      isBound = true;
    });
    while (!isBound) {
      await new Promise(setImmediate);
      turns++;
    }
    await bound;
    expect(late.size).toBe(100);
    // Sent together they were two or three.
    expect(turns).toBeGreaterThan(10);
  });

  test('a thread that is blocked keeps nobody from setting, getting and locking', async () => {
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const blocked = startThread(
      async ({ registry, data }) => {
        const mine = new registry.Registry<number>(data.registry);
        await registry.bind(mine);
        Atomics.store(data.gate, 1, 1);
        Atomics.wait(data.gate, 0, 0);
        const got = await mine.get(500);
        if (got !== 500 || mine.peek(1) !== 1) throw new Error(`${got}, ${mine.peek(1)}`);
      },
      { registry: registry.data, gate },
    );
    await until(() => Atomics.load(gate, 1) === 1);
    const [member] = await startMembers(1);
    for (let key = 1; key <= 500; key++) await registry.set(key, key);
    expect(await member?.ask('get', 500)).toBe(500);
    for (let i = 0; i < 3; i++) await registry.lock(501, () => createSecretKey(Buffer.from('singly')));
    await member?.stop();
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await blocked.done();
  });
});
