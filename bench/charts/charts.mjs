/**
 * The charts that the documents show.
 *
 * @typedef {object} Panel the contenders of one case, one bar each
 * @property {string} case
 * @property {string} [metric] the case's only one where it is left out
 * @property {string} label
 * @property {string[]} [leaveOut] contenders that would only repeat others, or do a part of the work
 *
 * @typedef {object} Chart
 * @property {string} name of the file
 * @property {string} title
 * @property {string} subtitle what was done and what a bar counts
 * @property {'linear' | 'log'} scale a linear chart gives each panel its own scale, a logarithmic one all the same
 * @property {Panel[]} panels those whose case has no result are left out
 */

const PART = ['node streams alone'];

/** @type {Chart[]} */
export const charts = [
  {
    name: 'worker-to-main',
    title: 'Records from a worker to the main thread',
    subtitle: 'Five fields with text and JSON, every field read. Time per record.',
    scale: 'linear',
    panels: [{ case: 'worker-to-main', label: 'u32, f32, utf8_ref, utf8, json in one record of ten' }],
  },
  {
    name: 'bytes',
    title: 'Bytes from a worker to the main thread',
    subtitle: 'Each chunk is sent by itself, and every byte of it read. Time per chunk.',
    scale: 'linear',
    panels: [
      { case: 'chunks-64k', label: 'chunks of 64 KiB' },
      { case: 'chunks-1k', label: 'chunks of 1 KiB' },
    ],
  },
  {
    name: 'streams',
    title: 'Node streams from the main thread to a worker',
    subtitle: 'Every byte and every field is read. Time per chunk or record.',
    scale: 'linear',
    panels: [
      { case: 'stream-64k', leaveOut: PART, label: 'chunks of 64 KiB' },
      { case: 'stream-1k', leaveOut: PART, label: 'chunks of 1 KiB' },
      { case: 'stream-records', leaveOut: PART, label: 'records of five fields, 1,000 at once' },
    ],
  },
  {
    name: 'round-trip',
    title: 'Round trip between two threads',
    subtitle: 'One record there and one back, until the answer is read.',
    scale: 'log',
    panels: [
      { case: 'round-trip', metric: 'median', label: 'median' },
      { case: 'round-trip', metric: 'p99', label: '99 %' },
    ],
  },
  {
    name: 'one-thread',
    title: 'Writing and reading, either side alone',
    subtitle: 'Time per record.',
    scale: 'linear',
    panels: [
      { case: 'write-scalars', label: 'write u32, f32, f64 in batches of 1,000' },
      { case: 'read-scalars', label: 'read them' },
      { case: 'write-string', label: 'write them and a utf8 of 17 characters' },
      { case: 'read-string', label: 'read them' },
      { case: 'write-one', label: 'write u32, f32, f64, one record per commit' },
    ],
  },
  {
    name: 'filters',
    title: 'Filters over a window, and the ranges of what they find',
    subtitle: '65,536 records, 40 % of them between the bounds. Time per record, of ranges per record found.',
    scale: 'linear',
    panels: [
      { case: 'filter-16', label: 'f32 between, records of 16 bytes' },
      { case: 'filter-32', label: 'records of 32 bytes' },
      { case: 'filter-256', label: 'records of 256 bytes' },
      { case: 'ranges', label: 'ranges of three fields, records of 16 bytes' },
    ],
  },
  {
    name: 'columns',
    title: 'Columns in and out',
    subtitle: 'Records of u32, f32, f64 and, where there is text, a utf8. Time per value or record.',
    scale: 'linear',
    panels: [
      { case: 'read-column-f32', label: 'read a column of f32' },
      { case: 'read-column-utf8', label: 'read a column of utf8, 16 characters' },
      { case: 'write-columns', label: 'write columns of u32, f32, f64' },
      { case: 'write-columns-string', label: 'write them and a utf8 of 17 characters' },
    ],
  },
  {
    name: 'core',
    title: 'The C++ core beside queues for C++',
    subtitle: 'Two threads, records of 24 bytes, each one checked. Time per record.',
    scale: 'linear',
    panels: [
      { case: 'core-one', label: 'pushed one at a time' },
      { case: 'core-runs', label: 'pushed in runs of 256' },
    ],
  },
];
