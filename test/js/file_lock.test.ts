import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileLock } from '../../dist/file_lock.js';
import { freshFolder, freshPath, thrownBy } from './support/logs.js';
import { type Inside, startChild, startThread, until } from './support/threads.mjs';

const MODULE = new URL('../../dist/file_lock.js', import.meta.url).href;

interface Place {
  readonly module: string;
  readonly path: string;
}

const placeOf = (file: string): Place => ({ module: MODULE, path: file });

/** A lock that goes with the test. */
function take(file: string): FileLock | undefined {
  const lock = FileLock.take(file);
  if (lock) onTestFinished(() => lock.release());
  return lock;
}

/** Tries once, and says whether it has got the lock. */
const attempt = async ({ load, data, say }: Inside<Place>) => {
  const { FileLock } = (await load(data.module)) as unknown as typeof import('../../dist/file_lock.js');
  const lock = FileLock.take(data.path);
  say(lock !== undefined);
  lock?.release();
};

/** Takes the lock, and waits for its end with it. */
const hold = async ({ load, data, say }: Inside<Place>) => {
  const { FileLock } = (await load(data.module)) as unknown as typeof import('../../dist/file_lock.js');
  const lock = FileLock.take(data.path);
  say(lock === undefined ? 'refused' : process.pid);
  setInterval(() => lock, 1000);
};

/** Whether a thread and a process get the lock, one after the other. */
async function othersGet(file: string): Promise<boolean[]> {
  const said: boolean[] = [];
  for (const start of [startThread, startChild]) {
    const other = start(attempt, placeOf(file));
    said.push(await other.said());
    await other.done();
  }
  return said;
}

test('is had by one at a time, in this thread, in another and in another process', async () => {
  const file = freshPath('lock');
  const lock = take(file);
  expect(lock).toBeDefined();
  expect(take(file)).toBeUndefined();
  expect(await othersGet(file)).toEqual([false, false]);
  // Refusals have taken nothing away from the first one.
  expect(take(file)).toBeUndefined();
  expect(take(freshPath('lock'))).toBeDefined();
});

test('is free again once it is released, and a second release takes it from nobody', async () => {
  const file = freshPath('lock');
  const first = take(file);
  first?.release();
  expect(await othersGet(file)).toEqual([true, true]);
  const second = take(file);
  expect(second).toBeDefined();
  first?.release();
  expect(take(file)).toBeUndefined();
  second?.release();
  expect(take(file)).toBeDefined();
});

test('makes its file, leaves it there and does not touch what is in it', () => {
  const file = freshPath('lock');
  take(file)?.release();
  expect(readFileSync(file, 'utf8')).toBe('');
  writeFileSync(file, 'kept');
  take(file)?.release();
  expect(readFileSync(file, 'utf8')).toBe('kept');
});

test('is free again when the process that has it is killed', async () => {
  const file = freshPath('lock');
  const child = startChild(hold, placeOf(file));
  const pid = await child.said<number>();
  expect(take(file)).toBeUndefined();
  process.kill(pid, 'SIGKILL');
  expect((await child.ended).signal).toBe('SIGKILL');
  expect(take(file)).toBeDefined();
});

test('is free again when the worker that has it is terminated, or ends', async () => {
  const file = freshPath('lock');
  for (let round = 0; round < 5; round++) {
    const thread = startThread(hold, placeOf(file));
    expect(await thread.said()).toBe(process.pid);
    expect(take(file)).toBeUndefined();
    await thread.terminate();
    const lock = take(file);
    expect(lock).toBeDefined();
    lock?.release();
  }
  const thread = startThread(async ({ load, data }: Inside<Place>) => {
    const { FileLock } = (await load(data.module)) as unknown as typeof import('../../dist/file_lock.js');
    if (FileLock.take(data.path) === undefined) throw new Error('refused');
  }, placeOf(file));
  await thread.done();
  expect(take(file)).toBeDefined();
});

test('is free again when it is collected', async () => {
  const file = freshPath('lock');
  expect(FileLock.take(file) !== undefined).toBe(true);
  await until(() => {
    globalThis.gc?.();
    return take(file) !== undefined;
  });
});

test('of a file that cannot be opened is an error that names it', () => {
  const folder = freshFolder();
  mkdirSync(path.join(folder, 'inner'));
  for (const [name, reason] of [
    ['missing/lock', /No such file or directory/],
    ['inner', /Is a directory/],
    ['/dev/null', /no regular file/],
  ] as const) {
    const file = path.resolve(folder, name);
    const error = thrownBy(() => FileLock.take(file));
    expect(error).toMatchObject({ name: 'StrandError', code: 'ERR_STRAND_FILE' });
    expect(error.message).toContain(`'${file}'`);
    expect(error.message).toMatch(reason);
  }
});
