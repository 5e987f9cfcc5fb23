/** The shared log: frames of 64 bytes, written and read by one thread. */

import { rmSync } from 'node:fs';
import path from 'node:path';
import { freshFolder } from '../fresh_folder.mjs';
import { expectEqual, measureCost } from '../measure.mjs';

const FRAMES = 16_384;
const FRAME_BYTES = 64;
const BATCH = 256;
const CAPACITY = 512 + FRAMES * (FRAME_BYTES + 4);
const PAGE_BYTES = 4096;

const frame = Buffer.from(Uint8Array.from({ length: FRAME_BYTES }, (_, i) => i));
const list = Array.from({ length: BATCH }, () => frame);
const expectedSum = FRAMES * frame[FRAME_BYTES - 1];

/** The mapping's pages for the first time: in a virtual machine that alone may cost as much as the frames in them. */
function touch(log) {
  const { buffer } = log.header.getBuffer();
  const bytes = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, CAPACITY));
  let sum = 0;
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) sum += bytes[at];
  return sum;
}

const writers = {
  'strand, allocate': ({ writer }) => {
    for (let i = 0; i < FRAMES; i++) {
      const bytes = writer.allocate(FRAME_BYTES);
      for (let at = 0; at < FRAME_BYTES; at++) bytes[at] = at;
      writer.commit();
    }
  },
  'strand, append': ({ writer }) => {
    for (let i = 0; i < FRAMES; i++) writer.append(frame);
  },
  'strand, appendBatch': ({ writer }) => {
    for (let i = 0; i < FRAMES; i += BATCH) writer.appendBatch(list);
  },
};

const LIMITS = { maxMessages: 1024, maxBytes: 1024 * FRAME_BYTES };

/** Each visits every frame. → the sum of one byte of each, by Buffer and by position */
const readers = {
  'strand, nextBatch': (iterator) => {
    let sum = 0;
    for (;;) {
      const frames = iterator.nextBatch(LIMITS);
      if (frames.length === 0) return sum;
      for (const bytes of frames) sum += bytes[FRAME_BYTES - 1];
    }
  },
  'strand, readBatch': (iterator) => {
    let sum = 0;
    for (;;) {
      const { bytes, starts, count } = iterator.readBatch(LIMITS);
      if (count === 0) return sum;
      for (let i = 0; i < count; i++) sum += bytes[starts[i] + FRAME_BYTES - 1];
    }
  },
};

/**
 * Runs in a folder of its own.
 *
 * @template T
 * @param {(file: string, createSharedLog: typeof import('@strand/core/log').createSharedLog) => T} run
 * @returns {Promise<T>}
 */
async function withFile(run) {
  const { createSharedLog } = await import('@strand/core/log');
  const folder = freshFolder();
  try {
    return run(path.join(folder, 'bench.log'), createSharedLog);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const metrics = {
  cost: { unit: 'ns', over: 'minimum' },
  fresh: { unit: 'ns', over: 'minimum' },
};

/** @type {import('./case.mjs').JsCase} */
const logWrite = {
  name: 'log-write',
  title: 'one frame of 64 bytes into a log; fresh: the first touch of its pages included',
  threads: 1,
  metrics,
  replaced: { cost: 1098 },
  contenders: {
    'strand, allocate': { needsBuild: true, targets: { cost: 100 } },
    'strand, append': { needsBuild: true, targets: { cost: 60 } },
    'strand, appendBatch': { needsBuild: true, targets: { cost: 30 } },
  },

  check: (contender) =>
    withFile((file, createSharedLog) => {
      const log = createSharedLog({ path: file, capacityBytes: CAPACITY, writable: true });
      writers[contender](log);
      const frames = log.createIterator().nextBatch({ maxMessages: FRAMES, maxBytes: CAPACITY });
      return frames.map((bytes) => ({ text: bytes.toString('hex') }));
    }),

  measure: (contender, options) =>
    withFile((file, createSharedLog) => {
      const measure = (prepare) => {
        let log;
        return measureCost(
          {
            before() {
              rmSync(file, { force: true });
              log = createSharedLog({ path: file, capacityBytes: CAPACITY, writable: true });
              prepare(log);
            },
            timed: () => writers[contender](log),
            after() {
              expectEqual(Number(log.header.size), CAPACITY, 'end of the frames');
              log.close();
            },
            records: FRAMES,
          },
          options,
        );
      };
      return { cost: measure(touch), fresh: measure(() => {}) };
    }),
};

/** @type {import('./case.mjs').JsCase} */
const logRead = {
  name: 'log-read',
  title:
    'one frame of 64 bytes out of a log opened for reading; fresh: the first touch of its pages included',
  threads: 1,
  metrics,
  replaced: { cost: 917 },
  contenders: {
    'strand, nextBatch': { needsBuild: true, targets: { cost: 45 } },
    'strand, readBatch': { needsBuild: true, targets: { cost: 8 } },
  },

  check: (contender) =>
    withFile((file, createSharedLog) => {
      const log = createSharedLog({ path: file, capacityBytes: CAPACITY, writable: true });
      writers['strand, appendBatch'](log);
      return [{ sum: readers[contender](createSharedLog({ path: file }).createIterator()) }];
    }),

  measure: (contender, options) =>
    withFile((file, createSharedLog) => {
      const log = createSharedLog({ path: file, capacityBytes: CAPACITY, writable: true });
      writers['strand, appendBatch'](log);
      const measure = (open, close) => {
        let iterator;
        let sum = 0;
        return measureCost(
          {
            before() {
              iterator = open();
            },
            timed() {
              sum = readers[contender](iterator);
            },
            after() {
              expectEqual(sum, expectedSum, 'sum');
              close(iterator);
            },
            records: FRAMES,
          },
          options,
        );
      };
      const kept = createSharedLog({ path: file }).createIterator();
      const rewound = () => {
        kept.seek(0n);
        return kept;
      };
      const figures = {
        cost: measure(rewound, () => {}),
        fresh: measure(
          () => createSharedLog({ path: file }).createIterator(),
          (iterator) => iterator.close(),
        ),
      };
      log.close();
      return figures;
    }),
};

export const logCases = [logWrite, logRead];
