/** One process per trial: `trial.mjs check|measure CASE CONTENDER [--quick]`, the result over IPC. */

import { createHash } from 'node:crypto';
import { cases } from './cases/index.mjs';

const [, , mode, caseName, contender, flag] = process.argv;
const benchCase = cases.find(({ name }) => name === caseName);

if (mode === 'check') {
  const collected = await benchCase.check(contender);
  answer({ digest: digestOf(collected), count: collected.length, first: collected[0] });
} else {
  answer({ metrics: await benchCase.measure(contender, { quick: flag === '--quick' }) });
}

/** Ends the process once the result is out: a large one takes more than one write. */
function answer(result) {
  process.send(result, () => process.disconnect());
}

/** @param {object[]} records */
function digestOf(records) {
  const canonical = records.map((record) =>
    Object.entries(record)
      .map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex');
}
