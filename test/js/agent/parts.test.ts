import { existsSync, mkdirSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Backoff, type RetryLimits } from '../../../dist/agent/backoff.js';
import { CheckpointFile } from '../../../dist/agent/checkpoint_file.js';
import { Latencies } from '../../../dist/agent/latencies.js';
import { Settled } from '../../../dist/agent/settled.js';
import { Slots } from '../../../dist/agent/slots.js';
import { spansOf } from '../../../dist/agent/span.js';
import { freshPath } from '../support/logs.js';
import { seed } from '../support/seed.js';

describe('what is settled', () => {
  test('is what was added, in whatever order, with as few stretches as possible', () => {
    const order = fc.shuffledSubarray(Array.from({ length: 40 }, (_, i) => i));
    fc.assert(
      fc.property(order, fc.integer({ min: 0, max: 10 }), (frames, upTo) => {
        const settled = new Settled(upTo);
        const model = new Set(Array.from({ length: upTo }, (_, i) => i));
        for (const frame of frames) {
          settled.add([frame, frame + 1]);
          model.add(frame);
          for (let at = 0; at <= 41; at++) expect(settled.has(at)).toBe(model.has(at));
        }
        let end = 0;
        while (model.has(end)) end++;
        expect(settled.upTo).toBe(end);
        let last = end;
        for (const [from, to] of settled.beyond) {
          expect(from).toBeGreaterThan(last);
          expect(to).toBeGreaterThan(from);
          last = to;
        }
        const copy = new Settled(settled.upTo, settled.beyond);
        expect([copy.upTo, copy.beyond]).toStrictEqual([settled.upTo, settled.beyond]);
      }),
      { seed },
    );
  });

  test('takes stretches that overlap', () => {
    const stretch = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }));
    fc.assert(
      fc.property(fc.array(stretch), (stretches) => {
        const settled = new Settled(0);
        const model = new Set<number>();
        for (const [from, length] of stretches) {
          settled.add([from, from + length]);
          for (let at = from; at < from + length; at++) model.add(at);
        }
        for (let at = 0; at < 40; at++) expect(settled.has(at)).toBe(model.has(at));
      }),
      { seed },
    );
  });

  test('frames that follow each other are one stretch', () => {
    const frames = [
      [0, 4],
      [4, 9],
      [12, 15],
      [15, 16],
      [20, 21],
    ].map(([from = 0, to = 0]) => ({ from, to }));
    expect(spansOf(frames)).toStrictEqual([
      [0, 9],
      [12, 16],
      [20, 21],
    ]);
    expect(spansOf([])).toStrictEqual([]);
  });
});

describe('backoff', () => {
  const options: RetryLimits = {
    maxAttempts: 5,
    baseMs: 100,
    maxMs: 500,
    budgetRatio: 0.5,
    budgetPerSecond: 2,
    budgetReserve: 3,
  };
  const at = (random: number, given: Partial<RetryLimits> = {}) => {
    const clock = { now: 0 };
    const backoff = new Backoff(
      { ...options, ...given },
      () => random,
      () => clock.now,
    );
    return { backoff, clock };
  };

  test('doubles the longest delay with each attempt, up to its limit, and ends', () => {
    const { backoff } = at(1, { budgetReserve: 100 });
    expect([1, 2, 3, 4, 5].map((attempt) => backoff.delay(attempt, attempt))).toStrictEqual([
      100,
      200,
      400,
      500,
      undefined,
    ]);
  });

  test('draws the delay from all of it: full jitter', () => {
    expect(at(0).backoff.delay(3, 3)).toBe(0);
    expect(at(0.25).backoff.delay(3, 3)).toBe(100);
  });

  test('comes no sooner than it was asked to, nor with all the others', () => {
    expect(at(0).backoff.delay(1, 1, 3000)).toBe(3000);
    expect(at(0.5).backoff.delay(1, 1, 3000)).toBe(3050);
  });

  test('waits for its budget, which time and answers refill', () => {
    const { backoff, clock } = at(0);
    // The reserve, and then one for each half second.
    expect([1, 1, 1, 1, 1].map((attempt) => backoff.delay(attempt, attempt))).toStrictEqual([
      0, 0, 0, 500, 1000,
    ]);
    backoff.succeeded();
    backoff.succeeded();
    expect(backoff.delay(1, 1)).toBe(1000);
    clock.now += 10_000;
    expect([1, 1, 1, 1].map((attempt) => backoff.delay(attempt, attempt))).toStrictEqual([0, 0, 0, 500]);
  });

  test('counts what counts, and grows with all attempts', () => {
    expect(at(1).backoff.delay(9, 4)).toBe(500);
    expect(at(1).backoff.delay(9, 5)).toBeUndefined();
  });

  test('gives up where nothing refills the budget', () => {
    const { backoff } = at(0, { budgetPerSecond: 0, budgetReserve: 1 });
    expect(backoff.delay(1, 1)).toBe(0);
    expect(backoff.delay(1, 1)).toBeUndefined();
    backoff.succeeded();
    backoff.succeeded();
    expect(backoff.delay(1, 1)).toBe(0);
  });

  test('of a hundred attempts is still a number', () => {
    const { backoff } = at(1, { maxAttempts: 5000, budgetReserve: 5000 });
    expect(backoff.delay(4000, 4000)).toBe(500);
    expect(at(0.5, { maxAttempts: 5000, baseMs: 0 }).backoff.delay(4000, 4000, 10)).toBe(10);
  });
});

describe('latencies', () => {
  test('percentiles are right to 4.5 %', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.002, max: 1e7, noNaN: true }), { minLength: 1 }), (millis) => {
        const latencies = new Latencies();
        for (const time of millis) latencies.add(time);
        const sorted = [...millis].sort((a, b) => a - b);
        for (const share of [0, 0.5, 0.9, 0.99, 1]) {
          const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
          const found = latencies.percentile(share) as number;
          expect(Math.abs(found / exact - 1)).toBeLessThan(0.045);
        }
        expect(latencies).toMatchObject({ count: millis.length, maxMs: sorted.at(-1) });
      }),
      { seed },
    );
  });

  test('take any time, and know of none before the first', () => {
    const latencies = new Latencies();
    expect(latencies.percentile(0.5)).toBeUndefined();
    for (const time of [0, 1e-9, 1e12]) latencies.add(time);
    expect(latencies.percentile(0)).toBeLessThan(0.002);
    expect(latencies.percentile(1)).toBeGreaterThan(1e8);
  });
});

describe('slots', () => {
  test('are given in the order in which they were asked for, and to nobody once they are closed', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    const take = (name: string) => slots.take().then((isGranted) => order.push(`${name}:${isGranted}`));
    const all = [take('a'), take('b'), take('c'), take('d')];
    await all[0];
    slots.give();
    await all[1];
    slots.resize(2);
    await all[2];
    slots.close();
    await all[3];
    await take('e');
    expect(order).toStrictEqual(['a:true', 'b:true', 'c:true', 'd:false', 'e:false']);
  });

  test('that are taken away are not given again', async () => {
    const slots = new Slots(2);
    await slots.take();
    await slots.take();
    slots.resize(1);
    let granted = false;
    slots.take().then(() => {
      granted = true;
    });
    slots.give();
    await new Promise(setImmediate);
    expect(granted).toBe(false);
    slots.give();
    await new Promise(setImmediate);
    expect(granted).toBe(true);
  });
});

test('a checkpoint file that could not be written once is not written again', async () => {
  const path = freshPath('agent.checkpoint');
  const { file } = await CheckpointFile.open(path);
  const beside = `${path}.next`;
  const first = file.save(() => {
    mkdirSync(beside);
    return 'first';
  });
  // Once that is being written.
  await new Promise(setImmediate);
  const second = file.save(() => {
    rmSync(beside, { recursive: true, force: true });
    return 'second';
  });
  const outcomes = await Promise.allSettled([first, second]);
  expect(outcomes.map(({ status }) => status)).toStrictEqual(['rejected', 'rejected']);
  await file.close();
  expect(existsSync(path)).toBe(false);
});
