/**
 * What `bench/run.mjs` runs. A case imports what it measures inside `check` and `measure`: naming the cases
 * needs no build, each process loads one contender only, and an older commit that lacks one case's API can
 * run the others.
 *
 * @typedef {object} Limit what the memory of this machine would allow, measured in the same run
 * @property {string} [case] the case that measures it; `bandwidth` where it is left out
 * @property {string} contender of that case: `read` or `copy` with `memory`, `L3` or `L2`, after what the work's
 *   data fits
 * @property {number} bytesPerRecord bytes that have to be read, or copied, for what the metric counts
 *
 * @typedef {object} Metric
 * @property {string} unit `ns` or `µs` where there is a limit
 * @property {'minimum' | 'median'} over how the runs make one figure: costs take their minimum, percentiles
 *   and sizes their median
 * @property {number} [bytes] that a figure in ns moves: the report adds GB/s
 * @property {Limit} [limit] the report adds how many times the limit a figure is
 *
 * @typedef {object} Contender
 * @property {Record<string, number>} [targets] by metric; reached at or below
 * @property {Record<string, number>} [limitTargets] by metric, as multiples of the limit; reached at or below
 * @property {Record<string, number>} [peerTargets] by metric, as multiples of the best peer's figure in the same run;
 *   reached at or below
 * @property {boolean} [part] does a part of the work only, to say what that costs: no peer
 * @property {Record<string, Limit>} [limits] by metric, in place of the metric's own
 * @property {boolean} [needsBuild] uses dist/ and the addon, and so is ours
 * @property {boolean} [yardstick] stands for the ring we replace: must not cost more than 1.3 times its figures
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {string} title
 * @property {number} threads that are busy at the same time
 * @property {Record<string, Metric>} metrics
 * @property {Record<string, number>} replaced figures of the TypeScript ring that strand replaces, by metric
 * @property {Record<string, Contender>} contenders
 * @property {string[]} [execArgv] flags for node
 *
 * A case of JavaScript, run by trial.mjs in a process of its own, also has
 *
 * @typedef {Case & {
 *   check: (contender: string) => Promise<object[]>,
 *   measure: (contender: string, options: { quick: boolean }) => Promise<Record<string, number>>,
 * }} JsCase `check` returns records as they arrived, the same ones for every contender
 *
 * and a case of the core names an executable of bench/core/ and the arguments of each contender.
 *
 * @typedef {Case & { executable: string, arguments: Record<string, string[]> }} CoreCase
 */

export {};
