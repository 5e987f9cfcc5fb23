// Gives for each number as many results as it says, or each byte as often, at a pace of its own.

import { setImmediate as turn } from 'node:timers/promises';
import { threadId, workerData } from 'node:worker_threads';
import { numbered } from '../../support/numbered.mjs';
import { seeded } from '../../support/seeded.mjs';
import { resultsOf, timesOf } from './result_sizes.mjs';

const random = seeded(workerData.seed + threadId);

export default async function (batch) {
  for (let turns = random.pick([0, 0, 0, 1, 5]); turns > 0; turns--) await turn();
  for (let steps = random.below(2) * random.below(20_000); steps > 0; steps--);
  if (Buffer.isBuffer(batch))
    return Buffer.from(Array.from(batch, (byte) => Array(timesOf(byte)).fill(byte)).flat());
  for (const each of batch) {
    const { text, hash } = numbered.record(each.n);
    if (each.text !== text || each.hash !== hash) throw new Error(`record ${each.n} is not whole`);
  }
  return batch.flatMap(({ n }) => resultsOf(n, workerData.most));
}
