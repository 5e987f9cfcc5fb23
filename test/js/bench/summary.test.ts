import { describe, expect, test } from 'vitest';
import { formatCase } from '../../../bench/harness/report.mjs';
import { figuresOf, limitsNamedBy, MeasuredLimits, summarize } from '../../../bench/harness/summary.mjs';
import type { Case } from '../../../bench/js/cases/case.mjs';

const bandwidth: Case = {
  name: 'bandwidth',
  title: '',
  threads: 1,
  metrics: { cost: { unit: 'ns/KiB', over: 'minimum', bytes: 1024 } },
  replaced: {},
  contenders: { 'read memory': {} },
};

/** 16 bytes a record, which take 0.5 ns at 32 ns/KiB. */
const scan: Case = {
  name: 'scan',
  title: '',
  threads: 1,
  metrics: {
    cost: { unit: 'ns', over: 'minimum', limit: { contender: 'read memory', bytesPerRecord: 16 } },
  },
  replaced: { cost: 5 },
  contenders: {
    strand: { needsBuild: true, targets: { cost: 1 }, limitTargets: { cost: 1.5 } },
    'plain ring': { yardstick: true },
  },
};

function measuredLimits(): MeasuredLimits {
  const limits = new MeasuredLimits();
  limits.add(bandwidth, summarize(bandwidth, new Map([['read memory', [{ cost: 40 }, { cost: 32 }]]])));
  return limits;
}

const runs = (...costs: number[]) => costs.map((cost) => ({ cost }));

describe('figuresOf', () => {
  test.each([
    ['minimum', [3, 1, 2], 1],
    ['median', [3, 1, 2], 2],
    ['median', [4, 1, 2, 3], 2.5],
  ] as const)('takes the %s of %j', (over, measured, figure) => {
    expect(figuresOf([...measured], over).figure).toBe(figure);
  });

  test('gives the spread as a part of the median', () => {
    expect(figuresOf([1, 2, 5], 'minimum').spread).toBe(2);
  });
});

describe('summarize', () => {
  test('tells ours from peers', () => {
    const rows = summarize(
      scan,
      new Map([
        ['strand', runs(1)],
        ['plain ring', runs(5)],
      ]),
    );
    expect(rows.map(({ ours }) => ours)).toStrictEqual([true, false]);
  });

  test('says how many times the measured limit a figure is', () => {
    const [row] = summarize(scan, new Map([['strand', runs(0.6, 0.7)]]), measuredLimits());
    expect(row).toMatchObject({ limit: 0.5, limitRatio: 1.2, reached: true });
  });

  test('converts the limit to the unit of the metric', () => {
    const inMicroseconds = {
      ...scan,
      metrics: { cost: { ...scan.metrics.cost, unit: 'µs', over: 'minimum' as const } },
    } as Case;
    const [row] = summarize(inMicroseconds, new Map([['strand', runs(0.001)]]), measuredLimits());
    expect(row?.limit).toBeCloseTo(0.0005);
    expect(row?.limitRatio).toBeCloseTo(2);
  });

  test("prefers a contender's own limit to the metric's", () => {
    const wide = {
      ...scan,
      contenders: {
        strand: { limits: { cost: { contender: 'read memory', bytesPerRecord: 64 } } },
      },
    };
    expect(summarize(wide, new Map([['strand', runs(2)]]), measuredLimits())[0]?.limit).toBe(2);
  });

  test('misses a target that is missed in time or in multiples of the limit', () => {
    const reached = (cost: number) =>
      summarize(scan, new Map([['strand', runs(cost)]]), measuredLimits())[0]?.reached;
    expect([reached(0.7), reached(0.8), reached(1.1)]).toStrictEqual([true, false, false]);
  });

  test('leaves the limit out where it was not measured, and judges by the target alone', () => {
    const [row] = summarize(scan, new Map([['strand', runs(0.9)]]));
    expect(row).toMatchObject({ limit: undefined, limitRatio: undefined, reached: true });
  });

  test('gives the rate of a metric that counts bytes', () => {
    const [row] = summarize(bandwidth, new Map([['read memory', runs(32)]]));
    expect(row?.rate).toBe(32);
  });

  test('compares the yardstick with the ring it stands for', () => {
    const [row] = summarize(scan, new Map([['plain ring', runs(6)]]));
    expect(row?.yardstickRatio).toBe(1.2);
  });
});

describe('targets by the best peer', () => {
  const race: Case = {
    ...scan,
    contenders: {
      strand: { needsBuild: true, peerTargets: { cost: 0.5 } },
      slow: {},
      fast: {},
      'half of it': { part: true },
    },
  };
  const against = (cost: number, ...others: [string, number][]) =>
    summarize(
      race,
      new Map([['strand', runs(cost)], ...others.map(([name, its]) => [name, runs(its)] as const)]),
    )[0];

  test('hold against the one that costs least', () => {
    expect(against(4, ['slow', 20], ['fast', 10])).toMatchObject({ peerRatio: 0.4, reached: true });
    expect(against(6, ['slow', 20], ['fast', 10])).toMatchObject({ peerRatio: 0.6, reached: false });
  });

  test('compare the figures, which are minima of the runs here', () => {
    const measured = new Map([
      ['strand', runs(9, 4)],
      ['fast', runs(10, 30)],
    ]);
    expect(summarize(race, measured)[0]?.peerRatio).toBe(0.4);
  });

  test('leave out what does a part of the work, and the others of ours', () => {
    const two = { ...race, contenders: { ...race.contenders, 'strand, otherwise': { needsBuild: true } } };
    const measured = new Map([
      ['strand', runs(4)],
      ['strand, otherwise', runs(1)],
      ['half of it', runs(1)],
      ['fast', runs(10)],
    ]);
    expect(summarize(two, measured)[0]?.peerRatio).toBe(0.4);
  });

  test('say nothing where no peer was measured', () => {
    const row = against(4, ['half of it', 1]);
    expect([row?.peerRatio, row?.reached]).toStrictEqual([undefined, undefined]);
  });

  test('are not asked of peers', () => {
    const [, peer] = summarize(
      race,
      new Map([
        ['strand', runs(4)],
        ['fast', runs(10)],
      ]),
    );
    expect([peer?.peerRatio, peer?.peerTarget, peer?.reached]).toStrictEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('stand in the report beside how it is', () => {
    const measured = new Map([
      ['strand', runs(4)],
      ['fast', runs(10)],
    ]);
    const report = formatCase(race, summarize(race, measured), new Map(), []);
    expect(report).toMatch(/│ strand .*│ +0\.4 × │ +≤ 0\.5 × the best peer │ yes +│/);
  });
});

describe('limitsNamedBy', () => {
  test('names every contender that some case is held against', () => {
    const copying = {
      ...scan,
      contenders: { strand: { limits: { cost: { case: 'other', contender: 'copy', bytesPerRecord: 8 } } } },
    };
    expect(limitsNamedBy([scan, copying])).toStrictEqual(
      new Map([
        ['bandwidth', new Set(['read memory'])],
        ['other', new Set(['copy'])],
      ]),
    );
  });
});
