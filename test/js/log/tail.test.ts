import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  expectFrames,
  frameByHand,
  freshPath,
  open,
  openWritable,
  PLAIN_HEADER,
  textsOf,
  thrownBy,
  writeByHand,
} from '../support/logs.js';
import { type Inside, startChild, startThread, until } from '../support/threads.mjs';

/** What keeps this process alive, by kind. */
const holds = (kind: string): number =>
  process.getActiveResourcesInfo().filter((each) => each === kind).length;

/** A signal that tells how many listen to it. */
function countedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  return { controller, signal, listeners: () => listeners };
}

describe('wait', () => {
  test('settles at once where there are frames already', async () => {
    const path = freshPath();
    const log = openWritable({ path });
    log.writer.appendBatch(bytesOf('a', 'b'));
    for (const shared of [log, open({ path })]) {
      const iterator = shared.createIterator();
      expect(await iterator.wait()).toBe(true);
      iterator.next();
      expect(await iterator.wait({ timeoutMs: 0 })).toBe(true);
      iterator.next();
      expect(await iterator.wait({ timeoutMs: 0 })).toBe(false);
      iterator.prev();
      expect(await iterator.wait()).toBe(true);
    }
  });

  test('settles with what is committed later, for everybody who waits', async () => {
    const path = freshPath();
    const log = openWritable({ path });
    const iterators = [log, log, open({ path }), open({ path, zeroCopy: true })].map((shared) =>
      shared.createIterator(),
    );
    const waits = iterators.flatMap((iterator) => [iterator.wait(), iterator.wait({ timeoutMs: 1e9 })]);
    log.writer.allocate(1);
    let settled = 0;
    for (const wait of waits) void wait.then(() => settled++);
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    expect(settled).toBe(0);
    log.writer.commit();
    expect(await Promise.all(waits)).toEqual(waits.map(() => true));
    for (const iterator of iterators) expect(iterator.next()?.length).toBe(1);
  });

  test('settles with false when its time is over, and others go on', async () => {
    const log = openWritable();
    const iterator = log.createIterator();
    const long = iterator.wait();
    const started = performance.now();
    expect(await iterator.wait({ timeoutMs: 30 })).toBe(false);
    expect(performance.now() - started).toBeGreaterThan(25);
    const unlimited = iterator.wait({ timeoutMs: Number.POSITIVE_INFINITY });
    log.writer.append(Buffer.alloc(1));
    expect(await Promise.all([long, unlimited])).toEqual([true, true]);
  });

  test('rejects with the reason of its signal, before, while and never after', async () => {
    const log = openWritable();
    const iterator = log.createIterator();
    const reason = new Error('enough');
    await expect(iterator.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

    const during = countedSignal();
    const [waiting, other] = [iterator.wait({ signal: during.signal }), iterator.wait()];
    expect(during.listeners()).toBe(1);
    during.controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(during.listeners()).toBe(0);

    const after = countedSignal();
    const settled = iterator.wait({ signal: after.signal, timeoutMs: 1e6 });
    log.writer.append(Buffer.alloc(1));
    expect(await settled).toBe(true);
    expect(await other).toBe(true);
    expect(after.listeners()).toBe(0);
    after.controller.abort(reason);
    expect(await iterator.wait()).toBe(true);
  });

  test('rejects when the iterator or its log is closed', async () => {
    const path = freshPath();
    const log = openWritable({ path });
    const closed = { code: 'ERR_SHM_ITERATOR_CLOSED' };
    const reader = open({ path });
    const iterators = [log.createIterator(), reader.createIterator()];
    const waits = iterators.flatMap((iterator) => [iterator.wait(), iterator.wait({ timeoutMs: 1e6 })]);
    const results = Promise.allSettled(waits);
    iterators[0]?.close();
    reader.close();
    for (const result of await results) expect(result).toMatchObject({ status: 'rejected', reason: closed });
    log.writer.append(Buffer.alloc(1));
    expect(await log.createIterator().wait()).toBe(true);
  });

  test('settles when the next read has an error to tell', async () => {
    const path = freshPath();
    writeByHand(path, 4096, bytesOf('a'));
    const iterator = open({ path }).createIterator();
    iterator.next();
    const waiting = iterator.wait();
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.from([PLAIN_HEADER + 10]), 0, 1, 16);
    closeSync(file);
    expect(await waiting).toBe(true);
    expect(thrownBy(() => iterator.next()).code).toBe('ERR_SHM_FRAME_CORRUPT');
  });

  test.each([[-1], [Number.NaN], ['5'], [null]])('refuses timeoutMs: %s', (timeoutMs) => {
    const iterator = openWritable().createIterator();
    expect(thrownBy(() => void iterator.wait({ timeoutMs: timeoutMs as number })).code).toBe(
      'ERR_STRAND_OUT_OF_RANGE',
    );
    expect(thrownBy(() => void iterator.wait({ signal: {} as AbortSignal })).code).toBe(
      'ERR_STRAND_INVALID_ARGUMENT',
    );
  });

  test('leaves no timer behind, and nothing that keeps the process alive', async () => {
    const log = openWritable();
    const iterator = log.createIterator();
    const before = holds('Timeout');
    for (let i = 0; i < 200; i++) {
      const { controller, signal, listeners } = countedSignal();
      const waits = [iterator.wait({ timeoutMs: 1e6, signal }), iterator.wait({ timeoutMs: 1e7 })];
      expect(holds('Timeout')).toBeGreaterThan(1);
      if (i % 2 === 0) {
        log.writer.append(Buffer.alloc(1));
        await Promise.all(waits);
        iterator.next();
      } else {
        controller.abort();
        await expect(waits[0]).rejects.toMatchObject({ name: 'AbortError' });
        log.writer.append(Buffer.alloc(1));
        await waits[1];
        iterator.next();
      }
      expect(listeners()).toBe(0);
      // The runner's own may end meanwhile.
      expect(holds('Timeout')).toBeLessThanOrEqual(before);
    }
  });
});

describe('tail', () => {
  test.each(['writable', 'read', 'mapped'])(
    'of a %s log gives what there is and what comes',
    async (kind) => {
      const path = freshPath();
      const log = openWritable({ path });
      log.writer.appendBatch(bytesOf('0', '1', '2'));
      const shared = kind === 'writable' ? log : open({ path, zeroCopy: kind === 'mapped' });
      const iterator = shared.createIterator();
      iterator.nextBatch({ maxMessages: 2 });
      const tails = [
        shared.tail(),
        shared.tail({ from: 'oldest' }),
        shared.tail({ from: iterator.cursor() }),
        shared.tail({ from: 'latest' }),
      ];
      // Before anybody has asked: `latest` begins where tail was called.
      log.writer.append(Buffer.from('3'));
      const reading = tails.map(async (tail) => {
        const texts: string[] = [];
        for await (const frame of tail) {
          texts.push(frame.toString());
          if (texts.at(-1) === 'end') break;
        }
        return texts.join(' ');
      });
      for (const text of ['4', 'end']) {
        await new Promise(setImmediate);
        log.writer.append(Buffer.from(text));
      }
      expect(await Promise.all(reading)).toEqual(['0 1 2 3 4 end', '0 1 2 3 4 end', '2 3 4 end', '3 4 end']);
    },
  );

  test('gives frames of any size, in order and whole', async () => {
    const path = freshPath();
    const log = openWritable({ path, capacityBytes: 2 ** 22, maxFrameBytes: 2 ** 20 });
    const frames = Array.from({ length: 100 }, (_, i) =>
      Buffer.alloc(i % 10 === 0 ? 300_000 / (i + 1) : i, i),
    );
    frames.push(Buffer.alloc(600_000, 7));
    const reading = (async () => {
      const seen: Buffer[] = [];
      for await (const frame of open({ path }).tail()) {
        seen.push(frame);
        if (seen.length === frames.length) break;
      }
      return seen;
    })();
    for (const frame of frames) {
      log.writer.append(frame);
      await new Promise(setImmediate);
    }
    expectFrames(await reading, frames);
  });

  test('ends with its loop, by an error of its body, and with its signal', async () => {
    const log = openWritable();
    log.writer.appendBatch(bytesOf('a', 'b'));
    for await (const _ of log.tail()) break;
    await expect(
      (async () => {
        for await (const frame of log.tail()) throw new Error(`at ${frame}`);
      })(),
    ).rejects.toThrow('at a');

    const { controller, signal, listeners } = countedSignal();
    const reason = new Error('enough');
    const seen: string[] = [];
    const following = (async () => {
      for await (const frame of log.tail({ signal })) seen.push(frame.toString());
    })();
    const failed = expect(following).rejects.toBe(reason);
    await until(() => listeners() === 1);
    controller.abort(reason);
    await failed;
    expect(seen).toEqual(['a', 'b']);
    expect(listeners()).toBe(0);
    await expect(log.tail({ signal }).next()).rejects.toBe(reason);
  });

  test('ends with an error when the log is closed', async () => {
    const path = freshPath();
    openWritable({ path }).writer.append(Buffer.from('a'));
    const log = open({ path });
    const tail = log.tail();
    expect((await tail.next()).value?.toString()).toBe('a');
    const next = expect(tail.next()).rejects.toMatchObject({ code: 'ERR_SHM_ITERATOR_CLOSED' });
    log.close();
    await next;
    expect(await tail.next()).toEqual({ value: undefined, done: true });
    expect(thrownBy(() => log.tail()).code).toBe('ERR_STRAND_CLOSED');
  });

  test('refuses other options at once', () => {
    const log = openWritable();
    log.writer.append(Buffer.alloc(10));
    for (const options of [{ from: 'newest' }, { from: 5 }, { from: null }, { signal: {} }, 5, null]) {
      expect(thrownBy(() => log.tail(options as never)).code).toBe('ERR_STRAND_INVALID_ARGUMENT');
    }
    expect(thrownBy(() => log.tail({ from: 3n })).code).toBe('ERR_SHM_CURSOR');
    expect(thrownBy(() => log.tail({ from: -1n })).code).toBe('ERR_SHM_CURSOR');
  });

  test('throws what it finds behind the sound frames', async () => {
    const path = freshPath();
    writeByHand(path, 4096, bytesOf('a', 'b', 'c'));
    const bytes = readFileSync(path);
    bytes[PLAIN_HEADER + 10] = 1;
    const file = openSync(path, 'r+');
    writeSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const frame of open({ path }).tail()) seen.push(frame.toString());
      })(),
    ).rejects.toMatchObject({ code: 'ERR_SHM_FRAME_CORRUPT' });
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('frames that are asked for and answered one by one', () => {
  const ROUNDS = 300;

  /** Answers each frame of one log by one in the other. */
  const answer = async ({ log, data }: Inside<{ from: string; to: string; rounds: number }>) => {
    const answers = log.createSharedLog({ path: data.to, capacityBytes: 2 ** 20, writable: true });
    let count = 0;
    for await (const frame of log.createSharedLog({ path: data.from }).tail()) {
      answers.writer?.append(Buffer.from(`re: ${frame}`));
      if (++count === data.rounds) break;
    }
    answers.close();
  };

  test.each(['worker', 'process'] as const)('go to a %s and back', async (where) => {
    const [from, to] = [freshPath(), freshPath()];
    const questions = openWritable({ path: from, capacityBytes: 2 ** 20 });
    openWritable({ path: to, capacityBytes: 2 ** 20 }).close();
    const data = { from, to, rounds: ROUNDS };
    const peer = where === 'worker' ? startThread(answer, data) : startChild(answer, data);
    const answers = open({ path: to }).tail();
    const started = performance.now();
    for (let round = 0; round < ROUNDS; round++) {
      questions.writer.append(Buffer.from(`question ${round}`));
      expect((await answers.next()).value?.toString()).toBe(`re: question ${round}`);
    }
    console.info(`${ROUNDS} rounds with a ${where}: ${(performance.now() - started).toFixed(0)} ms`);
    await answers.return();
    await peer.done();
  });

  test('reach everybody who follows a log that is written fast', async () => {
    const path = freshPath();
    const FRAMES = 20_000;
    openWritable({ path, capacityBytes: 2 ** 21 }).close();
    const follow = async ({ log, data, say }: Inside<{ path: string; frames: number }>) => {
      let next = 0;
      for await (const frame of log.createSharedLog({ path: data.path }).tail()) {
        if (frame.readUInt32LE(0) !== next) throw new Error(`frame ${next} holds ${frame.readUInt32LE(0)}`);
        if (++next === data.frames) break;
      }
      say(next);
    };
    const data = { path, frames: FRAMES };
    const followers = [startThread(follow, data), startThread(follow, data), startChild(follow, data)];
    const writer = startChild(({ log, data }) => {
      const { writer } = log.createSharedLog({ path: data.path, writable: true });
      for (let n = 0; n < data.frames; n++) {
        const frame = Buffer.alloc(4 + (n % 50));
        frame.writeUInt32LE(n, 0);
        writer?.append(frame);
      }
    }, data);
    for (const follower of followers) expect(await follower.said()).toBe(FRAMES);
    await writer.done();
  });
});

describe('a file that a program without this package writes to', () => {
  test('wakes those who wait when its size word has changed', async () => {
    const path = freshPath();
    writeByHand(path, 4096, bytesOf('first'));
    const log = open({ path });
    const tail = log.tail();
    expect((await tail.next()).value?.toString()).toBe('first');
    const file = openSync(path, 'r+');
    let at = Number(log.header.size);
    for (const text of ['second', '', 'third']) {
      const next = tail.next();
      const frame = frameByHand(Buffer.from(text));
      writeSync(file, frame, 0, frame.length, at);
      await new Promise(setImmediate);
      at += frame.length;
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(at));
      writeSync(file, size, 0, 8, 16);
      expect((await next).value?.toString()).toBe(text);
    }
    closeSync(file);
    await tail.return();
    expect(textsOf(log.createIterator().nextBatch())).toEqual(['first', 'second', '', 'third']);
  });

  test('wakes those who wait also where it was made here', async () => {
    const path = freshPath();
    const made = openWritable({ path });
    const { dataOffset } = made.header;
    made.close();
    const iterator = open({ path }).createIterator();
    const waiting = iterator.wait();
    const file = openSync(path, 'r+');
    const frame = frameByHand(Buffer.from('by hand'));
    writeSync(file, frame, 0, frame.length, Number(dataOffset));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(dataOffset + BigInt(frame.length));
    writeSync(file, size, 0, 8, 16);
    closeSync(file);
    expect(await waiting).toBe(true);
    expect(iterator.next()?.toString()).toBe('by hand');
  });
});

describe('a process', () => {
  test('stays alive while it waits, and ends when it has closed its log', async () => {
    const path = freshPath();
    const log = openWritable({ path });
    const child = startChild(async ({ log, data, say }) => {
      const shared = log.createSharedLog({ path: data });
      const iterator = shared.createIterator();
      // An idle process would end before this timer, which does not hold it.
      setTimeout(() => say('still there'), 50).unref();
      await iterator.wait();
      say(iterator.next()?.toString());
      const rejected = iterator.wait().catch((error: { code: string }) => say(error.code));
      shared.close();
      await rejected;
    }, path);
    expect(await child.said()).toBe('still there');
    log.writer.append(Buffer.from('at last'));
    expect(await child.done()).toEqual(['at last', 'ERR_SHM_ITERATOR_CLOSED']);
  });

  test('ends with an open log that nobody waits for, and by process.exit() while it waits', async () => {
    for (const body of ['', 'iterator.wait(); setImmediate(() => process.exit(0))']) {
      const path = freshPath();
      openWritable({ path });
      const child = startChild(
        ({ log, data, say }) => {
          const iterator = log.createSharedLog({ path: data.path }).createIterator();
          new Function('iterator', data.body)(iterator);
          say('set up');
        },
        { path, body },
      );
      expect(await child.done()).toEqual(['set up']);
    }
  });

  test('ends when its worker is terminated while it waits', async () => {
    const path = freshPath();
    const log = openWritable({ path });
    const thread = startThread(async ({ log, data, say }) => {
      const tail = log.createSharedLog({ path: data }).tail();
      say('waiting');
      for await (const frame of tail) say(frame.toString());
    }, path);
    expect(await thread.said()).toBe('waiting');
    log.writer.append(Buffer.from('heard'));
    expect(await thread.said()).toBe('heard');
    await thread.terminate();
    expect((await thread.ended).error).toBeUndefined();
    const iterator = log.createIterator({ startCursor: 9n });
    const waiting = iterator.wait();
    log.writer.append(Buffer.from('still here'));
    expect(await waiting).toBe(true);
  });
});
