// @ts-check

import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { createStrand, StrandWriter } from '@strand/core';
import { strandFields, writeRecordBatch } from '@strand/core/arrow';
import { tableFromIPC } from 'apache-arrow';

/** Records that become visible together. */
const STEP = 8192;

const table = tableFromIPC(readFileSync(workerData.file));
const strand = createStrand(strandFields(table.schema), { indexCapacity: 32_768 });
parentPort?.postMessage(strand);

const writer = new StrandWriter(strand);
writer.begin();
for (const batch of table.batches) {
  // Waits whenever the main thread is behind.
  for (let from = 0; from < batch.numRows; from += STEP) {
    writeRecordBatch(writer, batch.slice(from, from + STEP));
  }
}
writer.finalize();
