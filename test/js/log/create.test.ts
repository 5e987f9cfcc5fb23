import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createSharedLog, type SharedLogOptions } from '../../../dist/log.js';
import {
  allFrames,
  bytesOf,
  expectFrames,
  freshFolder,
  freshPath,
  open,
  openWritable,
  PLAIN_HEADER,
  parseByHand,
  textsOf,
  thrownBy,
  writeByHand,
} from '../support/logs.js';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { type Inside, startChild, startThread } from '../support/threads.mjs';

/** Payloads of every size up to a few hundred bytes, in random order. */
function randomFrames(count: number, largest = 300): Buffer[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const frame = Buffer.alloc(random.pick([0, 1, 2, random.below(largest)]));
    for (let i = 0; i < frame.length; i++) frame[i] = random.below(256);
    return frame;
  });
}

describe('a new file', () => {
  test.each([28, 100, 516, 4095, 4096, 4097, 65_536, 1_000_003, 123_457n])(
    'of %s bytes has exactly as many',
    (capacityBytes) => {
      const path = freshPath();
      const log = openWritable({ path, capacityBytes });
      expect(statSync(path).size).toBe(Number(capacityBytes));
      log.writer.append(Buffer.alloc(0));
      log.close();
      expect(statSync(path).size).toBe(Number(capacityBytes));
      expect(parseByHand(path)).toEqual([Buffer.alloc(0)]);
    },
  );

  test('may lie in /dev/shm, behind a symbolic link and under a file URL', () => {
    const file = freshPath('events', '/dev/shm');
    const link = freshPath('link');
    symlinkSync(file, link);
    const log = openWritable({ path: link });
    log.writer.append(Buffer.from('by the link'));
    const reader = open({ path: pathToFileURL(file), writable: false });
    expect(textsOf(allFrames(reader))).toEqual(['by the link']);
    expect(statSync(file).size).toBe(65_536);
    const second = thrownBy(() => createSharedLog({ path: file, writable: true }));
    expect(second.code).toBe('ERR_STRAND_LOG_LOCKED');
  });

  test('of a writable log is made of an empty one', () => {
    const path = freshPath();
    writeFileSync(path, '');
    openWritable({ path, capacityBytes: 2000 }).writer.append(Buffer.from('first'));
    expect(statSync(path).size).toBe(2000);
    expect(textsOf(parseByHand(path))).toEqual(['first']);
  });

  test('that cannot be made leaves nothing behind', () => {
    const folder = freshFolder();
    const attempts: [Partial<SharedLogOptions>, RegExp][] = [
      [{}, /capacityBytes/],
      [{ capacityBytes: 27 }, /capacityBytes.*27.*28/],
      [{ capacityBytes: 100, maxCapacityBytes: 200 }, /capacityBytes/],
      [{ capacityBytes: 200, maxCapacityBytes: 100 }, /maxCapacityBytes.*100.*200/],
      [{ capacityBytes: 100, checksum: 'crc32c' }, /capacityBytes/],
      [{ capacityBytes: 100, maxFrameBytes: 65_532 }, /capacityBytes/],
      [{ capacityBytes: 4096, maxFrameBytes: 2 ** 30 + 1 }, /maxFrameBytes/],
    ];
    for (const [options, message] of attempts) {
      const file = path.join(folder, 'events');
      const error = thrownBy(() => createSharedLog({ path: file, writable: true, ...options }));
      expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' });
      expect(error.message).toMatch(message);
      expect(() => statSync(file)).toThrow('ENOENT');
    }
    const file = path.join(folder, 'huge');
    const error = thrownBy(() =>
      createSharedLog({ path: file, writable: true, capacityBytes: 4096, maxCapacityBytes: 2 ** 52 }),
    );
    expect(error).toMatchObject({ code: 'ERR_STRAND_FILE', message: expect.stringContaining(file) });
    expect(() => statSync(file)).toThrow('ENOENT');
  });
});

describe('the header', () => {
  test('has live words, and is the file’s own in a writable log', () => {
    const path = freshPath();
    const log = openWritable({ path });
    const reader = open({ path, writable: false });
    for (const { header } of [log, reader]) {
      expect(header.headerSize).toBeTypeOf('bigint');
      expect(header.dataOffset).toBe(header.headerSize);
      expect(header.size).toBe(header.dataOffset);
    }
    log.writer.append(Buffer.alloc(10));
    for (const { header } of [log, reader]) {
      expect(header.size).toBe(header.dataOffset + 14n);
      const bytes = header.getBuffer();
      expect(bytes.length).toBe(Number(header.headerSize));
      expect([0, 8, 16].map((at) => bytes.readBigUInt64LE(at))).toEqual([
        header.headerSize,
        header.dataOffset,
        header.size,
      ]);
    }
    const [own, copy] = [log.header.getBuffer(), reader.header.getBuffer()];
    copy.fill(0xff);
    log.writer.append(Buffer.alloc(6));
    expect(own.readBigUInt64LE(16)).toBe(log.header.dataOffset + 24n);
    expect(reader.header.size).toBe(own.readBigUInt64LE(16));
  });

  test('says 24 bytes where the file has no room for more', () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 515 });
    expect(log.header).toMatchObject({ headerSize: 24n, dataOffset: 24n, size: 24n });
    expect(openWritable({ capacityBytes: 516 }).header.headerSize).toBeGreaterThan(24n);
  });

  test('keeps its last words when the log is closed', () => {
    const log = openWritable();
    log.writer.append(Buffer.alloc(10));
    const { headerSize, size } = log.header;
    log.close();
    expect(log.header).toMatchObject({ headerSize, dataOffset: headerSize, size });
  });
});

describe('the identity', () => {
  /** As the file has it. */
  const written = (path: string) => readFileSync(path).readBigUInt64LE(64).toString(16).padStart(16, '0');

  test('is the same for the writer, a reader and another process, for as long as there is the file', async () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 1000, maxCapacityBytes: 65_536 });
    const { identity } = log;
    expect(identity).toMatch(/^[0-9a-f]{16}$/);
    expect(identity).not.toBe('0'.repeat(16));
    expect(identity).toBe(written(path));
    const reader = open({ path });
    expect(reader.identity).toBe(identity);
    log.writer.append(Buffer.alloc(5000));
    expect(statSync(path).size).toBeGreaterThan(5000);
    log.close();
    expect(log.identity).toBe(identity);
    const child = startChild(({ log, data, say }) => {
      for (const writable of [false, true]) say(log.createSharedLog({ path: data, writable }).identity);
    }, path);
    expect(await child.done()).toEqual([identity, identity]);
    expect(openWritable({ path }).identity).toBe(identity);
    expect(open({ path }).identity).toBe(identity);
  });

  test('is another one when the log is deleted and made again, and that of the old file for who has it open', () => {
    const path = freshPath();
    const options = { path, capacityBytes: 4096, maxFrameBytes: 100_000 };
    const first = openWritable(options);
    const { identity } = first;
    const reader = open({ path });
    rmSync(path);
    const second = openWritable(options);
    expect(second.identity).toMatch(/^[0-9a-f]{16}$/);
    expect(second.identity).not.toBe(identity);
    expect([first.identity, reader.identity]).toEqual([identity, identity]);
    expect(open({ path }).identity).toBe(second.identity);
  });

  test('has all its digits, whichever they are', () => {
    const path = freshPath();
    openWritable({ path }).close();
    for (const identity of [0x1fn, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      const bytes = readFileSync(path);
      bytes.writeBigUInt64LE(identity, 64);
      writeFileSync(path, bytes);
      expect(open({ path }).identity).toBe(identity.toString(16).padStart(16, '0'));
    }
  });

  test('is missing in a plain log, and in one that was made before there was one', () => {
    const plain = freshPath();
    writeByHand(plain, 4096, bytesOf('one'));
    const older = freshPath();
    openWritable({ path: older }).close();
    const bytes = readFileSync(older);
    bytes.fill(0, 64, 72);
    writeFileSync(older, bytes);
    for (const path of [plain, older]) {
      for (const writable of [false, true, false]) {
        const log = createSharedLog({ path, writable });
        expect(log.identity).toBeUndefined();
        log.close();
      }
    }
    expect(openWritable({ capacityBytes: 515 }).identity).toBeUndefined();
  });
});

describe('options', () => {
  test.each<[string, unknown, string]>([
    ['path', undefined, 'TypeError'],
    ['path', '', 'TypeError'],
    ['path', 5, 'TypeError'],
    ['capacityBytes', '4096', 'TypeError'],
    ['capacityBytes', null, 'TypeError'],
    ['capacityBytes', 0, 'RangeError'],
    ['capacityBytes', -1n, 'RangeError'],
    ['capacityBytes', 1.5, 'RangeError'],
    ['capacityBytes', Number.NaN, 'RangeError'],
    ['capacityBytes', 2 ** 53, 'RangeError'],
    ['capacityBytes', 2n ** 64n, 'RangeError'],
    ['maxCapacityBytes', 'much', 'TypeError'],
    ['maxCapacityBytes', Number.POSITIVE_INFINITY, 'RangeError'],
    ['maxFrameBytes', {}, 'TypeError'],
    ['maxFrameBytes', -5, 'RangeError'],
    ['writable', 'false', 'TypeError'],
    ['writable', 1, 'TypeError'],
    ['debugChecks', 'true', 'TypeError'],
    ['zeroCopy', null, 'TypeError'],
    ['checksum', 'crc32', 'TypeError'],
    ['checksum', true, 'TypeError'],
    ['durability', 'sometimes', 'TypeError'],
    ['durability', null, 'TypeError'],
    ['durability', {}, 'TypeError'],
    ['durability', { everyMs: 0 }, 'TypeError'],
    ['durability', { everyMs: Number.NaN }, 'TypeError'],
    ['durability', { everyMs: '5' }, 'TypeError'],
    ['capacity', 4096, 'TypeError'],
  ])('refuse %s: %o and say its name', (name, value, kind) => {
    const file = freshPath();
    const options = { path: file, capacityBytes: 4096, writable: true, [name]: value };
    const error = thrownBy(() => createSharedLog(options as SharedLogOptions));
    expect(error.name).toBe(kind);
    expect(error.code).toBe(kind === 'TypeError' ? 'ERR_STRAND_INVALID_ARGUMENT' : 'ERR_STRAND_OUT_OF_RANGE');
    expect(error.message).toContain(name);
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  test.each([undefined, null, 'a path', 5])('are an object, not %s', (options) => {
    expect(thrownBy(() => createSharedLog(options as never)).code).toBe('ERR_STRAND_INVALID_ARGUMENT');
  });
});

describe('a file that is no log', () => {
  const contents = {
    text: 'Nothing but text, and enough of it for a header to be looked for in it.',
    'fewer bytes than a header': 'short',
    zeros: Buffer.alloc(4096),
    'bytes of ones': Buffer.alloc(4096, 0xff),
    'a header whose data begins inside of it': header(24n, 8n, 24n),
    'a header whose size lies behind the file': header(24n, 24n, 5000n),
    'a header whose size lies before its data': header(24n, 24n, 23n),
    'a header that is larger than any': header(2n ** 40n, 2n ** 40n, 2n ** 40n),
  };

  test.each(Object.entries(contents))('stays as it is: %s', (_, content) => {
    const path = freshPath();
    writeFileSync(path, content);
    const { mtimeMs } = statSync(path);
    for (const writable of [true, false]) {
      const error = thrownBy(() => createSharedLog({ path, capacityBytes: 65_536, writable }));
      expect(error).toMatchObject({ name: 'StrandError', code: 'ERR_STRAND_LOG_FORMAT' });
      expect(error.message).toContain(path);
    }
    expect(readFileSync(path)).toEqual(Buffer.from(content));
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    // The refusal has kept nothing locked.
    writeFileSync(path, '');
    openWritable({ path });
  });

  test('is a log of frames that do not fit, opened for writing', () => {
    const path = freshPath();
    writeByHand(path, 4096, bytesOf('one', 'two'));
    const bytes = readFileSync(path);
    bytes.writeUInt16LE(3, PLAIN_HEADER + 7);
    writeFileSync(path, bytes);
    expect(thrownBy(() => createSharedLog({ path, writable: true })).code).toBe('ERR_STRAND_LOG_FORMAT');
    expect(readFileSync(path)).toEqual(bytes);
    expect(open({ path, writable: false }).createIterator().next()).toEqual(Buffer.from('one'));
  });

  test('is one whose extension was changed', () => {
    const path = freshPath();
    openWritable({ path }).close();
    const bytes = readFileSync(path);
    for (const at of [28, 32, 36, 40, 48, 56]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 0x40;
      writeFileSync(path, changed);
      for (const writable of [true, false]) {
        expect(thrownBy(() => createSharedLog({ path, writable })).code).toBe('ERR_STRAND_LOG_FORMAT');
      }
      expect(readFileSync(path)).toEqual(changed);
    }
  });

  test('is a directory, a device or nothing', () => {
    const folder = freshFolder();
    mkdirSync(path.join(folder, 'inner'));
    symlinkSync(path.join(folder, 'nowhere', 'at all'), path.join(folder, 'dangling'));
    const open = (name: string, writable: boolean) =>
      thrownBy(() => createSharedLog({ path: path.resolve(folder, name), capacityBytes: 4096, writable }))
        .code;
    for (const writable of [true, false]) {
      expect(open('inner', writable)).toMatch(/^ERR_STRAND_(LOG_FORMAT|FILE)$/);
      expect(open('dangling', writable)).toBe('ERR_STRAND_FILE');
      expect(open('missing/events', writable)).toBe('ERR_STRAND_FILE');
      expect(open('/dev/null', writable)).toBe('ERR_STRAND_LOG_FORMAT');
    }
    expect(open('missing', false)).toBe('ERR_STRAND_FILE');
    expect(open('zero\0byte', true)).toBe('ERR_STRAND_FILE');
  });

  test('is one that may not be opened', async () => {
    const file = freshPath();
    openWritable({ path: file }).writer.append(Buffer.from('seen'));
    chmodSync(path.dirname(file), 0o755);
    for (const [mode, expected] of [
      [0o444, ['seen', 'ERR_STRAND_FILE']],
      [0, ['ERR_STRAND_FILE', 'ERR_STRAND_FILE']],
    ] as const) {
      chmodSync(file, mode);
      const child = startChild(({ log, data, say }) => {
        // The superuser may open everything.
        if (process.getuid?.() === 0) process.setuid?.(65_534);
        const attempt = (writable: boolean) => {
          try {
            return log.createSharedLog({ path: data, writable }).createIterator().next()?.toString();
          } catch (error) {
            return (error as { code?: string }).code;
          }
        };
        say([attempt(false), attempt(true)]);
      }, file);
      expect(await child.said()).toEqual(expected);
      await child.done();
    }
  });

  test('is one that was cut off', () => {
    const path = freshPath();
    const log = openWritable({ path });
    log.writer.append(Buffer.alloc(5000));
    log.close();
    truncateSync(path, 5000);
    for (const writable of [true, false]) {
      const error = thrownBy(() => createSharedLog({ path, writable }));
      expect(error).toMatchObject({
        code: 'ERR_STRAND_LOG_FORMAT',
        message: expect.stringMatching(/truncated/),
      });
    }
    expect(statSync(path).size).toBe(5000);
  });
});

describe('a second writer', () => {
  test('is refused in this thread, in a worker and in another process, until the first is closed', async () => {
    const path = freshPath();
    const log = openWritable({ path });
    log.writer.append(Buffer.from('one'));
    const refused = { code: 'ERR_STRAND_LOG_LOCKED', message: expect.stringContaining(path) };
    const attempt = ({ log, data, say }: Inside<string>) => {
      try {
        const second = log.createSharedLog({ path: data, writable: true });
        second.writer?.append(Buffer.from('more'));
        second.close();
        say('written');
      } catch (error) {
        const { code, message } = error as Error & { code: string };
        say({ code, message });
      }
    };
    const inThread = () => startThread(attempt, path).said();
    const inChild = () => startChild(attempt, path).said();
    expect(thrownBy(() => createSharedLog({ path, writable: true }))).toMatchObject(refused);
    expect(await inThread()).toEqual(refused);
    expect(await inChild()).toEqual(refused);

    // Refusals have taken nothing away from the first one.
    log.writer.append(Buffer.from('two'));
    log.writer.close();
    expect(await inThread()).toBe('written');
    expect(await inChild()).toBe('written');
    const next = openWritable({ path });
    expect(textsOf(allFrames(next))).toEqual(['one', 'two', 'more', 'more']);
    next.close();
    openWritable({ path });
  });

  test('is allowed once the process of the first has ended, however it ended', async () => {
    for (const end of ['process.exit(0)', 'throw new Error()', 'process.kill(process.pid, "SIGKILL")']) {
      const path = freshPath();
      const child = startChild(
        ({ log, data }) => {
          const first = log.createSharedLog({ path: data.path, capacityBytes: 4096, writable: true });
          first.writer?.append(Buffer.from('kept'));
          first.writer?.allocate(10).fill(7);
          new Function(data.end)();
        },
        { path, end },
      );
      await child.ended;
      const log = openWritable({ path });
      log.writer.append(Buffer.from('next'));
      expect(textsOf(allFrames(log))).toEqual(['kept', 'next']);
    }
  });
});

describe('the format of frames', () => {
  test('is told by the file, and another one is refused', () => {
    const narrow = freshPath();
    openWritable({ path: narrow }).close();
    const wide = freshPath();
    openWritable({ path: wide, maxFrameBytes: 65_532 }).close();
    const checked = freshPath();
    openWritable({ path: checked, checksum: 'crc32c' }).close();
    for (const writable of [true, false]) {
      const refusal = (path: string, options: Partial<SharedLogOptions>) =>
        thrownBy(() => createSharedLog({ path, writable, ...options }));
      expect(refusal(narrow, { maxFrameBytes: 65_532 })).toMatchObject({
        code: 'ERR_STRAND_LOG_FORMAT',
        message: expect.stringMatching(/65531 bytes.*maxFrameBytes asks for 65532/),
      });
      for (const path of [narrow, wide]) {
        expect(refusal(path, { checksum: 'crc32c' })).toMatchObject({
          code: 'ERR_STRAND_LOG_FORMAT',
          message: expect.stringMatching(/checksum/),
        });
      }
      createSharedLog({ path: narrow, writable, maxFrameBytes: 65_531 }).close();
      createSharedLog({ path: wide, writable, maxFrameBytes: 100 }).close();
      createSharedLog({ path: checked, writable, maxFrameBytes: 2 ** 20 }).close();
      createSharedLog({ path: checked, writable, checksum: 'crc32c' }).close();
    }
  });

  test.each([
    ['32-bit lengths', { maxFrameBytes: 200_000 }],
    ['checksums', { checksum: 'crc32c' }],
  ] as const)('with %s holds frames larger than 64 KiB', (_, options) => {
    const path = freshPath();
    const frames = [
      ...randomFrames(50),
      Buffer.alloc(65_532, 1),
      Buffer.alloc(200_000, 2),
      ...randomFrames(50),
    ];
    const log = openWritable({ path, capacityBytes: 2 ** 20, ...options });
    log.writer.appendBatch(frames);
    const allocated = log.writer.allocate(100_000);
    allocated.fill(3);
    log.writer.commit();
    const expected = [...frames, Buffer.alloc(100_000, 3)];
    expectFrames(allFrames(log), expected);
    expectFrames(allFrames(open({ path, writable: false })), expected);
    log.close();
    expectFrames(allFrames(openWritable({ path })), expected);
  });

  test('with checksums finds a changed bit', () => {
    const path = freshPath();
    const log = openWritable({ path, checksum: 'crc32c' });
    log.writer.appendBatch(bytesOf('one', 'two', 'three'));
    const iterator = open({ path, writable: false }).createIterator();
    iterator.next();
    const second = iterator.cursor();
    const bytes = log.writer.getBufferAtAddress(log.header.dataOffset + second);
    expect(bytes.toString()).toBe('two');
    bytes[1] = 0x78;
    const fresh = open({ path, writable: false }).createIterator();
    expect(textsOf(fresh.nextBatch())).toEqual(['one']);
    expect(thrownBy(() => fresh.nextBatch()).code).toBe('ERR_SHM_FRAME_CORRUPT');
  });
});

describe('a program that knows only the README of shmio', () => {
  test('makes files that are read here and written here, and reads them again', () => {
    const path = freshPath();
    const frames = randomFrames(200);
    writeByHand(path, 100_000, frames);
    expect(statSync(path).size).toBe(100_000);
    const reader = open({ path, capacityBytes: 5000, writable: false });
    expect(reader.header).toMatchObject({ headerSize: 24n, dataOffset: 24n });
    expectFrames(allFrames(reader), frames);
    const log = openWritable({ path, capacityBytes: 5000 });
    log.writer.appendBatch(bytesOf('from', 'the', 'package'));
    log.writer.allocate(4).write('four');
    expect(parseByHand(path)).toEqual([...frames, ...bytesOf('from', 'the', 'package')]);
    log.writer.commit();
    const expected = [...frames, ...bytesOf('from', 'the', 'package', 'four')];
    expectFrames(parseByHand(path), expected);
    expectFrames(allFrames(reader), expected);
    log.close();
    expect(readFileSync(path).length).toBe(100_000);
    expect(readFileSync(path).readBigUInt64LE(0)).toBe(24n);
  });

  test('reads files that are made here', () => {
    for (const capacityBytes of [515, 65_536]) {
      const path = freshPath();
      const frames = randomFrames(capacityBytes < 1000 ? 3 : 200, 100);
      const log = openWritable({ path, capacityBytes });
      log.writer.appendBatch(frames);
      expectFrames(parseByHand(path), frames);
      log.close();
      expectFrames(parseByHand(path), frames);
    }
  });

  test('writes headers larger than it needs', () => {
    const path = freshPath();
    const bytes = Buffer.alloc(4096, 0xee);
    bytes.writeBigUInt64LE(100n, 0);
    bytes.writeBigUInt64LE(128n, 8);
    bytes.writeBigUInt64LE(132n, 16);
    bytes.writeUInt32LE(0x0004_0004, 128);
    writeFileSync(path, bytes);
    expect(allFrames(open({ path, writable: false }))).toEqual([Buffer.alloc(0)]);
    const log = openWritable({ path });
    log.writer.append(Buffer.from('behind'));
    expect(textsOf(parseByHand(path))).toEqual(['', 'behind']);
  });
});

function header(headerSize: bigint, dataOffset: bigint, size: bigint): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.writeBigUInt64LE(headerSize, 0);
  bytes.writeBigUInt64LE(dataOffset, 8);
  bytes.writeBigUInt64LE(size, 16);
  return bytes;
}
