/**
 * What `bench/run.mjs` runs.
 *
 * @typedef {object} Metric
 * @property {string} unit
 * @property {'minimum' | 'median'} over how the runs make one figure: costs take their minimum, percentiles
 *   and sizes their median
 *
 * @typedef {object} Contender
 * @property {Record<string, number>} [targets] by metric; reached at or below
 * @property {boolean} [needsBuild] uses dist/ and the addon
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
