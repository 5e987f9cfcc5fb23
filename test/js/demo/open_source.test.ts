import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DemoError } from '../../../examples/demo/demo_error.mjs';
import { describeFileError, openSource } from '../../../examples/demo/source/open_source.mjs';

const directory = mkdtempSync(path.join(tmpdir(), 'strand-demo-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** An error as `node:fs` throws it. */
function fileError(code: string): Error {
  return Object.assign(new Error(`${code}: something, open 'a.csv'`), { code, syscall: 'open' });
}

describe('openSource', () => {
  test('gives the bytes and the size of a file', async () => {
    const file = path.join(directory, 'a.csv');
    writeFileSync(file, 'a,b\n');
    const source = await openSource(file);
    const chunks = [];
    for await (const chunk of source.chunks) chunks.push(chunk);
    expect(source).toMatchObject({ name: file, size: 4 });
    expect(Buffer.concat(chunks).toString()).toBe('a,b\n');
  });

  test('refuses a missing file, a path through a file and a directory', async () => {
    const file = path.join(directory, 'b.csv');
    writeFileSync(file, '');
    const missing = path.join(directory, 'c.csv');
    await expect(openSource(missing)).rejects.toThrow(new DemoError(`${missing} does not exist`));
    await expect(openSource(path.join(file, 'd'))).rejects.toThrow('a part of its path is no directory');
    await expect(openSource(directory)).rejects.toThrow(`${directory} is a directory`);
  });
});

describe('describeFileError', () => {
  test.each([
    ['EACCES', 'a.csv may not be read: permission denied'],
    ['EISDIR', 'a.csv is a directory'],
    ['EIO', "a.csv cannot be read: EIO: something, open 'a.csv'"],
  ])('explains %s', (code, message) => {
    const error = describeFileError('a.csv', fileError(code));
    expect(error).toBeInstanceOf(DemoError);
    expect((error as DemoError).message).toContain(message);
  });

  test('passes on what is no error of the file system', () => {
    const error = new TypeError('a mistake');
    expect(describeFileError('a.csv', error)).toBe(error);
  });
});
