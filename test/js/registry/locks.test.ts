import { AsyncResource } from 'node:async_hooks';
import { createSecretKey } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Registry } from '../../../dist/registry.js';

const deadlock = { code: 'ERR_STRAND_DEADLOCK' };
const timeout = { code: 'ERR_STRAND_TIMEOUT' };
const notHeld = { code: 'ERR_STRAND_NOT_HELD' };

let registry: Registry<number>;
beforeEach(() => {
  registry = new Registry();
});
afterEach(() => registry.close());

/** Whether a promise has settled after a few turns of the loop. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let i = 0; i < 5; i++) await turn();
  return !settled;
}

describe('lock()', () => {
  test('sets what its section returns, and resolves with it', async () => {
    expect(await registry.lock(1, (value) => (value ?? 0) + 1)).toBe(1);
    expect(await registry.lock(1, async (value) => (value ?? 0) + 1)).toBe(2);
    expect(await registry.get(1)).toBe(2);
  });

  test('leaves the value of a section that returns nothing, and resolves with it', async () => {
    await registry.set(1, 5);
    expect(await registry.lock(1, () => undefined)).toBe(5);
    expect(await registry.lock(2, async () => undefined)).toBeUndefined();
    expect(await registry.has(2)).toBe(false);
    expect(await registry.get(1)).toBe(5);
  });

  test("a section that throws changes nothing, frees the lock, and its error is the call's", async () => {
    await registry.set(1, 5);
    const error = new Error('burnt');
    const thrower = () => {
      throw error;
    };
    await expect(registry.lock(1, thrower)).rejects.toBe(error);
    await expect(registry.lock(1, async () => thrower())).rejects.toBe(error);
    expect(await registry.lock(1, (value) => value)).toBe(5);
  });

  test('gives the section a clone of its own', async () => {
    using objects = new Registry<{ n: number }>();
    await objects.set(1, { n: 1 });
    const before = objects.peek(1);
    await expect(
      objects.lock(1, (value) => {
        if (value !== undefined) value.n = 2;
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(objects.peek(1)).toStrictEqual({ n: 1 });
    const after = await objects.lock(1, (value) => {
      if (value !== undefined) value.n = 3;
      return value;
    });
    if (after !== undefined) after.n = 4;
    expect(objects.peek(1)).toStrictEqual({ n: 3 });
    expect(before).toStrictEqual({ n: 1 });
  });

  test('refuses what is no function, and options that it does not have', async () => {
    const invalid = { code: 'ERR_STRAND_INVALID_ARGUMENT' };
    await expect(registry.lock(1, 5 as never)).rejects.toMatchObject(invalid);
    await expect(registry.lock(1, () => 1, { timeout: 5 } as never)).rejects.toMatchObject(invalid);
    await expect(registry.lock(1, () => 1, { signal: 5 } as never)).rejects.toMatchObject(invalid);
    await expect(registry.lock(1, () => 1, { timeoutMs: -1 })).rejects.toMatchObject({
      code: 'ERR_STRAND_OUT_OF_RANGE',
    });
    expect(await registry.has(1)).toBe(false);
  });

  test('lets those in who wait in the order in which they came', async () => {
    const order: string[] = [];
    const lease = await registry.acquire(1);
    const calls = [
      registry.lock(1, () => void order.push('lock')),
      registry.set(1, 1).then(() => order.push('set')),
      registry.delete(1).then((had) => order.push(`delete ${had}`)),
      registry.acquire(1).then(async (mine) => {
        order.push('acquire');
        await mine.release();
      }),
      registry.lock(1, async () => void order.push('last')),
    ];
    expect(await isPending(Promise.race(calls))).toBe(true);
    await lease.release();
    await Promise.all(calls);
    expect(order).toStrictEqual(['lock', 'set', 'delete true', 'acquire', 'last']);
  });

  test('never makes other keys wait, and get for nobody', async () => {
    await registry.set(1, 1);
    await using lease = await registry.acquire(1);
    await lease.set(2);
    expect(await registry.get(1)).toBe(2);
    for (let key = 2; key < 500; key++) await registry.set(key, key);
    expect(await registry.get(499)).toBe(499);
  });

  test('loses no update among many sections and sets of one thread at once', async () => {
    const increment = () => registry.lock(1, async (value = 0) => value + 1);
    await Promise.all(Array.from({ length: 500 }, increment));
    expect(await registry.get(1)).toBe(500);
    const mixed = Array.from({ length: 300 }, (_, i) =>
      i % 3 === 0 ? registry.set(2, i) : i % 3 === 1 ? registry.get(2) : registry.get(3 + (i % 7)),
    );
    await Promise.all(mixed);
    expect(await registry.get(2)).toBe(297);
  });
});

describe('an end of waiting for a lock', () => {
  test('by timeoutMs: the wait rejects, and its place is free', async () => {
    const lease = await registry.acquire(1);
    await expect(registry.lock(1, () => 1, { timeoutMs: 5 })).rejects.toMatchObject(timeout);
    await expect(registry.acquire(1, { timeoutMs: 0 })).rejects.toMatchObject(timeout);
    await expect(registry.set(1, 1, { timeoutMs: 1 })).rejects.toMatchObject(timeout);
    await expect(registry.delete(1, { timeoutMs: 1 })).rejects.toMatchObject(timeout);
    const waiting = registry.set(1, 7, { timeoutMs: Number.POSITIVE_INFINITY });
    await lease.release();
    await waiting;
    expect(await registry.get(1)).toBe(7);
  });

  test('by signal: with its reason, at once where it is aborted already', async () => {
    const lease = await registry.acquire(1);
    const controller = new AbortController();
    const { signal } = controller;
    const first = registry.lock(1, () => 1, { signal });
    const second = registry.acquire(1, { signal });
    const third = registry.set(1, 3);
    controller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await expect(second).rejects.toThrow('enough');
    await expect(registry.lock(2, () => 1, { signal })).rejects.toThrow('enough');
    await lease.release();
    await third;
    expect(await registry.has(2)).toBe(false);
  });

  test('by one signal of many waits: they leave nothing behind, and Node.js warns of nothing', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const lease = await registry.acquire(1);
    const controller = new AbortController();
    const { signal } = controller;
    const waits = Array.from({ length: 50 }, () => registry.set(1, 1, { signal }));
    await turn();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    controller.abort(new Error('enough'));
    const results = await Promise.allSettled(waits);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    const other = new AbortController();
    const last = registry.set(1, 2, { signal: other.signal });
    await lease.release();
    await last;
    expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
    process.off('warning', note);
    expect(warnings).toStrictEqual([]);
  });

  test('that comes when the lock has just been given passes it on', async () => {
    for (let round = 0; round < 20; round++) {
      const lease = await registry.acquire(1);
      const controller = new AbortController();
      const given = registry.acquire(1, { signal: controller.signal });
      const next = registry.set(1, round);
      void lease.release();
      controller.abort(new Error('too late'));
      await expect(given).rejects.toThrow('too late');
      await next;
      expect(await registry.get(1)).toBe(round);
    }
  });
});

describe('a registry that is closed', () => {
  test('runs no section whose lock it was given before, and has lost by that', async () => {
    const { data } = registry;
    using other = new Registry<number>(data);
    const leases = [await other.acquire(1), await other.acquire(2)];
    let ran = 0;
    const first = registry.lock(1, () => {
      registry.close();
      return undefined;
    });
    const second = registry.lock(2, () => void ran++);
    // Both are given in one wake-up of the loop.
    await Promise.all(leases.map((lease) => lease.release()));
    await expect(second).rejects.toMatchObject({ code: 'ERR_STRAND_CLOSED' });
    await first;
    expect(ran).toBe(0);
    await other.set(2, 1);
  });
});

describe('a section that would wait for itself', () => {
  test('lock inside lock on one key is an error, and so is all that needs the lock', async () => {
    await registry.set(1, 5);
    for (const inner of [
      () => registry.lock(1, () => 1),
      () => registry.set(1, 1),
      () => registry.delete(1),
      () => registry.acquire(1),
      () => registry.clear(),
    ]) {
      await expect(
        registry.lock(1, async () => {
          await inner();
          return 0;
        }),
      ).rejects.toMatchObject(deadlock);
    }
    expect(await registry.get(1)).toBe(5);
    expect(await registry.lock(1, async () => (await registry.get(1)) ?? 0)).toBe(5);
  });

  test('also through sections between', async () => {
    await expect(
      registry.lock(1, () => registry.lock(2, () => registry.lock(3, () => registry.lock(1, () => 1)))),
    ).rejects.toMatchObject(deadlock);
    expect(registry.size).toBe(0);
  });

  test('a cycle of two: one of them is refused, the other one comes through', async () => {
    const both = (first: number, second: number) =>
      registry.lock(first, async () => {
        await turn();
        return registry.lock(second, () => first);
      });
    const results = await Promise.allSettled([both(1, 2), both(2, 1)]);
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(1);
    expect((refused[0] as PromiseRejectedResult).reason).toMatchObject(deadlock);
  });

  test('a cycle of three', async () => {
    const both = (first: number, second: number) =>
      registry.lock(first, async () => {
        await turn();
        return registry.lock(second, () => first);
      });
    const results = await Promise.allSettled([both(1, 2), both(2, 3), both(3, 1)]);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });

  test('a cycle through two registries', async () => {
    using other = new Registry<number>();
    await expect(
      registry.lock(1, () => other.lock(1, () => registry.lock(1, () => 1))),
    ).rejects.toMatchObject(deadlock);
    expect(await registry.lock(1, () => other.lock(1, () => registry.lock(2, () => 4)))).toBe(4);
  });

  test('is noticed behind a registry that was closed in a section, too', async () => {
    const { data } = registry;
    using other = new Registry<number>(data);
    const closing = registry.lock(1, async () => {
      registry.close();
      await turn();
      return 1;
    });
    const inner = other.lock(1, async () => {
      await expect(closing).rejects.toMatchObject({ code: 'ERR_STRAND_CLOSED' });
      return other.lock(1, () => 2);
    });
    await expect(inner).rejects.toMatchObject(deadlock);
  });

  test('is none where the same order is kept, however many', async () => {
    const both = () =>
      registry.lock(1, async (value = 0) => {
        await turn();
        await registry.lock(2, async (inner = 0) => inner + 1);
        return value + 1;
      });
    await Promise.all(Array.from({ length: 30 }, both));
    expect([await registry.get(1), await registry.get(2)]).toStrictEqual([30, 30]);
  });

  test('is none once the section is over, in code that nobody awaited', async () => {
    let late: Promise<unknown> | undefined;
    await registry.lock(1, () => {
      late = (async () => {
        await turn();
        await turn();
        return registry.lock(1, () => 9);
      })();
      return 1;
    });
    expect(await late).toBe(9);
  });

  test('is none for code outside of it', async () => {
    const outside = new AsyncResource('outside');
    let other: Promise<unknown> | undefined;
    await registry.lock(1, async () => {
      other = outside.runInAsyncScope(() => registry.set(1, 8));
      expect(await isPending(other)).toBe(true);
      return 7;
    });
    await other;
    expect(await registry.get(1)).toBe(8);
  });
});

describe('a lease', () => {
  test('has the value, sets it, deletes it, and keeps others out until it is released', async () => {
    await registry.set(1, 5);
    const lease = await registry.acquire(1);
    expect([lease.key, lease.value]).toStrictEqual([1, 5]);
    await lease.set(6);
    expect(lease.value).toBe(6);
    expect(await registry.get(1)).toBe(6);
    await lease.delete();
    expect(await registry.has(1)).toBe(false);
    await lease.set(7);
    const waiting = registry.set(1, 8);
    expect(await isPending(waiting)).toBe(true);
    await lease.release();
    await waiting;
    expect(await registry.get(1)).toBe(8);
  });

  test('is released by its registry, too, and once', async () => {
    const lease = await registry.acquire(1);
    await registry.release(1);
    await expect(registry.release(1)).rejects.toMatchObject(notHeld);
    await expect(lease.set(1)).rejects.toMatchObject(notHeld);
    await expect(lease.delete()).rejects.toMatchObject(notHeld);
    const second = await registry.acquire(1);
    await lease.release();
    expect(await isPending(registry.set(1, 1))).toBe(true);
    await second.release();
  });

  test('of a section is none', async () => {
    await registry.lock(1, async () => {
      await expect(registry.release(1)).rejects.toMatchObject(notHeld);
      return 1;
    });
  });

  test('ends with the block of await using', async () => {
    {
      await using lease = await registry.acquire(1);
      await lease.set(3);
    }
    await registry.set(1, 4, { timeoutMs: 1000 });
    expect(await registry.get(1)).toBe(4);
  });

  test('sets one value behind the other, and is released behind them, awaited or not', async () => {
    using objects = new Registry<unknown>();
    using other = new Registry<unknown>(objects.data);
    using third = new Registry<unknown>(objects.data);
    const lease = await objects.acquire(1);
    const key = createSecretKey(Buffer.from('goes to each singly'));
    const calls = [lease.set({ key }), lease.set(2), lease.set({ key }), lease.set(4), lease.release()];
    const behind = other.lock(1, (value) => `${value}, then 5`);
    await Promise.all(calls);
    expect(await behind).toBe('4, then 5');
    expect(await third.get(1)).toBe('4, then 5');
  });

  test('takes no value that cannot be cloned', async () => {
    await using lease = await registry.acquire(1);
    await expect(lease.set((() => 1) as never)).rejects.toMatchObject({ name: 'TypeError' });
    await lease.set(2);
    expect(lease.value).toBe(2);
  });
});

describe('watch()', () => {
  test('yields the changes of a key, and of all, from its call on', async () => {
    await registry.set(1, 0);
    const one = registry.watch(1);
    const all = registry.watch('*');
    await registry.set(1, 1);
    await registry.set(2, 2);
    await registry.delete(1);
    expect((await all.next()).value).toStrictEqual({ type: 'set', key: 2, value: 2 });
    expect((await all.next()).value).toStrictEqual({ type: 'delete', key: 1 });
    expect((await one.next()).value).toStrictEqual({ type: 'delete', key: 1 });
    const waiting = one.next();
    expect(await isPending(waiting)).toBe(true);
    await registry.set(2, 3);
    await registry.set(1, 4);
    await registry.set(1, 5);
    expect((await waiting).value).toStrictEqual({ type: 'set', key: 1, value: 4 });
    expect((await one.next()).value).toStrictEqual({ type: 'set', key: 1, value: 5 });
  });

  test('ends with its loop', async () => {
    const setting = (async () => {
      for (let i = 1; i <= 3; i++) {
        await turn();
        await registry.set(i, i);
      }
    })();
    const keys: number[] = [];
    for await (const { key } of registry.watch('*')) {
      keys.push(key);
      if (key === 3) break;
    }
    await setting;
    expect(keys).toStrictEqual([1, 2, 3]);
  });

  test('ends with its signal', async () => {
    const controller = new AbortController();
    const watch = registry.watch(1, { signal: controller.signal });
    const next = watch.next();
    controller.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    expect(await watch.next()).toStrictEqual({ done: true, value: undefined });
    const late = registry.watch(1, { signal: controller.signal });
    await registry.set(1, 1);
    await expect(late.next()).rejects.toThrow('enough');
    expect(await late.next()).toStrictEqual({ done: true, value: undefined });
  });
});
