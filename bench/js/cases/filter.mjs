/** Filters over a full window, and the ranges of what they find. */

import { expectEqual, measureCost } from '../measure.mjs';

const RECORDS = 65_536;
const LOW = 100;
const HIGH = 499;
const BATCH = 4096;

const between = { kind: 'between', lo: LOW, hi: HIGH };

/** Values from 0 to 999 at random, of which 40 % lie between the bounds. */
function* randomValues() {
  for (let state = 1; ; state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) yield (state >>> 8) % 1000;
}

/** @param {number} stride bytes a record */
async function openWindow(stride) {
  const { createStrand, StrandView, StrandWriter } = await import('@strand/core');
  const strand = createStrand(
    [
      { name: 'x', type: 'f32' },
      { name: 'y', type: 'i32' },
      { name: 'z', type: 'u32' },
      { name: 'rest', type: 'fixed_bytes', length: stride - 12 },
    ],
    { indexCapacity: RECORDS },
  );
  const writer = new StrandWriter(strand);
  const values = randomValues();
  const next = () => /** @type {number} */ (values.next().value);
  for (let written = 0; written < RECORDS; written += BATCH) {
    writer.writeRecordBatch(Array.from({ length: BATCH }, () => ({ x: next(), y: next() - 500, z: next() })));
  }
  writer.finalize();
  return new StrandView(strand);
}

/** Positions that a cursor finds, record by record. */
function findByCursor(cursor) {
  const bits = new Uint32Array(RECORDS / 32);
  for (let seq = 0; seq < RECORDS; seq++) {
    cursor.seek(seq);
    const x = cursor.getF32('x');
    if (x >= LOW && x <= HIGH) bits[seq >> 5] |= 1 << (seq & 31);
  }
  return bits;
}

function rangesByCursor(cursor, bits) {
  const ranges = { x: emptyRange(), y: emptyRange(), z: emptyRange() };
  for (let seq = 0; seq < RECORDS; seq++) {
    if (((bits[seq >> 5] >>> (seq & 31)) & 1) === 0) continue;
    cursor.seek(seq);
    widen(ranges.x, cursor.getF32('x'));
    widen(ranges.y, cursor.getI32('y'));
    widen(ranges.z, cursor.getU32('z'));
  }
  return ranges;
}

const emptyRange = () => ({ min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY });

function widen(range, value) {
  if (value < range.min) range.min = value;
  if (value > range.max) range.max = value;
}

const LINE_BYTES = 64;
/** Of the records whose ranges are looked for. */
const SET = 0.4;

/** What reading the cache lines of so many bytes once costs. All windows are larger than the second level. */
const metricsOf = (bytesPerRecord) => ({
  cost: { unit: 'ns', over: 'minimum', limit: { contender: 'read L3', bytesPerRecord } },
});

/** @param {number} stride bytes a record @param {number} target @param {number} [limitTarget] */
function filterCase(stride, target, limitTarget) {
  const open = async (contender) => {
    const view = await openWindow(stride);
    const cursor = view.allocateCursor();
    return contender === 'strand' ? () => view.getFilterBitset('x', between) : () => findByCursor(cursor);
  };
  return {
    name: `filter-${stride}`,
    title: `f32 between, 65,536 records of ${stride} bytes, per record`,
    threads: 1,
    // Of a longer record only the line with the field has to be read.
    metrics: metricsOf(Math.min(stride, LINE_BYTES)),
    replaced: { cost: 5 },
    contenders: {
      strand: {
        needsBuild: true,
        targets: { cost: target },
        ...(limitTarget !== undefined && { limitTargets: { cost: limitTarget } }),
      },
      'strand, by cursor': { needsBuild: true },
    },
    check: async (contender) => Array.from((await open(contender))(), (word) => ({ word })),
    async measure(contender, options) {
      const find = await open(contender);
      const expected = find()[0];
      let bits = find();
      const cost = measureCost(
        {
          timed: () => {
            bits = find();
          },
          after: () => expectEqual(bits[0], expected, 'first word found'),
          records: RECORDS,
        },
        options,
      );
      return { cost };
    },
  };
}

const rangesCase = {
  name: 'ranges',
  title: 'ranges of 3 fields over 40 % of 65,536 records of 16 bytes, per set record',
  threads: 1,
  metrics: metricsOf(16 / SET),
  replaced: { cost: 24 },
  contenders: {
    strand: { needsBuild: true, targets: { cost: 3 } },
    'strand, by cursor': { needsBuild: true },
  },
  async check(contender) {
    const { ranges } = await openRanges(contender);
    return Object.entries(ranges()).map(([name, { min, max }]) => ({ name, min, max }));
  },
  async measure(contender, options) {
    const { ranges, records } = await openRanges(contender);
    const expected = ranges().y.max;
    let found = ranges();
    const cost = measureCost(
      {
        timed: () => {
          found = ranges();
        },
        after: () => expectEqual(found.y.max, expected, 'largest y'),
        records,
      },
      options,
    );
    return { cost };
  },
};

async function openRanges(contender) {
  const { popcount } = await import('@strand/core');
  const view = await openWindow(16);
  const cursor = view.allocateCursor();
  const bits = view.getFilterBitset('x', between);
  const ranges =
    contender === 'strand' ? () => view.getConstrainedRanges(bits) : () => rangesByCursor(cursor, bits);
  return { ranges, records: popcount(bits) };
}

/** @type {import('./case.mjs').JsCase[]} */
export const filterCases = [
  filterCase(16, 0.35, 2),
  filterCase(32, 0.5, 2),
  filterCase(256, 1.5, 2),
  rangesCase,
];
