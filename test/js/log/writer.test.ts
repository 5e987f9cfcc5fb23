import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Durability } from '../../../dist/log.js';
import {
  allFrames,
  bytesOf,
  expectFrames,
  freshPath,
  open,
  openWritable,
  parseByHand,
  textsOf,
  thrownBy,
  type WritableLog,
} from '../support/logs.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { startChild, startThread, until } from '../support/threads.mjs';

const LARGEST = 65_531;

describe('frames that were allocated', () => {
  test.each([[null], [5], [{ debugChecks: 'true' }]])('take no options like %j', (options) => {
    const { writer } = openWritable();
    expect(thrownBy(() => writer.allocate(1, options as object)).code).toBe('ERR_STRAND_INVALID_ARGUMENT');
  });

  test('are seen by nobody before commit(), and by everybody behind it', async () => {
    const path = freshPath();
    const log = openWritable({ path });
    const readers = [log, open({ path, writable: false }), open({ path, zeroCopy: true })];
    const thread = startThread(async ({ log, data, say, hear }) => {
      const iterator = log.createSharedLog({ path: data }).createIterator();
      const seen = () => say(iterator.nextBatch().map((frame) => frame.toString()));
      while ((await hear()) === 'look') seen();
    }, path);
    const [one, two] = bytesOf('one', 'second');
    log.writer.allocate(3).set(one as Buffer);
    log.writer.allocate(6).set(two as Buffer);
    for (const reader of readers) expect(allFrames(reader)).toEqual([]);
    thread.say('look');
    expect(await thread.said()).toEqual([]);
    log.writer.commit();
    for (const reader of readers) expect(allFrames(reader)).toEqual([one, two]);
    thread.say('look');
    expect(await thread.said()).toEqual(['one', 'second']);
    thread.say('end');
    await thread.done();
  });

  test('are seen by another process when it is told of them', async () => {
    const path = freshPath();
    const child = startChild(async ({ log, data, say, until, load }) => {
      const shared = log.createSharedLog({ path: data, capacityBytes: 65_536, writable: true });
      shared.writer?.allocate(4).write('here');
      say('allocated');
      // The parent answers by a frame's first byte in place, which it can reach only behind the commit.
      const { existsSync } = (await load('node:fs')) as unknown as typeof import('node:fs');
      await until(() => existsSync(`${data}.seen`));
      shared.writer?.commit();
      say('committed');
      shared.close();
    }, path);
    expect(await child.said()).toBe('allocated');
    const reader = open({ path, writable: false });
    const iterator = reader.createIterator();
    expect(iterator.next()).toBeNull();
    expect(parseByHand(path)).toEqual([]);
    writeFileSync(`${path}.seen`, '');
    expect(await child.said()).toBe('committed');
    expect(iterator.next()?.toString()).toBe('here');
    await child.done();
  });

  test('go with the writer when they were not committed', () => {
    const path = freshPath();
    const log = openWritable({ path });
    log.writer.append(Buffer.from('kept'));
    log.writer.allocate(1000).fill(1);
    log.close();
    const next = openWritable({ path });
    expect(textsOf(allFrames(next))).toEqual(['kept']);
    expect(next.writer.allocate(1000)).toEqual(Buffer.alloc(1000));
    next.writer.commit();
    expect(parseByHand(path)).toEqual([Buffer.from('kept'), Buffer.alloc(1000)]);
  });

  test('are the file’s own bytes and may be changed in place', () => {
    const path = freshPath();
    const log = openWritable({ path });
    const frame = log.writer.allocate(5);
    log.writer.commit();
    frame.write('later');
    expect(textsOf(parseByHand(path))).toEqual(['later']);
    const [read] = log.createIterator().nextBatch();
    read?.write('again');
    expect(frame.toString()).toBe('again');
    expect(textsOf(parseByHand(path))).toEqual(['again']);
  });
});

describe('append and appendBatch', () => {
  test('commit what was allocated before', () => {
    const log = openWritable();
    log.writer.allocate(1).write('a');
    log.writer.append(Buffer.from('b'));
    log.writer.allocate(1).write('c');
    log.writer.appendBatch(bytesOf('d', 'e'));
    expect(textsOf(allFrames(log))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('take views of any kind of bytes', () => {
    const log = openWritable();
    const whole = new Uint8Array([0, 1, 2, 3, 4]);
    const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
    log.writer.append(whole.subarray(1, 4));
    log.writer.append(shared);
    log.writer.appendBatch([whole.subarray(3), shared.subarray(1)]);
    expect(allFrames(log).map((frame) => [...frame])).toEqual([
      [1, 2, 3],
      [7, 7, 7],
      [3, 4],
      [7, 7],
    ]);
  });

  test('take frames of this and of other logs', () => {
    const log = openWritable();
    log.writer.append(Buffer.from('copied'));
    for (let i = 0; i < 3; i++) log.writer.append(log.createIterator().next() as Buffer);
    expect(textsOf(allFrames(log))).toEqual(Array(4).fill('copied'));
  });

  test('write an empty list as nothing', () => {
    const log = openWritable();
    log.writer.appendBatch([]);
    expect(log.header.size).toBe(log.header.dataOffset);
    log.writer.allocate(1);
    log.writer.appendBatch([]);
    expect(log.header.size).toBe(log.header.dataOffset);
  });

  test.each([1, 4095, 4096, 4097, 5000, 10_000])('write %i frames of mixed sizes', (count) => {
    const random = seeded(seed);
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 2 ** 23 });
    const frames = Array.from({ length: count }, () =>
      Buffer.alloc(random.pick([0, 0, 1, 7, random.below(100), random.below(1500)]), random.below(256)),
    );
    log.writer.appendBatch(frames);
    expectFrames(parseByHand(path), frames);
    expectFrames(allFrames(log), frames);
  });

  test.each([[undefined], [null], ['text'], [[1, 2]], [new Uint16Array(2)], [new ArrayBuffer(2)]])(
    'refuse %o in place of bytes, and write nothing',
    (bytes) => {
      const log = openWritable();
      const refused = { name: 'TypeError', code: 'ERR_STRAND_INVALID_ARGUMENT' };
      expect(thrownBy(() => log.writer.append(bytes as never))).toMatchObject(refused);
      expect(thrownBy(() => log.writer.appendBatch(bytes as never))).toMatchObject(refused);
      expect(thrownBy(() => log.writer.appendBatch([Buffer.alloc(1), bytes as never]))).toMatchObject(
        refused,
      );
      expect(log.header.size).toBe(log.header.dataOffset);
      log.writer.append(Buffer.from('fine'));
      expect(textsOf(allFrames(log))).toEqual(['fine']);
    },
  );
});

describe('a frame', () => {
  test.each([0, 1, 2, 255, 256, LARGEST - 1, LARGEST])('of %i bytes goes through', (size) => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 2 ** 20 });
    const bytes = Buffer.alloc(size, 5);
    const allocated = log.writer.allocate(size);
    expect(allocated.length).toBe(size);
    allocated.set(bytes);
    log.writer.append(bytes);
    log.writer.appendBatch([bytes, bytes]);
    expectFrames(parseByHand(path), [bytes, bytes, bytes, bytes]);
    expectFrames(allFrames(open({ path, writable: false })), [bytes, bytes, bytes, bytes]);
  });

  test.each([LARGEST + 1, 70_000, 2 ** 32, 2 ** 53])('of %i bytes is refused with the limit', (size) => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 2 ** 20 });
    const refused = { name: 'StrandCapacityError', code: 'ERR_STRAND_CAPACITY' };
    const calls = [() => log.writer.allocate(size)];
    if (size < 2 ** 20) {
      calls.push(() => log.writer.append(Buffer.alloc(size)) as never);
      calls.push(() => log.writer.appendBatch([Buffer.alloc(1), Buffer.alloc(size)]) as never);
    }
    for (const call of calls) {
      const error = thrownBy(call);
      expect(error).toMatchObject(refused);
      for (const part of [String(size), path, '65531', 'maxFrameBytes'])
        expect(error.message).toContain(part);
    }
    log.writer.commit();
    expect(allFrames(log)).toEqual([]);
    log.writer.append(Buffer.from('fine'));
    expect(textsOf(parseByHand(path))).toEqual(['fine']);
  });

  test.each([[-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], ['5'], [undefined], [null], [5n], [{}]])(
    'of the size %s is an error with a code',
    (size) => {
      const log = openWritable();
      const error = thrownBy(() => log.writer.allocate(size as number));
      expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' });
      expect(error.message).toMatch(/size/);
      log.writer.commit();
      expect(allFrames(log)).toEqual([]);
    },
  );
});

describe('a full log', () => {
  test('says so, loses nothing and takes what still fits', () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 4096 });
    const room = 4096 - Number(log.header.dataOffset);
    log.writer.append(Buffer.alloc(room - 4 - 54, 1));
    log.writer.allocate(10).fill(2);
    const exhausted = { name: 'StrandCapacityError', code: 'ERR_STRAND_CAPACITY' };
    for (const call of [
      () => log.writer.allocate(37),
      () => log.writer.append(Buffer.alloc(37)),
      () => log.writer.appendBatch([Buffer.alloc(20), Buffer.alloc(13)]),
      () => log.writer.allocate(60_000),
    ]) {
      const error = thrownBy(call);
      expect(error).toMatchObject(exhausted);
      expect(error.message).toContain('Shared memory exhausted');
      expect(error.message).toContain(path);
    }
    log.writer.commit();
    log.writer.append(Buffer.alloc(36, 3));
    for (let i = 0; i < 3; i++) expect(thrownBy(() => log.writer.allocate(0))).toMatchObject(exhausted);
    expect(log.header.size).toBe(4096n);
    const expected = [Buffer.alloc(room - 58, 1), Buffer.alloc(10, 2), Buffer.alloc(36, 3)];
    expectFrames(parseByHand(path), expected);
    expectFrames(allFrames(log), expected);
    log.close();
    expectFrames(allFrames(openWritable({ path })), expected);
    expect(statSync(path).size).toBe(4096);
  });

  test('is read to its end by every call', () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 8192 });
    log.writer.append(Buffer.alloc(8192 - Number(log.header.size) - 4));
    for (const shared of [log, open({ path, writable: false }), open({ path, zeroCopy: true })]) {
      const iterator = shared.createIterator();
      iterator.seek(iterator.committedSize());
      expect(iterator.readBatch()).toMatchObject({ count: 0, bytes: Buffer.alloc(0) });
      expect(iterator.next()).toBeNull();
      expect(iterator.nextBatch()).toEqual([]);
      expect(iterator.prev()?.length).toBe(8192 - Number(log.header.dataOffset) - 4);
      expect(iterator.readBatch().count).toBe(1);
    }
  });
});

describe('a log with maxCapacityBytes', () => {
  test('grows under open readers, up to there', () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 4096, maxCapacityBytes: 5_000_000 });
    const readers = [open({ path, writable: false }), open({ path, zeroCopy: true }), log];
    const iterators = readers.map((reader) => reader.createIterator());
    const frames: Buffer[] = [];
    let error: Error | undefined;
    while (error === undefined) {
      const frame = Buffer.alloc(50_000, frames.length);
      try {
        if (frames.length % 2 === 0) log.writer.append(frame);
        else {
          log.writer.allocate(frame.length).set(frame);
          log.writer.commit();
        }
        frames.push(frame);
        for (const iterator of iterators) expectFrames([iterator.next() as Buffer], [frame]);
      } catch (thrown) {
        error = thrown as Error;
      }
    }
    expect(error).toMatchObject({ code: 'ERR_STRAND_CAPACITY' });
    expect(error.message).toMatch(/Shared memory exhausted.*5000000/);
    expect(frames.length).toBe(Math.floor((5_000_000 - Number(log.header.dataOffset)) / 50_004));
    expect(statSync(path).size).toBe(5_000_000);
    for (const reader of readers) expectFrames(allFrames(reader), frames);
    log.close();
    expectFrames(allFrames(openWritable({ path })), frames);
  });

  test('takes more than its file has in one batch', () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 4096, maxCapacityBytes: 2 ** 24 });
    const frames = Array.from({ length: 6000 }, (_, i) => Buffer.alloc(i % 2000, i));
    log.writer.appendBatch(frames);
    expectFrames(parseByHand(path), frames);
  });

  test('may be opened while it grows', async () => {
    const path = freshPath();
    const thread = startThread(({ log, data, say }) => {
      const shared = log.createSharedLog({
        path: data,
        capacityBytes: 4096,
        maxCapacityBytes: 2 ** 28,
        writable: true,
      });
      say('made');
      for (let i = 0; i < 1000; i++) shared.writer?.append(Buffer.alloc(60_000, i));
      shared.close();
      say('done');
    }, path);
    await thread.said();
    let ended = false;
    void thread.ended.then(() => {
      ended = true;
    });
    for (let last = 0n; !ended; await new Promise(setImmediate)) {
      const reader = open({ path, writable: false });
      const { size } = reader.header;
      expect(size >= last).toBe(true);
      last = size;
      const iterator = reader.createIterator({ startCursor: endOf(reader) });
      expect(iterator.prev()?.length ?? 60_000).toBe(60_000);
      reader.close();
    }
    await thread.done();
  });

  test('lets its frames be cloned, and keeps them when they are to be transferred', () => {
    const log = openWritable({ capacityBytes: 4096, maxCapacityBytes: 2 ** 28 });
    log.writer.append(Buffer.from('cloned'));
    const frame = log.createIterator().next() as Buffer;
    expect(Buffer.from(structuredClone(frame)).toString()).toBe('cloned');
    try {
      structuredClone(frame, { transfer: [frame.buffer as ArrayBuffer] });
    } catch (error) {
      // Since Node.js 22. Before, the bytes are copied.
      expect(error).toMatchObject({ name: 'DataCloneError' });
    }
    log.writer.append(Buffer.alloc(60_000));
    expect(allFrames(log).map(({ length }) => length)).toEqual([6, 60_000]);
    expect(frame.toString()).toBe('cloned');
  });
});

describe('addresses', () => {
  test('of frames lead to their payloads, committed or not', () => {
    const log = openWritable();
    expect(log.writer.getLastAllocatedAddress()).toBeUndefined();
    const addresses: bigint[] = [];
    const remember = () => addresses.push(log.writer.getLastAllocatedAddress() as bigint);
    log.writer.allocate(3).write('one');
    remember();
    log.writer.append(Buffer.from('second'));
    remember();
    log.writer.appendBatch(bytesOf('third', 'x'));
    remember();
    log.writer.allocate(0);
    remember();
    const begin = log.header.dataOffset;
    expect(addresses).toEqual([begin, begin + 7n, begin + 26n, begin + 31n]);
    for (const address of [begin, Number(begin)]) {
      expect(log.writer.getBufferAtAddress(address).toString()).toBe('one');
    }
    expect(addresses.map((address) => log.writer.getBufferAtAddress(address).toString())).toEqual([
      'one',
      'second',
      'x',
      '',
    ]);
    log.writer.getBufferAtAddress(begin).write('two');
    expect(log.createIterator().next()?.toString()).toBe('two');
  });

  test('of nothing are errors with a code', () => {
    const log = openWritable();
    log.writer.append(Buffer.alloc(20));
    log.writer.append(Buffer.alloc(20));
    const begin = Number(log.header.dataOffset);
    const bad = [
      0,
      16,
      begin - 1,
      begin + 0.5,
      begin + 48,
      65_535,
      65_536,
      -1,
      1e300,
      Number.NaN,
      2n ** 64n,
      -5n,
    ];
    for (let at = begin + 1; at < begin + 24; at++) bad.push(at);
    for (const address of bad) {
      expect(thrownBy(() => log.writer.getBufferAtAddress(address)).code, String(address)).toBe(
        'ERR_SHM_CURSOR',
      );
    }
    for (const address of ['24', undefined, null, {}]) {
      expect(thrownBy(() => log.writer.getBufferAtAddress(address as never)).code).toBe(
        'ERR_STRAND_INVALID_ARGUMENT',
      );
    }
  });
});

describe('a writer that was closed', () => {
  test.each(['writer', 'log'] as const)('refuses every call (by its %s)', (which) => {
    const path = freshPath();
    const log = openWritable({ path });
    log.writer.append(Buffer.from('kept'));
    const { dataOffset } = log.header;
    if (which === 'writer') log.writer.close();
    else log.close();
    log.writer.close();
    log.writer[Symbol.dispose]();
    for (const call of [
      () => log.writer.allocate(1),
      () => log.writer.allocate(0, { debugChecks: true }),
      () => log.writer.commit(),
      () => log.writer.append(Buffer.alloc(1)),
      () => log.writer.append(Buffer.alloc(0)),
      () => log.writer.appendBatch([]),
      () => log.writer.appendBatch([Buffer.alloc(1)]),
      () => log.writer.flush(),
      () => log.writer.getBufferAtAddress(dataOffset),
    ]) {
      expect(thrownBy(call)).toMatchObject({ name: 'StrandClosedError', code: 'ERR_STRAND_CLOSED' });
    }
    expect(textsOf(parseByHand(path))).toEqual(['kept']);
    if (which === 'writer') expect(textsOf(allFrames(log))).toEqual(['kept']);
  });

  test('is none of a log that is only read', () => {
    const path = freshPath();
    openWritable({ path });
    expect(open({ path, writable: false }).writer).toBeUndefined();
    expect(open({ path }).writer).toBeUndefined();
  });
});

describe('durability', () => {
  const DURABLE = 0x88;
  const durable = (path: string) => Number(readFileSync(path).readBigUInt64LE(DURABLE));

  test.each<Durability>(['none', 'commit', { everyMs: 1 }])('%o writes and reads the same', (durability) => {
    const path = freshPath();
    const log = openWritable({ path, durability, maxCapacityBytes: 2 ** 20 });
    const frames = Array.from({ length: 40 }, (_, i) => Buffer.alloc(i * 100, i));
    for (const frame of frames.slice(0, 20)) log.writer.append(frame);
    log.writer.appendBatch(frames.slice(20));
    expectFrames(allFrames(log), frames);
    log.close();
    expectFrames(parseByHand(path), frames);
    expect(durable(path) === Number(log.header.size)).toBe(durability !== 'none');
  });

  test('is reached by commit, in the background, or by flush()', async () => {
    const commit = freshPath();
    const log = openWritable({ path: commit, durability: 'commit' });
    log.writer.append(Buffer.from('at once'));
    expect(durable(commit)).toBe(Number(log.header.size));

    const every = freshPath();
    const background = openWritable({ path: every, durability: { everyMs: 5 } });
    background.writer.append(Buffer.from('soon'));
    await until(() => durable(every) === Number(background.header.size));

    const none = freshPath();
    const flushed = openWritable({ path: none });
    flushed.writer.append(Buffer.from('when told'));
    expect(durable(none)).toBeLessThan(Number(flushed.header.size));
    flushed.writer.flush();
    expect(durable(none)).toBe(Number(flushed.header.size));
  });

  test('keeps no process alive', async () => {
    const child = startChild(({ log, data }) => {
      const shared = log.createSharedLog({
        path: data,
        capacityBytes: 65_536,
        writable: true,
        durability: { everyMs: 1 },
      });
      shared.writer?.append(Buffer.from('left open'));
    }, freshPath());
    expect(await child.done()).toEqual([]);
  });
});

describe('debugChecks', () => {
  test('of allocate find that the frame before was damaged', () => {
    const log = openWritable();
    log.writer.allocate(4);
    const frame = log.writer.allocate(4, { debugChecks: true });
    Buffer.from(frame.buffer, frame.byteOffset, 6).writeUInt16LE(9, 4);
    const error = thrownBy(() => log.writer.allocate(4, { debugChecks: true }));
    expect(error).toMatchObject({ code: 'ERR_SHM_FRAME_CORRUPT' });
    expect(error.message).toContain('ERR_SHM_FRAME_CORRUPT');
    expect(log.writer.allocate(4, { debugChecks: false }).length).toBe(4);
  });
});

/** The cursor behind the last frame. */
function endOf(reader: ReturnType<typeof open>): bigint {
  using iterator = reader.createIterator();
  return iterator.committedSize();
}

test('frames laid out without a native call are those that the core lays out, byte for byte', () => {
  const random = seeded(seed);
  const kinds = { plain: { capacityBytes: 500 }, narrow: {}, wide: { maxFrameBytes: 100_000 } };
  for (const options of Object.values(kinds)) {
    // Whoever compares neighbours has the core lay frames out.
    const [own, core] = [false, true].map((debugChecks) =>
      openWritable({ path: freshPath(), ...options, debugChecks }),
    ) as [WritableLog, WritableLog];
    for (let step = 0; step < 200; step++) {
      const sizes = Array.from({ length: random.below(4) }, () => random.below(random.pick([2, 90, 3000])));
      const call = random.pick(['allocate', 'append', 'appendBatch', 'commit']);
      const outcomes = [own, core].map(({ writer, header }) => {
        try {
          if (call === 'allocate') for (const size of sizes) writer.allocate(size).fill(size);
          if (call === 'append') for (const size of sizes) writer.append(Buffer.alloc(size, size));
          if (call === 'appendBatch') writer.appendBatch(sizes.map((size) => Buffer.alloc(size, size)));
          if (call === 'commit') writer.commit();
        } catch (error) {
          return (error as Error).name;
        }
        const last = writer.getLastAllocatedAddress();
        return [header.size, last, last === undefined ? 0 : writer.getBufferAtAddress(last).length];
      });
      expect(outcomes[0]).toStrictEqual(outcomes[1]);
    }
    expectFrames(allFrames(own), allFrames(core));
    // Up to the identity, of which each has its own.
    const [bytes, expected] = [own, core].map((log) => log.header.getBuffer().subarray(0, 64));
    expect(bytes).toEqual(expected);
  }
});
