import { createSecretKey } from 'node:crypto';
import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import { bind, Registry } from '../../../dist/registry.js';

const invalid = { code: 'ERR_STRAND_INVALID_ARGUMENT', name: 'TypeError' };
const badKeys = [0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined, {}];

describe('a registry that one thread uses', () => {
  test('gives back what was set, and undefined for what was not', async () => {
    using registry = new Registry<string>();
    expect(await registry.get(1)).toBeUndefined();
    expect(await registry.set(1, 'suh')).toBeUndefined();
    expect(await registry.get(1)).toBe('suh');
    expect(await registry.has(1)).toBe(true);
    expect(await registry.has(2)).toBe(false);
    expect(registry.peek(1)).toBe('suh');
    expect(registry.peek(2)).toBeUndefined();
  });

  test('takes keys from 1 to 2^53 − 1', async () => {
    using registry = new Registry<number>();
    for (const key of [1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      await registry.set(key, key);
      expect(await registry.get(key)).toBe(key);
    }
    expect([...registry.keys()]).toStrictEqual([1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]);
  });

  test.each(badKeys.map((key) => [key]))('refuses the key %s everywhere', async (key) => {
    using registry = new Registry<number>();
    const bad = key as number;
    const calls = [
      registry.get(bad),
      registry.set(bad, 1),
      registry.has(bad),
      registry.delete(bad),
      registry.acquire(bad),
      registry.release(bad),
      registry.lock(bad, () => 1),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject(invalid);
    expect(() => registry.peek(bad)).toThrow(expect.objectContaining(invalid));
    expect(() => registry.watch(bad)).toThrow(expect.objectContaining(invalid));
    expect(registry.size).toBe(0);
  });

  const values: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', -0],
    ['a bigint', 10n ** 40n],
    ['a string', 'ü'],
    ['an array', [1, [2], undefined]],
    ['an object', { a: { b: new Date(7) } }],
    ['a map', new Map([[1, new Set(['x'])]])],
    ['an error', new RangeError('far')],
    ['typed arrays', { f: Float64Array.of(1.5), u: new Uint8Array(3) }],
    ['a regular expression', /a+/gi],
  ];

  test.each(values)('keeps %s', async (_, value) => {
    using registry = new Registry();
    await registry.set(5, value);
    expect(await registry.get(5)).toStrictEqual(value);
    expect(await registry.has(5)).toBe(true);
    expect(registry.size).toBe(1);
  });

  test('keeps objects of Node.js that structuredClone takes', async () => {
    using registry = new Registry();
    const key = createSecretKey(Buffer.from('abcd'));
    await registry.set(1, key);
    expect(key.equals((await registry.get(1)) as typeof key)).toBe(true);
    await registry.set(2, new Blob(['text']));
    expect(await ((await registry.get(2)) as Blob).text()).toBe('text');
    const list = new BlockList();
    list.addAddress('1.2.3.4');
    await registry.set(3, { list });
    expect(((await registry.get(3)) as { list: BlockList }).list.check('1.2.3.4')).toBe(true);
  });

  test('clones at the call: what happens to the object later changes nothing', async () => {
    using registry = new Registry<{ n: number[] }>();
    const value = { n: [1] };
    const set = registry.set(1, value);
    value.n.push(2);
    await set;
    value.n.push(3);
    expect(await registry.get(1)).toStrictEqual({ n: [1] });
  });

  test('shares a SharedArrayBuffer', async () => {
    using registry = new Registry<{ memory: Int32Array }>();
    const memory = new Int32Array(new SharedArrayBuffer(8));
    await registry.set(1, { memory });
    const got = await registry.get(1);
    memory[1] = 9;
    expect(got?.memory[1]).toBe(9);
  });

  test('a value that cannot be cloned rejects that set and changes nothing', async () => {
    using registry = new Registry<unknown>();
    await registry.set(1, 'before');
    const { port1 } = new MessageChannel();
    for (const bad of [() => 1, Symbol('s'), { f() {} }, new Proxy({}, {}), port1]) {
      await expect(registry.set(1, bad)).rejects.toMatchObject(invalid);
      await expect(registry.set(2, bad)).rejects.toMatchObject(invalid);
      await expect(registry.lock(1, () => bad)).rejects.toMatchObject(invalid);
    }
    port1.close();
    const thrown = new Error('from a getter');
    const hostile = Object.defineProperty({}, 'x', {
      enumerable: true,
      get() {
        throw thrown;
      },
    });
    await expect(registry.set(1, hostile)).rejects.toBe(thrown);
    expect(await registry.get(1)).toBe('before');
    expect(await registry.has(2)).toBe(false);
    await registry.set(1, 'after');
    expect(await registry.get(1)).toBe('after');
  });

  test('deletes, and says whether there was something', async () => {
    using registry = new Registry<number>();
    await registry.set(1, 1);
    expect(await registry.delete(1)).toBe(true);
    expect(await registry.delete(1)).toBe(false);
    expect(await registry.get(1)).toBeUndefined();
    expect(await registry.has(1)).toBe(false);
    expect(registry.size).toBe(0);
    await registry.set(1, 2);
    expect(await registry.get(1)).toBe(2);
  });

  test('clear deletes every key, those that are locked later, and lets the loop go on', async () => {
    using registry = new Registry<number>(1);
    for (let key = 1; key <= 3000; key++) await registry.set(key, key);
    const lease = await registry.acquire(7);
    await expect(registry.clear({ timeoutMs: 5 })).rejects.toMatchObject({ code: 'ERR_STRAND_TIMEOUT' });
    expect([...registry.keys()]).toStrictEqual([7]);
    for (let key = 1; key <= 3000; key++) if (key !== 7) await registry.set(key, key);
    let turns = 0;
    const cleared = registry.clear();
    while (registry.size > 1) {
      await new Promise(setImmediate);
      turns++;
    }
    expect(turns).toBeGreaterThan(5);
    await lease.release();
    await cleared;
    await expect(registry.clear({ timeout: 5 } as never)).rejects.toMatchObject(invalid);
    expect(registry.size).toBe(0);
    expect(await registry.has(1234)).toBe(false);
  });

  test('gives keys, values and entries like a Map, in the order in which keys came', async () => {
    using registry = new Registry<string>();
    await registry.set(7, 'seven');
    await registry.set(3, 'three');
    await registry.set(7, 'again');
    expect([...registry.keys()]).toStrictEqual([7, 3]);
    expect([...registry.values()]).toStrictEqual(['again', 'three']);
    expect([...registry.entries()]).toStrictEqual([...registry]);
    expect([...registry]).toStrictEqual([
      [7, 'again'],
      [3, 'three'],
    ]);
    const seen: unknown[] = [];
    registry.forEach(function (this: unknown, value, key, of) {
      seen.push([this, value, key, of === registry]);
    }, 'receiver');
    expect(seen).toStrictEqual([
      ['receiver', 'again', 7, true],
      ['receiver', 'three', 3, true],
    ]);
    expect(String(registry)).toBe('[object Registry]');
    expect(() => registry.forEach(5 as never)).toThrow(expect.objectContaining(invalid));
  });

  test('an iteration sees each present entry once, whatever is deleted and set meanwhile', async () => {
    using registry = new Registry<number>();
    for (let key = 1; key <= 100; key++) await registry.set(key, key);
    const seen: number[] = [];
    for (const [key] of registry) {
      seen.push(key);
      await registry.delete(key);
      if (key % 2 === 0) await registry.delete(key + 1);
      if (key % 10 === 0) await registry.set(key, -key);
      await registry.set(1000 + key, 0);
    }
    expect(seen).toHaveLength(new Set(seen).size);
    expect(seen).toStrictEqual([1, ...Array.from({ length: 50 }, (_, i) => 2 * i + 2)]);
  });

  test('hands out its data at any time, plain and the same', async () => {
    using registry = new Registry(5);
    const { data } = registry;
    await registry.set(1, 1);
    expect(registry.data).toBe(data);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(structuredClone(data)).toStrictEqual(data);
  });

  test('two registries of one memory in one thread are two members', async () => {
    using one = new Registry<number>(1);
    await one.set(1, 1);
    using two = new Registry<number>(one.data);
    await bind(two);
    expect(two.peek(1)).toBe(1);
    await two.set(1, 2);
    expect(await one.get(1)).toBe(2);
    await Promise.all([one.set(1, 3), two.set(1, 4), one.set(1, 5)]);
    expect([await one.get(1), await two.get(1)]).toStrictEqual([5, 5]);
  });
});

describe('new Registry()', () => {
  test.each([0, -1, 1.5, 2 ** 26 + 1, Number.NaN])('refuses the capacity %s', (capacity) => {
    expect(() => new Registry(capacity)).toThrow(
      expect.objectContaining({ code: 'ERR_STRAND_OUT_OF_RANGE', name: 'RangeError' }),
    );
  });

  const zeros = { table: new SharedArrayBuffer(65536) };
  test.each([
    ['5'],
    [null],
    [{}],
    [{ table: new ArrayBuffer(65536) }],
    [zeros],
    [new SharedArrayBuffer(65536)],
  ])('refuses %o as data', (data) => {
    expect(() => new Registry(data as never)).toThrow(expect.objectContaining(invalid));
  });

  test('takes less than 64 KiB for one key', () => {
    using registry = new Registry(1);
    expect(registry.data.table.byteLength).toBeLessThan(65536);
  });
});

describe('bind()', () => {
  test('refuses what is no registry and no worker', () => {
    using registry = new Registry();
    expect(() => bind({} as never)).toThrow(expect.objectContaining(invalid));
    expect(() => bind(registry, {} as never)).toThrow(expect.objectContaining(invalid));
  });
});

describe('a closed registry', () => {
  test('keeps what it had, and refuses everything else', async () => {
    const registry = new Registry<number>();
    await registry.set(1, 1);
    const lease = await registry.acquire(2);
    const waiting = registry.set(2, 2);
    const watch = registry.watch('*');
    const next = watch.next();
    registry.close();
    registry.close();
    const closed = { code: 'ERR_STRAND_CLOSED' };
    await expect(waiting).rejects.toMatchObject(closed);
    expect(await next).toStrictEqual({ done: true, value: undefined });
    expect(registry.peek(1)).toBe(1);
    expect([...registry]).toStrictEqual([[1, 1]]);
    const calls = [
      registry.get(1),
      registry.set(1, 2),
      registry.has(1),
      registry.delete(1),
      registry.clear(),
    ];
    for (const call of [...calls, registry.acquire(1), registry.lock(1, () => 1), lease.set(3)]) {
      await expect(call).rejects.toMatchObject(closed);
    }
    await lease.release();
    expect(() => registry.watch(1)).toThrow(expect.objectContaining(closed));
    await bind(registry);
  });

  test('that was closed while it received what there was ends its bind', async () => {
    using one = new Registry<number>();
    for (let key = 1; key <= 1000; key++) await one.set(key, key);
    const two = new Registry<number>(one.data);
    const bound = bind(two);
    const value = two.get(1);
    two.close();
    await bound;
    await expect(value).rejects.toMatchObject({ code: 'ERR_STRAND_CLOSED' });
    const three = new Registry<number>(one.data);
    await new Promise(setImmediate);
    three.close();
    await bind(three);
  });

  test('lets others go on, who have what it had', async () => {
    const one = new Registry<number>();
    await one.set(1, 1);
    using two = new Registry<number>(one.data);
    await bind(two);
    await one.acquire(2);
    const waiting = two.set(2, 2);
    one.close();
    await waiting;
    expect(await two.get(1)).toBe(1);
  });
});
