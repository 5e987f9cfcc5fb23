import { arrowCases } from './arrow.mjs';
import { chunkCases } from './chunks.mjs';
import { columnCases } from './columns.mjs';
import { copyBytes } from './copy_bytes.mjs';
import { filterCases } from './filter.mjs';
import { logCases } from './log.mjs';
import { memoryFlat } from './memory_flat.mjs';
import { oneThreadCases } from './one_thread.mjs';
import { processCases } from './processes.mjs';
import { registryCases } from './registry.mjs';
import { roundTrip } from './round_trip.mjs';
import { seekHeap } from './seek_heap.mjs';
import { streamCases } from './streams.mjs';
import { workerStreamCases } from './worker_streams.mjs';
import { workerToMain } from './worker_to_main.mjs';

/** @type {import('./case.mjs').JsCase[]} */
export const cases = [
  ...oneThreadCases,
  workerToMain,
  ...chunkCases,
  ...streamCases,
  ...workerStreamCases,
  roundTrip,
  ...processCases,
  seekHeap,
  memoryFlat,
  ...filterCases,
  ...columnCases,
  ...arrowCases,
  copyBytes,
  ...logCases,
  ...registryCases,
];
