import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SharedLog } from '../../../dist/log.js';
import {
  allFrames,
  freshFolder,
  freshPath,
  open,
  openWritable,
  thrownBy,
  type WritableLog,
} from '../support/logs.js';
import { LONG } from '../support/long.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startChild, until } from '../support/threads.mjs';

const KILLS = LONG ? 1000 : 20;
const gone = { name: 'StrandError', code: 'ERR_SHM_MAPPING_GONE' };

describe('a file that is truncated', () => {
  test('is no place for a writer that was at work in it, whatever it calls first', () => {
    const calls = {
      allocate: ({ writer }: WritableLog) => writer.allocate(1000),
      append: ({ writer }: WritableLog) => writer.append(Buffer.alloc(1000)),
      appendBatch: ({ writer }: WritableLog) => writer.appendBatch([Buffer.alloc(1000)]),
    };
    for (const call of Object.values(calls)) {
      const path = freshPath();
      const log = openWritable({ path });
      log.writer.append(Buffer.alloc(100));
      truncateSync(path, 0);
      for (let i = 0; i < 2; i++) expect(thrownBy(() => call(log))).toMatchObject(gone);
      expect(thrownBy(() => log.writer.commit())).toMatchObject(gone);
    }
  });

  const lengths = { nothing: 0, 'a part of its header': 20, 'a part of a page': 1000, 'some pages': 8192 };

  test.each(
    Object.entries(lengths).flatMap(([name, length]) =>
      ['read', 'mapped', 'writable'].map((kind) => [name, kind, length] as const),
    ),
  )('to %s under an open log (%s) is an error, and ends no process', async (_, kind, length) => {
    const file = freshPath();
    const log = openWritable({ path: file, capacityBytes: 2 ** 20 });
    for (let i = 0; i < 1000; i++) log.writer.append(Buffer.alloc(100, 1));
    log.close();
    const child = startChild(
      async ({ log, data, say, load }) => {
        const { truncateSync } = (await load('node:fs')) as unknown as typeof import('node:fs');
        const shared = log.createSharedLog({
          path: data.file,
          writable: data.kind === 'writable',
          zeroCopy: data.kind === 'mapped',
        });
        const [single, batches, inPlace, back, waiting] = Array.from({ length: 5 }, () =>
          shared.createIterator(),
        );
        const kept = single?.next() as Buffer;
        back?.seek(back.committedSize());
        waiting?.seek(waiting.committedSize());
        const wait = waiting?.wait();
        truncateSync(data.file, data.length);
        /** Reads on until something is thrown. */
        const fate = (read: () => unknown): unknown => {
          try {
            for (let i = 0; i < 20_000; i++) {
              const frames = read();
              if (frames === null || (Array.isArray(frames) && frames.length === 0)) return 'the end';
              for (const frame of Array.isArray(frames) ? frames : []) {
                const sum = (frame as Buffer).reduce((a, b) => a + b, 0);
                if (sum !== 100 && data.kind === 'read') return `a frame of ${sum}`;
              }
            }
            return 'no end';
          } catch (error) {
            return (error as { code?: string }).code;
          }
        };
        const fates = [
          fate(() => single?.next()),
          fate(() => batches?.nextBatch()),
          fate(() => inPlace?.readBatch()),
          fate(() => back?.prev()),
        ];
        await wait;
        fates.push(fate(() => waiting?.next()));
        if (shared.writer !== undefined) {
          const { writer } = shared;
          fates.push(fate(() => writer.append(Buffer.alloc(1000))));
          fates.push(fate(() => writer.allocate(1000).fill(1)));
          fates.push(fate(() => writer.commit()));
        }
        say(fates);
        // Whatever it holds now, it can be looked at.
        say(kept.length);
        shared.close();
        say('closed');
      },
      { file, kind, length },
    );
    const fates = await child.said<unknown[]>();
    expect(fates).toEqual(fates.map(() => gone.code));
    expect(await child.done()).toEqual([100, 'closed']);
    expect((await child.ended).signal).toBeNull();
  });

  test('while it is read leaves other logs alone', () => {
    const [lost, kept] = [freshPath(), freshPath()];
    for (const file of [lost, kept])
      openWritable({ path: file, capacityBytes: 2 ** 18 }).writer.append(Buffer.alloc(50_000, 1));
    const readers = [open({ path: lost }), open({ path: kept })] as [SharedLog, SharedLog];
    truncateSync(lost, 4096);
    expect(thrownBy(() => readers[0].createIterator().next())).toMatchObject(gone);
    expect(readers[1].createIterator().next()?.length).toBe(50_000);
  });
});

describe('a writing process that is killed', () => {
  test(`leaves all that it has told of, and nothing torn (${KILLS} times)`, async () => {
    const random = seeded(seed);
    const file = freshPath();
    let total = 0;
    for (let round = 0; round < KILLS; round++) {
      const child = startChild(
        ({ log, data, say, seeded }) => {
          const random = seeded(data.seed);
          const { writer } = log.createSharedLog({
            path: data.file,
            capacityBytes: 4096,
            maxCapacityBytes: 2 ** 30,
            writable: true,
            durability: random.pick(['none', 'none', 'commit', { everyMs: 1 }] as const),
          });
          if (writer === undefined) return;
          say({ pid: process.pid });
          for (let next = data.total; ; ) {
            const count = random.pick([1, 1, 2, 30, 300]);
            const frames = Array.from({ length: count }, (_, i) => {
              const frame = Buffer.alloc(8 + ((next + i) % 200), (next + i) & 0xff);
              frame.writeUInt32LE(next + i, 0);
              return frame;
            });
            if (random.below(2) === 0) writer.appendBatch(frames);
            else {
              for (const frame of frames) writer.allocate(frame.length).set(frame);
              writer.commit();
            }
            next += count;
            if (random.below(4) === 0) say({ next });
          }
        },
        { file, seed: random.next(), total },
      );
      const { pid } = await child.said<{ pid: number }>();
      let told = total;
      const listening = (async () => {
        for (;;) told = (await child.said<{ next: number }>()).next;
      })().catch(() => {});
      const moment = performance.now() + random.below(20);
      await until(() => performance.now() >= moment);
      process.kill(pid, 'SIGKILL');
      expect((await child.ended).signal).toBe('SIGKILL');
      await listening;
      const reader = open({ path: file });
      const found = reader.createIterator();
      const before = total;
      total = 0;
      for (
        let frames = found.nextBatch({ debugChecks: true });
        frames.length > 0;
        frames = found.nextBatch({ debugChecks: true })
      ) {
        for (const frame of frames) {
          const whole = Buffer.alloc(8 + (total % 200), total & 0xff);
          whole.writeUInt32LE(total, 0);
          if (!whole.equals(frame)) throw new Error(`seed ${seed}: frame ${total} is another one`);
          total++;
        }
      }
      expect(total, `seed ${seed}, round ${round}`).toBeGreaterThanOrEqual(Math.max(told, before));
      reader.close();
    }
    const log = openWritable({ path: file });
    log.writer.append(Buffer.from('next'));
    expect(
      log
        .createIterator({ startCursor: log.header.size - log.header.dataOffset })
        .prev()
        ?.toString(),
    ).toBe('next');
  });
});

describe('a large log', () => {
  test.runIf(LONG)('of 5 GB is written and read across 4 GiB', { timeout: 900_000 }, () => {
    const file = freshPath('large', '/dev/shm');
    const log = openWritable({ path: file, capacityBytes: 5e9, maxFrameBytes: 2 ** 30 });
    const SIZE = 2 ** 26 - 1000;
    const iterator = log.createIterator();
    const copying = open({ path: file }).createIterator();
    let count = 0;
    for (let at = 0; at + SIZE < 5e9 - 4096; at += SIZE + 8, count++) {
      const frame = log.writer.allocate(SIZE);
      frame.writeUInt32LE(count, 0);
      frame.writeUInt32LE(count, SIZE - 4);
      log.writer.commit();
      for (const reader of [iterator, copying]) {
        expect(Number(reader.cursor())).toBe(at);
        const read = reader.next() as Buffer;
        expect([read.length, read.readUInt32LE(0), read.readUInt32LE(SIZE - 4)]).toEqual([
          SIZE,
          count,
          count,
        ]);
      }
    }
    expect(Number(log.header.size)).toBeGreaterThan(2 ** 32);
    log.writer.append(Buffer.from('behind'));
    const cursor = iterator.cursor();
    expect(iterator.next()?.toString()).toBe('behind');
    const resumed = open({ path: file }).createIterator({ startCursor: cursor });
    expect(resumed.next()?.toString()).toBe('behind');
    resumed.prev();
    for (let i = count - 1; i >= 0; i--) expect(resumed.prev()?.readUInt32LE(0)).toBe(i);
    const last = log.writer.getBufferAtAddress(log.writer.getLastAllocatedAddress() as bigint);
    expect(last.toString()).toBe('behind');
  });
});

describe('a full disk', () => {
  const mounted = mountSmall();
  if (mounted === undefined) console.info('No small file system could be mounted: a full disk is not tested');

  test.skipIf(mounted === undefined)('is an error with a reason, loses nothing and ends no process', () => {
    const folder = mounted?.() as string;
    const file = path.join(folder, 'events');
    const create = (capacityBytes: number, name = file) =>
      openWritable({ path: name, capacityBytes, maxCapacityBytes: 2 ** 26 });
    const tooLarge = thrownBy(() => create(2 ** 23));
    expect(tooLarge).toMatchObject({ code: 'ERR_STRAND_FILE' });
    expect(tooLarge.message).toMatch(/No space left/);
    expect(readdirSync(folder)).toEqual([]);

    const log = create(65_536);
    let count = 0;
    const error = thrownBy(() => {
      for (; ; count++) log.writer.append(Buffer.alloc(10_000, count));
    });
    expect(error).toMatchObject({ code: 'ERR_STRAND_FILE' });
    expect(error.message).toMatch(/No space left/);
    expect(error.message).toContain(file);
    // A disk of 2 MiB.
    expect(count).toBeGreaterThan(150);
    log.writer.append(Buffer.from('small'));
    const frames = allFrames(log);
    expect(frames.length).toBe(count + 1);
    expect(frames.slice(0, count).every((frame, i) => frame.equals(Buffer.alloc(10_000, i)))).toBe(true);
    log.close();
    expect(allFrames(openWritable({ path: file })).length).toBe(count + 1);
  });
});

/** A folder of a disk of 2 MiB, where this user may make one. */
function mountSmall(): (() => string) | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', '/mnt'], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  return () => {
    const folder = path.join(freshFolder(), 'disk');
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
    onTestFinished(() => {
      // What is still open does not keep the folder.
      execFileSync('umount', ['--lazy', folder]);
    });
    return folder;
  };
}
