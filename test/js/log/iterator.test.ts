import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { FrameBatch, SharedLog, ShmIterator } from '../../../dist/log.js';
import {
  allFrames,
  bytesOf,
  expectFrames,
  freshPath,
  open,
  openWritable,
  textsOf,
  thrownBy,
  writeByHand,
} from '../support/logs.js';
import { LONG } from '../support/long.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startChild } from '../support/threads.mjs';

const STEPS = LONG ? 20_000 : 2000;

/** Payloads of a batch that is read in place, copied. */
const framesOf = ({ bytes, starts, lengths, count }: FrameBatch): Buffer[] =>
  Array.from({ length: count }, (_, i) =>
    Buffer.from(bytes.subarray(starts[i] as number, (starts[i] as number) + (lengths[i] as number))),
  );

describe('an iterator', () => {
  const opened = {
    'a writable log': (_: string, log: SharedLog) => log,
    'a log that is only read': (path: string) => open({ path, writable: false }),
    'a log that is only read, without copies': (path: string) => open({ path, zeroCopy: true }),
  };
  const formats = {
    '16-bit lengths': { overhead: 4, options: {} },
    '32-bit lengths': { overhead: 8, options: { maxFrameBytes: 2 ** 20 } },
    checksums: { overhead: 12, options: { checksum: 'crc32c' } },
    'no extension': { overhead: 4, options: {} },
  } as const;

  test.each(
    Object.keys(opened).flatMap((kind) => Object.keys(formats).map((format) => [kind, format] as const)),
  )('of %s with %s agrees with a list of frames', (kind, format) => {
    const random = seeded(seed);
    const path = freshPath();
    const { options, overhead } = formats[format as keyof typeof formats];
    if (format === 'no extension') writeByHand(path, 2 ** 25, []);
    const log = openWritable({ path, capacityBytes: 2 ** 25, ...options });
    const largest = overhead === 4 ? 65_531 : 200_000;
    const iterator = opened[kind as keyof typeof opened](path, log).createIterator();

    /** What the log holds, where each frame begins, and where the iterator stands. */
    const frames: Buffer[] = [];
    const cursors = [0];
    let at = 0;

    const grow = (): void => {
      const list = Array.from({ length: random.pick([0, 1, 3, 80]) }, () => {
        const size = random.pick([0, 1, random.below(50), random.below(50), random.below(3000)]);
        const frame = Buffer.alloc(random.below(200) === 0 ? random.below(largest) : size, frames.length + 1);
        return frame;
      });
      log.writer.appendBatch(list);
      for (const frame of list) {
        frames.push(frame);
        cursors.push((cursors.at(-1) as number) + frame.length + overhead);
      }
    };
    /** How many frames a batch has, of those that lie ahead in its direction. */
    const fitting = (ahead: readonly Buffer[], maxMessages: number, maxBytes: number): number => {
      let sum = 0;
      let count = 0;
      for (const { length } of ahead) {
        sum += length;
        if (count === maxMessages || sum > maxBytes) break;
        count++;
      }
      return count;
    };
    const limits = () => ({
      maxMessages: random.pick([1, 2, 5, 64, 5000]),
      maxBytes: random.pick([0, 100, 5000, 300_000, 2 ** 31]),
      ...(random.below(2) === 0 ? {} : { debugChecks: random.below(2) === 0 }),
    });
    const batch = (
      read: (options: ReturnType<typeof limits>) => Buffer[],
      ahead: Buffer[],
      cap = 1e9,
    ): number => {
      const options = limits();
      const count = fitting(ahead, Math.min(options.maxMessages, cap), options.maxBytes);
      if (count === 0 && ahead.length > 0) {
        const error = thrownBy(() => read(options));
        expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' });
        expect(error.message).toMatch(
          new RegExp(`${ahead[0]?.length} bytes.*maxBytes of ${options.maxBytes}`),
        );
      } else {
        expectFrames(read(options), ahead.slice(0, count));
      }
      return count;
    };
    const operations: (() => void)[] = [
      grow,
      () => {
        const frame = iterator.next();
        if (at === frames.length) expect(frame).toBeNull();
        else expectFrames([frame as Buffer], [frames[at++] as Buffer]);
      },
      () => {
        const frame = iterator.prev();
        if (at === 0) expect(frame).toBeNull();
        else expectFrames([frame as Buffer], [frames[--at] as Buffer]);
      },
      () => {
        at += batch((options) => iterator.nextBatch(options), frames.slice(at));
      },
      () => {
        at += batch((options) => framesOf(iterator.readBatch(options)), frames.slice(at), 4096);
      },
      () => {
        at -= batch((options) => iterator.prevBatch(options), frames.slice(0, at).reverse());
      },
      () => {
        at = random.pick([0, frames.length, random.below(frames.length + 1)]);
        iterator.seek(BigInt(cursors[at] as number));
      },
      () => {
        const target = random.below((cursors.at(-1) as number) + 10);
        const index = cursors.indexOf(target);
        if (index >= 0) {
          iterator.seek(BigInt(target));
          at = index;
        } else {
          expect(thrownBy(() => iterator.seek(BigInt(target))).code).toBe('ERR_SHM_CURSOR');
        }
      },
    ];
    for (let step = 0; step < STEPS; step++) {
      // Reads of single frames come in runs, so that frames copied ahead meet every other call.
      const operation = random.below(3) === 0 ? (operations[1] as () => void) : random.pick(operations);
      if (operation === grow && (cursors.at(-1) as number) > 2 ** 24) continue;
      operation();
      if (random.below(2) === 0) expect(Number(iterator.cursor()), `step ${step}`).toBe(cursors[at]);
      if (random.below(8) === 0) expect(Number(iterator.committedSize())).toBe(cursors.at(-1));
    }
    const resumed = opened[kind as keyof typeof opened](path, log);
    expectFrames(
      resumed
        .createIterator({ startCursor: iterator.cursor() })
        .nextBatch({ maxMessages: 1e6, maxBytes: 2 ** 31 }),
      frames.slice(at),
    );
    expectFrames(allFrames(resumed), frames);
  });

  test('takes 64 frames and 256 KiB of them unless told', () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 2 ** 21 });
    log.writer.appendBatch(Array.from({ length: 200 }, (_, i) => Buffer.alloc(10, i)));
    log.writer.appendBatch(Array.from({ length: 20 }, (_, i) => Buffer.alloc(2 ** 14, i)));
    for (const shared of [log, open({ path, writable: false })]) {
      const iterator = shared.createIterator();
      expect(iterator.nextBatch().length).toBe(64);
      expect(iterator.readBatch().count).toBe(64);
      expect(iterator.nextBatch({}).length).toBe(64);
      expect(iterator.nextBatch({ maxMessages: 8 }).length).toBe(8);
      // 256 KiB are sixteen of 16 KiB.
      expect(iterator.nextBatch().length).toBe(16);
      expect(iterator.readBatch().count).toBe(4);
      expect(iterator.prevBatch().length).toBe(16);
    }
  });

  test('says that maxBytes is less than the next frame', () => {
    const path = freshPath();
    const log = openWritable({ path });
    log.writer.append(Buffer.alloc(100));
    for (const iterator of [log.createIterator(), open({ path }).createIterator()]) {
      for (const read of ['nextBatch', 'readBatch'] as const) {
        const error = thrownBy(() => iterator[read]({ maxBytes: 99 }));
        expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' });
        expect(error.message).toMatch(/100 bytes.*maxBytes of 99/);
      }
      expect(iterator.cursor()).toBe(0n);
      expect(iterator.nextBatch({ maxBytes: 100 }).length).toBe(1);
      expect(thrownBy(() => iterator.prevBatch({ maxBytes: 99 })).message).toMatch(/maxBytes of 99/);
    }
  });

  test.each<[object, string]>([
    [{ maxMessages: 0 }, 'maxMessages'],
    [{ maxMessages: 1.5 }, 'maxMessages'],
    [{ maxMessages: '5' }, 'maxMessages'],
    [{ maxBytes: -1 }, 'maxBytes'],
    [{ maxBytes: Number.NaN }, 'maxBytes'],
    [{ maxBytes: null }, 'maxBytes'],
  ])('refuses %o', (options, name) => {
    const iterator = openWritable().createIterator();
    for (const read of ['nextBatch', 'prevBatch', 'readBatch'] as const) {
      const error = thrownBy(() => iterator[read](options));
      expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' });
      expect(error.message).toContain(name);
    }
    expect(thrownBy(() => iterator.nextBatch(5 as never)).code).toBe('ERR_STRAND_INVALID_ARGUMENT');
    expect(thrownBy(() => iterator.nextBatch(null as never)).code).toBe('ERR_STRAND_INVALID_ARGUMENT');
  });
});

describe('seek', () => {
  test('finds each frame, and refuses every byte between them', () => {
    const random = seeded(seed);
    const path = freshPath();
    const log = openWritable({ path });
    const starts = [0];
    for (let i = 0; i < 60; i++) {
      // Lengths of frames inside of frames, so that a wrong byte may look right.
      const frame = Buffer.alloc(random.below(30), random.pick([4, 5, 8, 0]));
      for (let at = 1; at < frame.length; at += 2) frame[at] = 0;
      log.writer.append(frame);
      starts.push((starts.at(-1) as number) + frame.length + 4);
    }
    const end = starts.at(-1) as number;
    for (const shared of [log, open({ path, writable: false })]) {
      // From its start, from its end and from wherever the seek before has led.
      for (const from of ['oldest', 'latest', 'last']) {
        const iterator = shared.createIterator();
        for (let at = 0; at <= end + 5; at++) {
          if (from === 'oldest') iterator.seek(0n);
          if (from === 'latest') iterator.seek(BigInt(end));
          const before = iterator.cursor();
          if (starts.includes(at)) {
            iterator.seek(BigInt(at));
            expect(iterator.cursor()).toBe(BigInt(at));
          } else {
            const error = thrownBy(() => iterator.seek(BigInt(at)));
            expect(error).toMatchObject({ name: 'StrandError', code: 'ERR_SHM_CURSOR' });
            expect(iterator.cursor()).toBe(before);
          }
        }
      }
      for (const start of [1n, 3n, BigInt(end) + 1n, -1n, 2n ** 53n, 2n ** 64n, -(2n ** 70n)]) {
        expect(thrownBy(() => shared.createIterator({ startCursor: start })).code).toBe('ERR_SHM_CURSOR');
      }
      const iterator = shared.createIterator();
      for (const wrong of [undefined, null, '0', 0.5, Number.NaN, {}]) {
        expect(thrownBy(() => iterator.seek(wrong as never)).code).toBe('ERR_STRAND_INVALID_ARGUMENT');
      }
    }
  });
});

describe('a damaged file', () => {
  /** Five frames of a letter each, as shmio lays them out; the third one's lengths as told. */
  function damaged(first: number, second: number): string {
    const path = freshPath();
    writeByHand(path, 4096, bytesOf('a', 'b', 'c', 'd', 'e'));
    const bytes = readFileSync(path);
    bytes.writeUInt16LE(first, 24 + 10);
    bytes.writeUInt16LE(second, 24 + 13);
    writeFileSync(path, bytes);
    return path;
  }
  const corrupt = { name: 'StrandError', code: 'ERR_SHM_FRAME_CORRUPT' };
  const expectCorrupt = (call: () => unknown, path: string): void => {
    const error = thrownBy(call);
    expect(error).toMatchObject(corrupt);
    expect(error.message).toContain('ERR_SHM_FRAME_CORRUPT');
    expect(error.message).toContain(path);
  };

  test.each([0, 1, 2, 3, 100, 65_535])('with a length of %i gives the frames before it first', (length) => {
    for (const zeroCopy of [false, true]) {
      const path = damaged(length, 5);
      const log = open({ path, zeroCopy });
      const single = log.createIterator();
      expect(textsOf([single.next() as Buffer, single.next() as Buffer])).toEqual(['a', 'b']);
      for (let i = 0; i < 3; i++) expectCorrupt(() => single.next(), path);
      expect(single.cursor()).toBe(10n);
      expect(single.prev()?.toString()).toBe('b');

      const batches = log.createIterator();
      expect(textsOf(batches.nextBatch())).toEqual(['a', 'b']);
      for (let i = 0; i < 2; i++) expectCorrupt(() => batches.nextBatch(), path);

      const inPlace = log.createIterator();
      expect(textsOf(framesOf(inPlace.readBatch()))).toEqual(['a', 'b']);
      expectCorrupt(() => inPlace.readBatch(), path);

      const back = log.createIterator({ startCursor: 25n });
      expect(textsOf(back.prevBatch())).toEqual(['e', 'd']);
      expectCorrupt(() => back.prevBatch(), path);
      expectCorrupt(() => back.prev(), path);
    }
  });

  test('whose lengths differ is found by debugChecks, and not without them', () => {
    const path = damaged(5, 9);
    const log = open({ path, writable: false });
    expect(textsOf(log.createIterator().nextBatch())).toEqual(['a', 'b', 'c', 'd', 'e']);
    const checked = log.createIterator();
    expect(textsOf(checked.nextBatch({ debugChecks: true }))).toEqual(['a', 'b']);
    expectCorrupt(() => checked.nextBatch({ debugChecks: true }), path);
    expect(textsOf(checked.nextBatch({ debugChecks: false }))).toEqual(['c', 'd', 'e']);

    const always = open({ path, debugChecks: true }).createIterator();
    expect(textsOf([always.next() as Buffer, always.next() as Buffer])).toEqual(['a', 'b']);
    expectCorrupt(() => always.next(), path);
    expect(textsOf(always.nextBatch({ debugChecks: false }))).toEqual(['c', 'd', 'e']);
  });

  test.each<[NodeJS.ProcessEnv, boolean]>([
    [{}, false],
    [{ SHMIO_DEBUG: 'true' }, true],
    [{ STRAND_DEBUG: 'true' }, true],
    [{ SHMIO_DEBUG: 'false', STRAND_DEBUG: '' }, false],
  ])('is found with %o: %s', async (env, isFound) => {
    const child = startChild(
      ({ log, data, say }) => {
        const attempt = (options: object) => {
          const iterator = log.createSharedLog({ path: data, ...options }).createIterator();
          try {
            return iterator.nextBatch().length + iterator.nextBatch().length;
          } catch (error) {
            return (error as { code: string }).code;
          }
        };
        say([attempt({}), attempt({ debugChecks: false }), attempt({ debugChecks: true })]);
      },
      damaged(5, 9),
      { env: { SHMIO_DEBUG: '', STRAND_DEBUG: '', ...env } },
    );
    expect(await child.said()).toEqual([isFound ? corrupt.code : 5, 5, corrupt.code]);
    await child.done();
  });

  test('of random bytes behind a sound header is never a crash', () => {
    const random = seeded(seed);
    for (let round = 0; round < (LONG ? 2000 : 200); round++) {
      const path = freshPath();
      const bytes = Buffer.alloc(600);
      for (let at = 24; at < 600; at++) bytes[at] = random.pick([0, 0, 4, 5, 8, random.below(256)]);
      bytes.writeBigUInt64LE(24n, 0);
      bytes.writeBigUInt64LE(24n, 8);
      bytes.writeBigUInt64LE(BigInt(random.between(24, 600)), 16);
      writeFileSync(path, bytes);
      const log = open({ path, zeroCopy: random.below(2) === 0, debugChecks: random.below(2) === 0 });
      const iterator = log.createIterator();
      for (let step = 0; step < 30; step++) {
        try {
          const call = random.pick(['next', 'prev', 'nextBatch', 'prevBatch', 'readBatch', 'seek'] as const);
          if (call === 'seek') iterator.seek(BigInt(random.below(600)));
          else iterator[call]();
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^ERR_SHM_(CURSOR|FRAME_CORRUPT)$/);
        }
      }
      log.close();
    }
  });
});

describe('a stray write into a Buffer of a log that is only read', () => {
  test('reaches neither the file nor what is read later', () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 2 ** 20 });
    const frames = Array.from({ length: 300 }, (_, i) => Buffer.alloc(100, i));
    log.writer.appendBatch(frames);
    const before = readFileSync(path);
    const iterator = open({ path, writable: false }).createIterator();
    const wreck = (bytes: Uint8Array | null) => new Uint8Array((bytes as Uint8Array).buffer).fill(0xff);
    expectFrames([iterator.next() as Buffer], frames.slice(0, 1));
    const kept = iterator.next() as Buffer;
    expectFrames([kept], frames.slice(1, 2));
    const [batched, other] = iterator.nextBatch() as [Buffer, Buffer];
    expectFrames([batched, other], frames.slice(2, 4));
    other.fill(0xee);
    expectFrames([batched], frames.slice(2, 3));
    wreck(batched);
    expectFrames([kept], frames.slice(1, 2));
    wreck(iterator.readBatch().bytes);
    wreck(iterator.prevBatch()[0] as Buffer);
    wreck(kept);
    expect(readFileSync(path).equals(before)).toBe(true);
    iterator.seek(0n);
    for (const frame of frames) expectFrames([iterator.next() as Buffer], [frame]);
    iterator.seek(0n);
    expectFrames(iterator.nextBatch({ maxMessages: 1000 }), frames);
  });

  test('ends the process with zeroCopy, which is what was accepted, and leaves the file alone', async () => {
    const path = freshPath();
    openWritable({ path }).writer.append(Buffer.from('untouched'));
    const child = startChild(({ log, data, say }) => {
      const frame = log.createSharedLog({ path: data, zeroCopy: true }).createIterator().next() as Buffer;
      say(frame.toString());
      frame[0] = 0;
      say('alive');
    }, path);
    expect(await child.said()).toBe('untouched');
    expect((await child.ended).code).not.toBe(0);
    expect(textsOf(allFrames(open({ path })))).toEqual(['untouched']);
  });
});

describe('an iterator that was closed', () => {
  const closings: Record<string, (log: SharedLog, iterator: ShmIterator) => void> = {
    itself: (_, iterator) => iterator.close(),
    'by its log': (log) => log.close(),
    'by `using`': (_, iterator) => iterator[Symbol.dispose](),
  };

  test.each(Object.keys(closings))('(%s) refuses every call', async (how) => {
    const path = freshPath();
    const writable = openWritable({ path });
    writable.writer.appendBatch(bytesOf('a', 'b', 'c'));
    for (const log of [writable, open({ path }), open({ path, zeroCopy: true })]) {
      const iterator = log.createIterator();
      const frame = iterator.next() as Buffer;
      closings[how]?.(log, iterator);
      iterator.close();
      const closed = { name: 'StrandError', code: 'ERR_SHM_ITERATOR_CLOSED' };
      for (const call of [
        () => iterator.next(),
        () => iterator.prev(),
        () => iterator.nextBatch(),
        () => iterator.prevBatch(),
        () => iterator.readBatch(),
        () => iterator.cursor(),
        () => iterator.committedSize(),
        () => iterator.seek(0n),
      ]) {
        expect(thrownBy(call)).toMatchObject(closed);
      }
      await expect(iterator.wait()).rejects.toMatchObject(closed);
      await expect(iterator.wait({ timeoutMs: 0 })).rejects.toMatchObject(closed);
      expect(frame.toString()).toBe('a');
      if (how !== 'by its log') expect(textsOf(allFrames(log))).toEqual(['a', 'b', 'c']);
      else expect(thrownBy(() => log.createIterator()).code).toBe('ERR_STRAND_CLOSED');
    }
  });
});
