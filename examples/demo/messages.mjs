// @ts-check

/** @import { Strand } from '@strand/core' */
/** @import { MalformedReport } from './parse/malformed_log.mjs' */
/** @import { Format } from './source/detect_format.mjs' */

/**
 * What the worker is told.
 *
 * @typedef {object} Order
 * @property {string} path `-` for the standard input
 * @property {Format | undefined} format
 * @property {number} batch records given to the writer at once
 * @property {number | undefined} indexCapacity
 * @property {number | undefined} heapCapacity
 */

/**
 * What was read.
 *
 * @typedef {object} SourceReport
 * @property {string} name
 * @property {Format} format
 * @property {number} bytes
 * @property {number | undefined} invalidAt position of the first byte that is no UTF-8
 */

/** @typedef {{ kind: 'ready', strand: Strand }} Ready */
/** @typedef {{ kind: 'done', source: SourceReport, malformed: MalformedReport }} Done */
/** @typedef {{ kind: 'failed', message: string }} Failed the user can mend it */

/**
 * What the worker says besides the records, which go through the strand: `ready` when the strand is made, then `done`;
 * or `failed`, at any time.
 *
 * @typedef {Ready | Done | Failed} Message
 */

export {};
