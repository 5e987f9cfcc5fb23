import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NdjsonParser } from '../../../examples/demo/parse/ndjson_parser.mjs';
import { characters, parseAll, pieces } from './parse_all.js';

const parse = (text: string) => parseAll(NdjsonParser, [text]);

describe('NdjsonParser', () => {
  test.each([
    ['line feeds', '{"a":1}\n{"a":2}\n'],
    ['carriage returns and line feeds', '{"a":1}\r\n{"a":2}\r\n'],
    ['no line end at the end', '{"a":1}\n{"a":2}'],
    ['empty lines', '\n\n{"a":1}\n \n{"a":2}\n\n'],
  ])('reads an object a line, with %s', (_, text) => {
    const expected = { rows: [{ a: 1 }, { a: 2 }], malformed: { count: 0, first: [] } };
    expect(parse(text)).toStrictEqual(expected);
    expect(parseAll(NdjsonParser, characters(text))).toStrictEqual(expected);
  });

  test('has no rows for an empty text', () => {
    expect(parse('')).toStrictEqual({ rows: [], malformed: { count: 0, first: [] } });
  });

  test('names every line that is no record, and loses nothing else', () => {
    const { rows, malformed } = parse('{"a":1}\n{"a":2\n{"a":3}\n\n[4]\n{"a":5}{"a":6}\n{"a":7}\n"x');
    expect(rows).toStrictEqual([{ a: 1 }, { a: 3 }, { a: 7 }]);
    expect(malformed.count).toBe(4);
    expect(malformed.first.map(({ where }) => where)).toStrictEqual(['line 2', 'line 5', 'line 6', 'line 8']);
    expect(malformed.first[1]?.reason).toBe('an array where a record, an object in braces, is expected');
  });

  test('shows the first few of many malformed lines, and counts them all', () => {
    const { malformed } = parse('x\n'.repeat(1000));
    expect(malformed.count).toBe(1000);
    expect(malformed.first.map(({ where }) => where)).toStrictEqual([1, 2, 3, 4, 5].map((n) => `line ${n}`));
  });

  test('reads what JSON.parse reads, from pieces of any length', () => {
    const records = fc.array(fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(records, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (values, lengths) => {
        const text = values.map((value) => `${JSON.stringify(value)}\n`);
        const { rows, malformed } = parseAll(NdjsonParser, pieces(text.join(''), lengths));
        expect(malformed.count).toBe(0);
        expect(rows).toStrictEqual(text.map((line) => JSON.parse(line)));
      }),
    );
  });
});
