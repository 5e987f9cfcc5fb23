import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonParser } from '../../../examples/demo/parse/json_parser.mjs';
import { characters, parseAll, pieces } from './parse_all.js';

const parse = (text: string) => parseAll(JsonParser, [text]);

/** Where what is malformed was found. */
const lines = (text: string) => parse(text).malformed.first.map(({ where }) => where);

/** The records' first fields. */
const ids = (text: string) => parse(text).rows.map(({ a }) => a);

describe('JsonParser', () => {
  test.each([
    ['on one line', '[{"a":1},{"a":2}]'],
    ['a record a line', '[\n{"a":1},\n{"a":2}\n]\n'],
    ['over several lines', '[\r\n  {\r\n    "a": 1\r\n  },\r\n  {\r\n    "a": 2\r\n  }\r\n]'],
    ['without an array', '{"a":1} {"a":2}'],
    ['with a comma too many', '[{"a":1},{"a":2},]'],
    ['in two arrays', '[{"a":1}]\n[{"a":2}]'],
  ])('reads records %s', (_, text) => {
    const expected = { rows: [{ a: 1 }, { a: 2 }], malformed: { count: 0, first: [] } };
    expect(parse(text)).toStrictEqual(expected);
    expect(parseAll(JsonParser, characters(text))).toStrictEqual(expected);
  });

  test('reads nested values and strings with anything in them', () => {
    const record = { a: [{ b: [1, { c: null }] }], d: '}],{"\\', 'e]': '\n\u0000', f: '\\"' };
    expect(parse(JSON.stringify([record, record])).rows).toStrictEqual([record, record]);
  });

  test.each([
    ['an empty text', ''],
    ['blanks', ' \n\t\r\n'],
    ['an empty array', '[]'],
  ])('has no rows for %s', (_, text) => {
    expect(parse(text)).toStrictEqual({ rows: [], malformed: { count: 0, first: [] } });
  });

  test('names what is no object', () => {
    const { rows, malformed } = parse('[1,\n"x, ]",\nnull,\n[{"a":1}],\ntrue,\n{"a":2}]');
    expect(rows).toStrictEqual([{ a: 2 }]);
    expect(malformed.first).toStrictEqual(
      ['a number', 'a string', 'null', 'an array', 'a boolean'].map((what, index) => ({
        where: `line ${index + 1}`,
        reason: `${what} where a record, an object in braces, is expected`,
      })),
    );
  });

  test.each([
    ['a value that JSON does not have', '{"a":NaN}'],
    ['a comma too many', '{"a":2,}'],
    ['a missing comma', '{"a":2 "b":3}'],
    ['a name without quotes', '{a:2}'],
    ['a string that is not closed', '{"a":"x}'],
    ['a name that is not closed', '{"a:2}'],
    ['a nested string that is not closed', '{"a":{"b":"x}}'],
    ['a brace that is not closed', '{"a":2'],
    ['nested braces that are not closed', '{"a":{"b":{"c":2'],
    ['a bracket that is not closed', '{"a":[2}'],
    ['a bracket that was not opened', '{"a":2]}'],
    ['a brace that was not opened', '"a":2}'],
    ['a brace too many', '{"a":2}}'],
    ['a bare word', 'undefined'],
  ])('loses nothing else to a record with %s', (_, record) => {
    for (const text of [
      `[{"a":1},\n${record},\n{"a":3},\n{"a":4}]`,
      `{"a":1}\n${record}\n{"a":3}\n{"a":4}`,
    ]) {
      const { rows, malformed } = parseAll(JsonParser, characters(text));
      expect(rows.filter(({ a }) => a !== 2)).toStrictEqual([{ a: 1 }, { a: 3 }, { a: 4 }]);
      expect(malformed.count).toBeGreaterThan(0);
      expect(malformed.first[0]?.where).toBe('line 2');
    }
  });

  test('counts the lines inside records', () => {
    expect(lines('[\n{\n"a":\n1\n},\n{"a":NaN},\n{\n"b":{\n"c":x}}\n]')).toStrictEqual(['line 6', 'line 7']);
  });

  test('names a file that ends inside a record', () => {
    const { rows, malformed } = parse('[{"a":1},\n{"a":2');
    expect(rows).toStrictEqual([{ a: 1 }]);
    expect(malformed).toStrictEqual({
      count: 1,
      first: [{ where: 'line 2', reason: 'the file ends inside this record' }],
    });
  });

  test('names a file that ends between records', () => {
    const { rows, malformed } = parse('[{"a":1},\n{"a":2},\n');
    expect(rows).toHaveLength(2);
    expect(malformed.first).toStrictEqual([
      { where: 'line 3', reason: 'the file ends before the array that begins on line 1 is closed' },
    ]);
  });

  test('reads on behind an array that is closed too early, and names the second end', () => {
    const text = '[{"a":1}],\n{"a":2},\n{"a":3}]';
    expect(ids(text)).toStrictEqual([1, 2, 3]);
    expect(lines(text)).toStrictEqual(['line 3']);
  });

  test('reads what JSON.parse reads, from pieces of any length', () => {
    const records = fc.array(fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(
        records,
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (values, space, lengths) => {
          const text = JSON.stringify(values, null, space);
          const { rows, malformed } = parseAll(JsonParser, pieces(text, lengths));
          expect(malformed.count).toBe(0);
          expect(rows).toStrictEqual(JSON.parse(text));
        },
      ),
    );
  });
});
