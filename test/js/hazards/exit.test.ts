import { describe, expect, test } from 'vitest';
import { LONG } from '../support/long.js';
import { startChild, type ThreadOptions } from '../support/threads.mjs';

const WORKERS = 16;
/** The aim is a second. Only a hang fails, since the machine may be busy with other things. */
const HANG_MILLIS = 5000;
/** Ends that are measured as long as each of them takes that long: a busy machine delays some, a hang all. */
const MOST_ENDS = 4;

const ENDS = {
  'process.exit()': { code: 7, source: 'process.exit(7)' },
  'an uncaught error': { code: 1, source: 'setImmediate(() => { throw new Error("spilt milk"); })' },
} as const;

interface Plan {
  /** What the main thread does in the end. */
  readonly end: keyof typeof ENDS;
  readonly blockedIn: 'writeRecordBatch' | 'writeColumns' | 'waitForCommitSync';
  /** How long the workers have been blocked by then. */
  readonly millis: number;
}

/** Milliseconds from the decision to end to the process's end, with all workers blocked. */
async function measureExit(plan: Plan, options: ThreadOptions = {}) {
  const child = startChild(
    async ({ data, say, startThread }) => {
      const blocked = Array.from({ length: data.workers }, () =>
        startThread(({ strand, data, say, numbered }) => {
          const ring = strand.createStrand(numbered.fields, { indexCapacity: 4, heapCapacity: 1024 });
          const view = new strand.StrandView(ring);
          const writer = new strand.StrandWriter(ring);
          const reading = data.blockedIn === 'waitForCommitSync';
          say({ sab: ring.sab, word: reading ? strand.CTRL_CONSUMER_WAITS : strand.CTRL_STALLS });
          if (reading) view.waitForCommitSync(0);
          else if (data.blockedIn === 'writeColumns') writer.writeColumns(numbered.columns(0, 100));
          else writer.writeRecordBatch(numbered.records(0, 100));
        }, data),
      );
      // Looked at as plain memory: the main thread may do without the package.
      for (const thread of blocked) {
        const { sab, word } = await thread.said<{ sab: SharedArrayBuffer; word: number }>();
        const words = new Int32Array(sab);
        while (Atomics.load(words, word) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await new Promise((resolve) => setTimeout(resolve, data.millis));
      say('ending');
      new Function(data.end)();
    },
    { ...plan, end: ENDS[plan.end].source, workers: WORKERS },
    options,
  );
  await child.said();
  const started = performance.now();
  const millis = (await child.exited) - started;
  console.info(
    `${WORKERS} workers blocked in ${plan.blockedIn}, ${plan.end}: gone after ${millis.toFixed(0)} ms`,
  );
  return { millis, ...(await child.ended) };
}

/** Every process ends by itself and as it was told to, and at least one of them at once. */
async function expectEnd(plan: Plan, options: ThreadOptions = {}): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < MOST_ENDS && least >= HANG_MILLIS; i++) {
    const { millis, code, signal } = await measureExit(plan, options);
    expect({ code, signal }).toEqual({ code: ENDS[plan.end].code, signal: null });
    least = Math.min(least, millis);
  }
  expect(least).toBeLessThan(HANG_MILLIS);
}

describe('a process with 16 blocked workers', () => {
  test.each([
    ['process.exit()', 'writeRecordBatch'],
    ['an uncaught error', 'writeRecordBatch'],
    ['process.exit()', 'writeColumns'],
    ['an uncaught error', 'writeColumns'],
    ['process.exit()', 'waitForCommitSync'],
    ['an uncaught error', 'waitForCommitSync'],
  ] as const)('ends by %s while they block in %s', (end, blockedIn) =>
    expectEnd({ end, blockedIn, millis: 0 }),
  );

  test('ends also where only the workers have loaded the package', () =>
    expectEnd({ end: 'process.exit()', blockedIn: 'writeRecordBatch', millis: 0 }, { index: null }));

  test.runIf(LONG).each(['process.exit()', 'an uncaught error'] as const)(
    'ends by %s also after a minute of blocking',
    (end) => expectEnd({ end, blockedIn: 'writeRecordBatch', millis: 60_000 }),
    MOST_ENDS * 120_000,
  );
});
