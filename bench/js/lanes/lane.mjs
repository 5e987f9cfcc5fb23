/**
 * A lane carries records from a writer to a reader on one thread, so that either side can be timed
 * alone. One module for each contender; a process opens one lane only, which keeps its call sites
 * monomorphic, as in a program that uses that contender.
 *
 * @typedef {import('../records.mjs').Workload} Workload
 * @typedef {{ workload: Workload, slots: number, heapBytes: number, readBy?: 'accessor' | 'property' }} LaneOptions
 *
 * @typedef {object} Lane
 * @property {(batch: object[]) => void} write one batch, visible to the reader at once
 * @property {(record: object) => void} writeOne one record, visible to the reader at once
 * @property {(records: number) => number} drain reads every field in order, releases each batch, and
 *   returns the sum of the records
 * @property {(records: number) => void} discard releases records without reading them
 * @property {(records: number) => object[]} collect reads whole records, for comparing contenders
 * @property {() => void} close
 */

export {};
