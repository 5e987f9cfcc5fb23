import { describe, expect, test } from 'vitest';
import { detectFormat, refuseBinary } from '../../../examples/demo/source/detect_format.mjs';

describe('detectFormat', () => {
  test.each([
    ['a.csv', 'csv'],
    ['a.TSV', 'csv'],
    ['dir.json/a.csv', 'csv'],
    ['a.json', 'json'],
    ['a.ndjson', 'ndjson'],
    ['a.jsonl', 'ndjson'],
  ])('knows %s by its name', (name, format) => {
    expect(detectFormat(name, '')).toBe(format);
  });

  test.each([
    ['an array', ' \n[{"a":1}]', 'json'],
    ['an object over several lines', '{\n"a":1}\n', 'json'],
    ['an object a line', '{"a":1}\n{"a":2}\n', 'ndjson'],
    ['an object a line, with returns', '{"a":1}\r\n{"a":2}\r\n', 'ndjson'],
  ])('knows %s by its look', (_, head, format) => {
    expect(detectFormat('the standard input', head)).toBe(format);
  });

  test.each(['a', 'a.txt', 'a.__proto__', 'a.constructor'])('asks for the format of %s', (name) => {
    expect(() => detectFormat(name, 'a,b\n')).toThrow(
      `${name} is of an unknown format: say which with --format csv, json, ndjson`,
    );
  });
});

describe('refuseBinary', () => {
  test.each([
    ['UTF-16', Buffer.from('\uFEFFa,b\n', 'utf16le'), 'a.csv is UTF-16'],
    ['UTF-16 the other way', Buffer.from('\uFEFFa,b\n', 'utf16le').swap16(), 'a.csv is UTF-16'],
    ['a compressed file', Buffer.from([0x1f, 0x8b, 8]), 'a.csv is compressed'],
    ['a zip archive', Buffer.from('PK\x03\x04'), 'a.csv is a zip archive'],
    ['bytes of zero', Buffer.from('a\0b'), 'a.csv is binary'],
  ])('refuses %s', (_, head, message) => {
    expect(() => refuseBinary('a.csv', head)).toThrow(message);
  });

  test('takes text', () => {
    expect(() => refuseBinary('a.csv', Buffer.from('\uFEFFa,b\nü,😀\n'))).not.toThrow();
  });
});
