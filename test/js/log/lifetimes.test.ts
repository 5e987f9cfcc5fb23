import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import {
  allFrames,
  bytesOf,
  freshFolder,
  freshPath,
  open,
  openWritable,
  parseByHand,
  textsOf,
  thrownBy,
} from '../support/logs.js';
import { LONG } from '../support/long.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { type Inside, startChild, startThread } from '../support/threads.mjs';

const TERMINATIONS = LONG ? 400 : 40;
const WORKERS = 8;

describe('Buffers', () => {
  test('stay readable when everything is closed and collected', async () => {
    const file = freshPath();
    const child = startChild(
      async ({ log, data, say }) => {
        const kept: Buffer[] = [];
        const collected: WeakRef<object>[] = [];
        (() => {
          const shared = log.createSharedLog({ path: data, capacityBytes: 2 ** 20, writable: true });
          const allocated = shared.writer?.allocate(6) as Buffer;
          allocated.write('frame0');
          shared.writer?.commit();
          shared.writer?.append(Buffer.from('frame1'));
          kept.push(allocated, shared.createIterator().next() as Buffer, shared.header.getBuffer());
          const readers = [
            log.createSharedLog({ path: data }),
            log.createSharedLog({ path: data, zeroCopy: true }),
          ];
          for (const reader of readers) {
            const iterator = reader.createIterator();
            kept.push(
              iterator.next() as Buffer,
              iterator.nextBatch()[0] as Buffer,
              iterator.prev() as Buffer,
            );
            iterator.seek(0n);
            kept.push(iterator.readBatch().bytes.subarray(0, 6));
            collected.push(new WeakRef(iterator), new WeakRef(reader));
            reader.close();
          }
          collected.push(new WeakRef(shared), new WeakRef(shared.writer as object));
          shared.close();
        })();
        for (let i = 0; i < 20; i++) {
          (globalThis as { gc?: () => void }).gc?.();
          await new Promise(setImmediate);
        }
        const texts = kept.map((frame) =>
          frame.length === 6 ? frame.toString() : frame.readBigUInt64LE(0) > 0n,
        );
        // What the writable log gave are the file's bytes still.
        kept[0]?.write('F');
        say({ texts, same: kept[1]?.toString(), alive: collected.filter((each) => each.deref()).length });
      },
      file,
      { execArgv: ['--expose-gc'] },
    );
    const reader = ['frame0', 'frame1', 'frame1', 'frame0'];
    expect(await child.said()).toEqual({
      texts: ['frame0', 'frame0', true, ...reader, ...reader],
      same: 'Frame0',
      alive: 0,
    });
    await child.done();
    expect(textsOf(parseByHand(file))).toEqual(['Frame0', 'frame1']);
  });

  test('stay readable whatever is closed first', () => {
    const orders = [0, 1, 2, 3].flatMap((a) =>
      [0, 1, 2, 3].flatMap((b) => [0, 1, 2, 3].map((c) => [a, b, c])),
    );
    for (const order of orders) {
      const log = openWritable();
      log.writer.appendBatch(bytesOf('one', 'two'));
      const iterator = log.createIterator();
      const frames = [iterator.next() as Buffer, iterator.next() as Buffer];
      const other = log.createIterator();
      const closings = [
        () => iterator.close(),
        () => log.writer.close(),
        () => log.close(),
        () => other[Symbol.dispose](),
      ];
      for (const which of order) closings[which]?.();
      expect(textsOf(frames)).toEqual(['one', 'two']);
      log[Symbol.dispose]();
      expect(textsOf(frames)).toEqual(['one', 'two']);
    }
  });

  test('of a worker are copied to other threads, and nothing of it is left to them', async () => {
    const file = freshPath();
    openWritable({ path: file }).writer.append(Buffer.from('read there'));
    for (const isTransferred of [false, true]) {
      for (let i = 0; i < 5; i++) {
        const { port1, port2 } = new MessageChannel();
        const thread = startThread(
          async ({ log, data, say, hear }) => {
            const port = await hear<MessagePort>();
            const shared = log.createSharedLog({ path: data.file, zeroCopy: true });
            const frame = shared.createIterator().next() as Buffer;
            shared.close();
            try {
              port.postMessage(frame, data.isTransferred ? [frame.buffer as ArrayBuffer] : []);
            } catch (error) {
              // Where the transfer is refused.
              port.postMessage(
                (error as Error).name === 'DataCloneError' ? Buffer.from('read there') : undefined,
              );
            }
            port.close();
            say(frame.toString());
          },
          { file, isTransferred },
        );
        const arrived = new Promise<Uint8Array>((resolve) => port1.once('message', resolve));
        thread.worker.postMessage(port2, [port2]);
        expect(await thread.said()).toBe('read there');
        await thread.done();
        const copy = await arrived;
        globalThis.gc?.();
        await new Promise(setImmediate);
        expect(Buffer.from(copy).toString()).toBe('read there');
        port1.close();
      }
    }
  });
});

describe.runIf(process.platform === 'linux')('a closed log', () => {
  /** Opens and closes logs without a pause. Says what of them the process still has: before, then, and after a collection. */
  const openMany = async ({ log, data, say, load }: Inside<{ file: string; options: object }>) => {
    const { readdirSync, readFileSync } = (await load('node:fs')) as unknown as typeof import('node:fs');
    const count = () => ({
      files: readdirSync('/proc/self/fd').length,
      maps: readFileSync('/proc/self/maps', 'utf8').split(data.file).length - 1,
    });
    const openOne = (): void => {
      const shared = log.createSharedLog({ path: data.file, ...data.options });
      const iterator = shared.createIterator();
      if (iterator.next() === null) throw new Error('nothing was read');
      shared.close();
    };
    const before = count();
    for (let i = 0; i < 500; i++) openOne();
    const then = count();
    for (let i = 0; i < 20; i++) {
      (globalThis as { gc?: () => void }).gc?.();
      await new Promise(setImmediate);
    }
    const after = count();
    say([
      then.files - before.files,
      then.maps - before.maps,
      after.files - before.files,
      after.maps - before.maps,
    ]);
  };

  test.each<[string, object]>([
    ['that was read', {}],
    ['that was mapped', { zeroCopy: true }],
    ['that was writable', { writable: true }],
  ])('%s has given its file back at once, and its pages when no Buffer has them', async (_, options) => {
    const file = freshPath();
    const log = openWritable({ path: file });
    log.writer.append(Buffer.from('a'));
    log.close();
    const child = startChild(openMany, { file, options }, { execArgv: ['--expose-gc'] });
    const [files, maps, filesAfter, mapsAfter] = await child.said<[number, number, number, number]>();
    expect([files, filesAfter, mapsAfter]).toEqual([0, 0, 0]);
    if (Object.keys(options).length === 0) expect(maps).toBe(0);
    await child.done();
  });

  test('shows its header as it was, and no more of it', () => {
    const file = freshPath();
    const log = openWritable({ path: file });
    log.writer.append(Buffer.from('a'));
    const reader = open({ path: file });
    const { size } = reader.header;
    reader.close();
    log.writer.append(Buffer.from('b'));
    expect(reader.header.size).toBe(size);
    expect(thrownBy(() => reader.header.getBuffer()).code).toBe('ERR_STRAND_CLOSED');
  });
});

describe('workers that are terminated at any moment', () => {
  test(`leave the log whole (${WORKERS} of them, ${TERMINATIONS} times)`, async () => {
    const random = seeded(seed);
    const file = freshPath();
    const log = openWritable({ path: file, capacityBytes: 4096, maxCapacityBytes: 2 ** 28 });
    const own = freshFolder();
    let written = 0;
    const write = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const frame = log.writer.allocate(4 + (written % 100));
        frame.writeUInt32LE(written++, 0);
        if (random.below(5) === 0) log.writer.commit();
      }
      log.writer.commit();
    };
    write(100);
    let rounds = 0;
    const lane = async (lane: number): Promise<void> => {
      while (rounds++ < TERMINATIONS) {
        const thread = startThread(
          async ({ log, data, say, seeded }) => {
            const random = seeded(data.seed);
            const mine = log.createSharedLog({
              path: data.own,
              capacityBytes: 4096,
              maxCapacityBytes: 2 ** 26,
              writable: true,
              durability: random.pick(['none', 'commit', { everyMs: 1 }] as const),
            });
            say('open');
            for (;;) {
              const shared = log.createSharedLog({ path: data.file, zeroCopy: random.below(2) === 0 });
              const iterator = shared.createIterator();
              let next = 0;
              const check = (frame: Uint8Array) => {
                const found = Buffer.from(frame.buffer, frame.byteOffset, frame.length).readUInt32LE(0);
                if (found !== next) throw new Error(`frame ${next} holds ${found}`);
                next++;
                mine.writer?.append(frame);
              };
              for (let steps = random.between(1, 20); steps > 0; steps--) {
                for (const frame of iterator.nextBatch({ maxMessages: random.between(1, 200) })) check(frame);
                await iterator.wait({ timeoutMs: random.below(5) });
              }
              for await (const frame of shared.tail({ from: iterator.cursor() })) {
                check(frame);
                if (random.below(5) === 0) break;
              }
              if (random.below(2) === 0) shared.close();
            }
          },
          { file, own: path.join(own, String(lane)), seed: random.next() },
        );
        await thread.said();
        const until = performance.now() + random.below(60);
        while (performance.now() < until) {
          write(random.below(20));
          await new Promise(setImmediate);
        }
        await thread.terminate();
        expect((await thread.ended).error, `seed ${seed}`).toBeUndefined();
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, i) => lane(i)));
    const frames = allFrames(log);
    expect(frames.length).toBe(written);
    expect(frames.every((frame, i) => frame.readUInt32LE(0) === i)).toBe(true);
    for (let lane = 0; lane < WORKERS; lane++) {
      // Locks went with their threads, and no frame is torn.
      const next = openWritable({ path: path.join(own, String(lane)) });
      for (const frame of allFrames(next)) expect(frame.length).toBe(4 + (frame.readUInt32LE(0) % 100));
      next.writer.append(Buffer.alloc(4));
    }
  });

  test('give the lock of their writer back, and keep what was committed', async () => {
    const file = freshPath();
    for (let round = 0; round < 10; round++) {
      const thread = startThread(({ log, data, say }) => {
        const { writer } = log.createSharedLog({ path: data, capacityBytes: 65_536, writable: true });
        writer?.append(Buffer.from('kept'));
        writer?.allocate(3).write('not');
        say('written');
        for (;;);
      }, file);
      await thread.said();
      await thread.terminate();
      const log = openWritable({ path: file });
      expect(textsOf(allFrames(log))).toEqual(Array(round + 1).fill('kept'));
      log.close();
    }
  });
});
