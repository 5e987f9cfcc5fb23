import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DemoError } from '../../../examples/demo/demo_error.mjs';
import { HELP, parseOptions } from '../../../examples/demo/options.mjs';

describe('parseOptions', () => {
  test('takes names from the directory in which npm was called', () => {
    const before = process.env.INIT_CWD;
    try {
      process.env.INIT_CWD = path.resolve('docs');
      expect(parseOptions(['a.csv'])).toMatchObject({ path: path.join('docs', 'a.csv') });
      expect(parseOptions([path.resolve('/b.csv')])).toMatchObject({ path: path.resolve('/b.csv') });
      expect(parseOptions(['-'])).toMatchObject({ path: '-' });
      delete process.env.INIT_CWD;
      expect(parseOptions(['a.csv'])).toMatchObject({ path: 'a.csv' });
    } finally {
      if (before !== undefined) process.env.INIT_CWD = before;
    }
  });

  test('takes the flights unless told otherwise', () => {
    const options = parseOptions([]);
    expect(options).toMatchObject({ batch: 1000, progress: true });
    expect(options !== 'help' && existsSync(options.path)).toBe(true);
  });

  test('takes every option', () => {
    expect(
      parseOptions([
        'a.txt',
        '--format=CSV',
        '--batch=7',
        '--index-capacity',
        '64',
        '--heap-capacity',
        '16m',
        '--no-progress',
      ]),
    ).toStrictEqual({
      path: 'a.txt',
      format: 'csv',
      batch: 7,
      indexCapacity: 64,
      heapCapacity: 16 * 1024 * 1024,
      progress: false,
    });
  });

  test('takes - for the standard input', () => {
    expect(parseOptions(['-'])).toMatchObject({ path: '-' });
  });

  test.each([[['--help']], [['-h']], [['a.csv', '-h']]])('asks for help by %j', (args) => {
    expect(parseOptions(args)).toBe('help');
  });

  test.each([
    [['--what'], "Unknown option '--what'"],
    [['--batch'], "Option '--batch <value>' argument missing"],
    [['--batch', '0'], "--batch takes a whole number from 1, such as 4096 or 64K, got '0'"],
    [['--batch', '1.5'], "got '1.5'"],
    [['--index-capacity', 'many'], '--index-capacity takes'],
    [['--heap-capacity', '99999999999G'], '--heap-capacity takes'],
    [['--format', 'xml'], "--format takes csv, json, ndjson, got 'xml'"],
    [['a.csv', 'b.csv'], 'one file at a time: 2 are named'],
    [[''], 'the name of the file is empty'],
  ])('refuses %j, and names the help', (args, message) => {
    expect(() => parseOptions(args)).toThrow(DemoError);
    expect(() => parseOptions(args)).toThrow(message);
    expect(() => parseOptions(args)).toThrow('npm run demo -- --help');
  });

  test('has a help that fits 100 columns', () => {
    expect(Math.max(...HELP.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});
