// @ts-check

/** @import { WorkerSource } from '@strand/core/streams' */

import { parentPort } from 'node:worker_threads';
import { unpack } from './unpack.mjs';

/** @param {WorkerSource<Buffer>} source */
export default async function* (source) {
  yield* unpack(source, (unpacked) => parentPort?.postMessage(unpacked));
}
