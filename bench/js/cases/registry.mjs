/** The registry: what reading, setting and locking a key costs, and the memory that keys take. */

import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { expectEqual, measureAwaitedCost, measureCost, percentile } from '../measure.mjs';
import { openReceivers } from '../registry/receivers.mjs';
import { kinds, makeObject, VALUES } from '../registry/values.mjs';

const KEYS = Array.from({ length: VALUES }, (_, i) => 1 + i);
const ID_SUM = KEYS.reduce((sum, key) => sum + key, 0);

/** A filled registry, or the Map that stands beside it. */
async function openMap(contender) {
  if (contender === 'Map') return new Map(KEYS.map((key) => [key, makeObject(key)]));
  const { Registry } = await import('@strand/core/registry');
  const registry = new Registry();
  for (const key of KEYS) await registry.set(key, makeObject(key));
  return registry;
}

/** Closures of their own for either contender, so that each meets one class only. */
const gettersOf = {
  strand: (registry) => (key) => registry.get(key),
  Map: (map) => (key) => Promise.resolve(map.get(key)),
};

const peekersOf = {
  strand: (registry) => (key) => registry.peek(key),
  Map: (map) => (key) => map.get(key),
};

/** @type {import('./case.mjs').JsCase} */
const registryGet = {
  name: 'registry-get',
  title: 'await registry.get of one of 1,000 known values, no contention',
  threads: 1,
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  replaced: {},
  contenders: { strand: { needsBuild: true, targets: { cost: 500 } }, Map: {} },

  async check(contender) {
    const get = gettersOf[contender](await openMap(contender));
    return Promise.all(KEYS.map(get));
  },

  async measure(contender, options) {
    const get = gettersOf[contender](await openMap(contender));
    let sum = 0;
    const cost = await measureAwaitedCost(
      {
        async timed() {
          sum = 0;
          for (const key of KEYS) sum += (await get(key)).id;
        },
        after: () => expectEqual(sum, ID_SUM, 'sum of the values read'),
        records: KEYS.length,
      },
      options,
    );
    return { cost };
  },
};

/** @type {import('./case.mjs').JsCase} */
const registryPeek = {
  name: 'registry-peek',
  title: 'registry.peek of one of 1,000 received values',
  threads: 1,
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  replaced: {},
  contenders: { strand: { needsBuild: true, targets: { cost: 30 } }, Map: {} },

  async check(contender) {
    const peek = peekersOf[contender](await openMap(contender));
    return KEYS.map(peek);
  },

  async measure(contender, options) {
    const peek = peekersOf[contender](await openMap(contender));
    let sum = 0;
    const cost = measureCost(
      {
        timed() {
          sum = 0;
          for (const key of KEYS) sum += peek(key).id;
        },
        after: () => expectEqual(sum, ID_SUM, 'sum of the values read'),
        records: KEYS.length,
      },
      options,
    );
    return { cost };
  },
};

const SET_TARGETS = { object: 1.3, view: 1.3 };

/** @type {import('./case.mjs').JsCase} */
const registrySet = {
  name: 'registry-set',
  title:
    'one value until three other threads have seen it; InRow: of 1,000 one after the other, until the last',
  threads: 4,
  metrics: {
    object: { unit: 'µs', over: 'minimum' },
    view: { unit: 'µs', over: 'minimum' },
    objectInRow: { unit: 'µs', over: 'minimum' },
    viewInRow: { unit: 'µs', over: 'minimum' },
  },
  replaced: {},
  contenders: {
    strand: { needsBuild: true, peerTargets: SET_TARGETS },
    postMessage: {},
    'BroadcastChannel alone': { part: true },
  },

  async check(contender) {
    const collected = [];
    for (const kind of Object.keys(kinds)) {
      const receivers = await openReceivers(contender, kind, { keep: true });
      await receivers.send(0, VALUES);
      for (let number = 0; number < VALUES / 10; number++) await receivers.send(number, number + 1);
      collected.push(...(await receivers.close()));
    }
    return collected;
  },

  async measure(contender, { quick }) {
    const figures = {};
    for (const kind of Object.keys(kinds)) {
      const receivers = await openReceivers(contender, kind, { keep: false });
      figures[`${kind}InRow`] = await costInRow(receivers, quick);
      figures[kind] = await medianUntilSeen(receivers, quick);
      await receivers.close();
    }
    return figures;
  },
};

/** @param {import('../registry/receivers.mjs').Receivers} receivers */
async function costInRow(receivers, quick) {
  const warmUps = quick ? 10 : 20;
  const passes = quick ? 10 : 40;
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < warmUps + passes; pass++) {
    const start = performance.now();
    await receivers.send(0, VALUES);
    const milliseconds = performance.now() - start;
    if (pass >= warmUps) best = Math.min(best, (milliseconds * 1000) / VALUES);
  }
  return best;
}

/**
 * The quickest pass's median: how the system spreads four threads over its cores changes from pass to pass.
 *
 * @param {import('../registry/receivers.mjs').Receivers} receivers
 */
async function medianUntilSeen(receivers, quick) {
  const warmUps = quick ? 2 : 5;
  const passes = quick ? 5 : 20;
  const microseconds = new Float64Array(VALUES);
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < warmUps + passes; pass++) {
    for (let number = 0; number < VALUES; number++) {
      const start = performance.now();
      await receivers.send(number, number + 1);
      microseconds[number] = (performance.now() - start) * 1000;
    }
    const median = percentile(microseconds, 0.5);
    if (pass >= warmUps) best = Math.min(best, median);
  }
  return best;
}

const MEMBER = new URL('../registry/member_worker.mjs', import.meta.url);
const COUNTER = 1;
const SECTIONS = 1000;
const OTHERS = { 'strand, nobody else': 0, 'strand, three others bound': 3 };

/**
 * Gives `run` a registry that the contender's others are bound to, and a function that compares everybody's counter.
 *
 * @template T
 * @param {string} contender
 * @param {(registry: object, expectEverywhere: (value: number) => Promise<void>) => Promise<T>} run
 * @returns {Promise<T>}
 */
async function withMembers(contender, run) {
  const { bind, Registry } = await import('@strand/core/registry');
  const registry = new Registry();
  await registry.set(COUNTER, 0);
  const members = Array.from(
    { length: OTHERS[contender] },
    () => new Worker(MEMBER, { workerData: { data: registry.data } }),
  );
  await Promise.all(members.map((member) => bind(registry, member)));
  const result = await run(registry, async (value) => {
    expectEqual(await registry.get(COUNTER), value, 'the counter');
    await Promise.all(
      members.map(async (member) => {
        member.postMessage(COUNTER);
        expectEqual((await once(member, 'message'))[0], value, 'the counter in another thread');
      }),
    );
  });
  for (const member of members) member.postMessage(null);
  registry.close();
  return result;
}

/** @type {import('./case.mjs').JsCase} */
const registryLock = {
  name: 'registry-lock',
  title: 'an uncontended section, await registry.lock(key, async (n) => n + 1); 5 µs are 200,000 a second',
  threads: 4,
  metrics: { cost: { unit: 'µs', over: 'minimum' } },
  replaced: {},
  contenders: {
    'strand, nobody else': { needsBuild: true, targets: { cost: 5 } },
    'strand, three others bound': { needsBuild: true, targets: { cost: 20 } },
  },

  check: (contender) =>
    withMembers(contender, async (registry, expectEverywhere) => {
      const results = [];
      for (let i = 0; i < SECTIONS; i++)
        results.push({ n: await registry.lock(COUNTER, async (n) => n + 1) });
      await expectEverywhere(SECTIONS);
      return results;
    }),

  measure: (contender, options) =>
    withMembers(contender, async (registry, expectEverywhere) => {
      let expected = 0;
      const nanoseconds = await measureAwaitedCost(
        {
          async timed() {
            for (let i = 0; i < SECTIONS; i++) await registry.lock(COUNTER, async (n) => n + 1);
          },
          async after() {
            expected += SECTIONS;
            await expectEverywhere(expected);
          },
          records: SECTIONS,
        },
        options,
      );
      return { cost: nanoseconds / 1000 };
    }),
};

const MANY_KEYS = 1_000_000;
const MEMORY_CHECKED = 5000;
const FIRST_CAPACITY = { 'strand, grown': undefined, 'strand, room from the start': MANY_KEYS };

async function fillRegistry(contender, keys) {
  const { Registry } = await import('@strand/core/registry');
  const registry = new Registry(FIRST_CAPACITY[contender]);
  for (let key = 1; key <= keys; key++) await registry.set(key, key);
  return registry;
}

/** @type {import('./case.mjs').JsCase} */
const registryMemory = {
  name: 'registry-memory',
  title: 'shared memory of one of 1,000,000 keys',
  threads: 1,
  metrics: { perKey: { unit: 'bytes', over: 'median' } },
  replaced: {},
  contenders: {
    'strand, grown': { needsBuild: true, targets: { perKey: 64 } },
    'strand, room from the start': { needsBuild: true, targets: { perKey: 64 } },
  },

  async check(contender) {
    const registry = await fillRegistry(contender, MEMORY_CHECKED);
    return [...registry].map(([key, value]) => ({ key, value }));
  },

  async measure(contender) {
    const registry = await fillRegistry(contender, MANY_KEYS);
    expectEqual(registry.size, MANY_KEYS, 'keys');
    for (let key = 1; key <= MANY_KEYS; key++) expectEqual(await registry.get(key), key, 'the value');
    return { perKey: registry.data.table.byteLength / MANY_KEYS };
  },
};

/** @type {import('./case.mjs').JsCase[]} */
export const registryCases = [registryGet, registryPeek, registrySet, registryLock, registryMemory];
