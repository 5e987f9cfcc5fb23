// @ts-check

/** @import { StrandMap, ViewStats } from '@strand/core' */
/** @import { SourceReport } from '../messages.mjs' */

import path from 'node:path';
import { counted, formatBytes, formatCount, printable } from './format.mjs';
import { padEnd, widthOf } from './text.mjs';

const NANOSECONDS_PER_MILLISECOND = 1e6;

const GAP = 2;

/**
 * @typedef {object} Run
 * @property {SourceReport} source
 * @property {number} records that the main thread read
 * @property {number} milliseconds
 * @property {number} heapGrowth bytes
 * @property {ViewStats} stats
 * @property {StrandMap} map
 */

/**
 * The figures of a run.
 *
 * @param {Run} run
 * @param {number} columns of the terminal
 * @returns {string[]} lines
 */
export function describeRun({ source, records, milliseconds, heapGrowth, stats, map }, columns) {
  const { producerStalls, producerStallNanoseconds, bytesProduced } = stats;
  const waited =
    producerStalls === 0
      ? ''
      : `, ${(producerStallNanoseconds / NANOSECONDS_PER_MILLISECOND).toFixed(1)} ms in all`;
  const heap = map.heap_capacity === 0 ? '' : ` and a heap of ${formatBytes(map.heap_capacity)}`;
  /** @type {readonly (readonly [string, string])[]} */
  const figures = [
    ['file', `${printable(path.basename(source.name))}, ${source.format}`],
    ['records', formatCount(records)],
    ['bytes', `${formatCount(source.bytes)} read, ${formatCount(bytesProduced)} through the ring`],
    ['time', `${(milliseconds / 1000).toFixed(2)} s`],
    ['records per second', formatCount((records / milliseconds) * 1000)],
    ['ring', `${formatCount(map.index_capacity)} records of ${map.record_stride} bytes${heap}`],
    ['producer waited', counted(producerStalls, 'time') + waited],
    [
      'JavaScript heap',
      `${heapGrowth < 0 ? '−' : '+'}${formatBytes(Math.abs(heapGrowth))} on the main thread`,
    ],
  ];
  const note =
    source.invalidAt === undefined
      ? []
      : [`Not all of it is UTF-8 (first at byte ${formatCount(source.invalidAt)}): such bytes show as �.`];
  return [...table(figures, columns), ...note];
}

/**
 * Names beside their values, or above them where the terminal is narrow.
 *
 * @param {readonly (readonly [name: string, value: string])[]} rows
 * @param {number} columns
 */
function table(rows, columns) {
  const names = Math.max(...rows.map(([name]) => widthOf(name)));
  const values = Math.max(...rows.map(([, value]) => widthOf(value)));
  return names + GAP + values <= columns
    ? rows.map(([name, value]) => padEnd(name, names + GAP) + value)
    : rows.flatMap(([name, value]) => [name, `  ${value}`]);
}
