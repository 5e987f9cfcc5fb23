/**
 * @typedef {object} Row one metric of one contender
 * @property {string} contender
 * @property {string} metric
 * @property {string} unit
 * @property {number[]} runs
 * @property {number} minimum
 * @property {number} median
 * @property {number} spread (maximum - minimum) / median
 * @property {number} figure the minimum or the median, whichever the metric asks for
 * @property {number} [replaced] the figure of the ring that strand replaces
 * @property {number} [target]
 * @property {boolean} [reached]
 * @property {number} [yardstickRatio] figure / replaced, of the contender that stands for the replaced ring
 */

/** The yardstick stands for the ring we replace as long as it does not cost more than this many times as much. */
export const YARDSTICK_LIMIT = 1.3;

/**
 * @param {import('../js/cases/case.mjs').Case} benchCase
 * @param {Map<string, Record<string, number>[]>} runsOfContender
 * @returns {Row[]}
 */
export function summarize({ metrics, contenders, replaced }, runsOfContender) {
  const rows = [];
  for (const [contender, trials] of runsOfContender) {
    for (const [metric, { unit, over }] of Object.entries(metrics)) {
      const runs = trials.map((trial) => trial[metric]);
      const sorted = [...runs].sort((a, b) => a - b);
      const minimum = sorted[0];
      const median = medianOf(sorted);
      const figure = over === 'minimum' ? minimum : median;
      const target = contenders[contender].targets?.[metric];
      rows.push({
        contender,
        metric,
        unit,
        runs,
        minimum,
        median,
        spread: (sorted[sorted.length - 1] - minimum) / median,
        figure,
        replaced: replaced[metric],
        target,
        reached: target === undefined ? undefined : figure <= target,
        yardstickRatio:
          contenders[contender].yardstick && replaced[metric] ? figure / replaced[metric] : undefined,
      });
    }
  }
  return rows;
}

/** @param {number[]} sorted */
function medianOf(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
