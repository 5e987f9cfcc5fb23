/**
 * @typedef {import('../js/cases/case.mjs').Case} Case
 * @typedef {import('../js/cases/case.mjs').Limit} Limit
 *
 * @typedef {object} Row one metric of one contender
 * @property {string} contender
 * @property {boolean} ours
 * @property {string} metric
 * @property {string} unit
 * @property {number[]} runs
 * @property {number} minimum
 * @property {number} median
 * @property {number} spread (maximum - minimum) / median
 * @property {number} figure the minimum or the median, whichever the metric asks for
 * @property {number} [rate] GB/s
 * @property {number} [limit] what the memory of the machine would allow, in the metric's unit
 * @property {number} [limitRatio] figure / limit
 * @property {number} [replaced] the figure of the ring that strand replaces
 * @property {number} [target]
 * @property {number} [limitTarget] a target for limitRatio
 * @property {number} [peerRatio] figure / the best peer's of the same run; only where there is a target for it
 * @property {number} [peerTarget] a target for peerRatio
 * @property {boolean} [reached]
 * @property {number} [yardstickRatio] figure / replaced, of the contender that stands for the replaced ring
 */

/** The yardstick stands for the ring we replace as long as it does not cost more than this many times as much. */
export const YARDSTICK_LIMIT = 1.3;

const NANOSECONDS = { ns: 1, µs: 1e3, ms: 1e6 };

/**
 * The limits that the cases so far have measured.
 */
export class MeasuredLimits {
  /** @type {Map<string, { figure: number, bytes: number }>} */
  #measured = new Map();

  /**
   * Keeps the figures of a case whose metric says how many bytes it moves.
   *
   * @param {Case} benchCase
   * @param {Row[]} rows
   */
  add({ name, metrics }, rows) {
    for (const { contender, metric, unit, figure } of rows) {
      const { bytes } = metrics[metric];
      if (bytes === undefined) continue;
      const nanoseconds = figure * nanosecondsOf(unit);
      this.#measured.set(keyOf(name, contender), { figure: nanoseconds, bytes });
    }
  }

  /**
   * @param {Limit | undefined} limit
   * @param {string} unit
   * @returns {number | undefined} in that unit; undefined without a limit, or where it was not measured
   */
  of(limit, unit) {
    if (limit === undefined) return undefined;
    const measured = this.#measured.get(keyOf(limit.case ?? 'bandwidth', limit.contender));
    if (measured === undefined) return undefined;
    return ((measured.figure / measured.bytes) * limit.bytesPerRecord) / nanosecondsOf(unit);
  }
}

/**
 * Which contenders of which cases the limits of some cases name.
 *
 * @param {Case[]} cases
 * @returns {Map<string, Set<string>>} contenders by case
 */
export function limitsNamedBy(cases) {
  const named = new Map();
  for (const { metrics, contenders } of cases) {
    const limits = [
      ...Object.values(metrics).map(({ limit }) => limit),
      ...Object.values(contenders).flatMap((contender) => Object.values(contender.limits ?? {})),
    ];
    for (const limit of limits) {
      if (limit === undefined) continue;
      const name = limit.case ?? 'bandwidth';
      if (!named.has(name)) named.set(name, new Set());
      named.get(name).add(limit.contender);
    }
  }
  return named;
}

/**
 * @param {Case} benchCase
 * @param {Map<string, Record<string, number>[]>} runsOfContender
 * @param {MeasuredLimits} [limits]
 * @returns {Row[]}
 */
export function summarize({ metrics, contenders, replaced }, runsOfContender, limits = new MeasuredLimits()) {
  const rows = [];
  const figureOf = (trials, metric) =>
    figuresOf(
      trials.map((trial) => trial[metric]),
      metrics[metric].over,
    ).figure;
  const peers = [...runsOfContender].filter(([name]) => isPeer(name, contenders[name]));
  for (const [name, trials] of runsOfContender) {
    const contender = contenders[name];
    for (const [metric, { unit, over, bytes, limit: limitOfMetric }] of Object.entries(metrics)) {
      const runs = trials.map((trial) => trial[metric]);
      const { minimum, median, spread, figure } = figuresOf(runs, over);
      const limit = limits.of(contender.limits?.[metric] ?? limitOfMetric, unit);
      const limitRatio = limit === undefined ? undefined : figure / limit;
      const target = contender.targets?.[metric];
      const limitTarget = contender.limitTargets?.[metric];
      const peerTarget = contender.peerTargets?.[metric];
      const hasPeer = peerTarget !== undefined && peers.length > 0;
      const peerRatio = hasPeer
        ? figure / Math.min(...peers.map(([, peerTrials]) => figureOf(peerTrials, metric)))
        : undefined;
      rows.push({
        contender: name,
        ours: isOurs(name, contender),
        metric,
        unit,
        runs,
        minimum,
        median,
        spread,
        figure,
        rate: bytes === undefined ? undefined : bytes / (figure * nanosecondsOf(unit)),
        limit,
        limitRatio,
        replaced: replaced[metric],
        target,
        limitTarget,
        peerRatio,
        peerTarget,
        reached: hasReached([
          [figure, target],
          [limitRatio, limitTarget],
          [peerRatio, peerTarget],
        ]),
        yardstickRatio: contender.yardstick && replaced[metric] ? figure / replaced[metric] : undefined,
      });
    }
  }
  return rows;
}

/**
 * @param {number[]} runs
 * @param {'minimum' | 'median'} over
 */
export function figuresOf(runs, over) {
  const sorted = [...runs].sort((a, b) => a - b);
  const minimum = sorted[0];
  const median = medianOf(sorted);
  const spread = (sorted[sorted.length - 1] - minimum) / median;
  return { minimum, median, spread, figure: over === 'minimum' ? minimum : median };
}

/**
 * @param {string} name
 * @param {import('../js/cases/case.mjs').Contender} contender
 */
export function isOurs(name, { needsBuild }) {
  return needsBuild === true || /^strand\b/.test(name);
}

/** Whom `peerTargets` compare with: not who does a part of the work only. */
function isPeer(name, contender) {
  return !isOurs(name, contender) && contender.part !== true;
}

/**
 * Undefined where there is nothing to reach, or where what it is a multiple of was not measured.
 *
 * @param {[value: number | undefined, target: number | undefined][]} pairs
 */
function hasReached(pairs) {
  const judged = pairs.filter(([value, target]) => value !== undefined && target !== undefined);
  return judged.length === 0 ? undefined : judged.every(([value, target]) => value <= target);
}

/** `ns/KiB` is a time as well: what it counts per stands in the metric's bytes. */
function nanosecondsOf(unit) {
  const factor = NANOSECONDS[unit.split('/')[0]];
  if (factor === undefined) throw new Error(`a rate or a limit needs a unit of time, not '${unit}'`);
  return factor;
}

function keyOf(caseName, contender) {
  return `${caseName}\n${contender}`;
}

/** @param {number[]} sorted */
function medianOf(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
