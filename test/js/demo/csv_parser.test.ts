import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DemoError } from '../../../examples/demo/demo_error.mjs';
import { CsvParser } from '../../../examples/demo/parse/csv_parser.mjs';
import { characters, parseAll, pieces } from './parse_all.js';

const parse = (text: string) => parseAll(CsvParser, [text]);
const lines = (text: string) => parse(text).malformed.first.map(({ where }) => where);

/** A field as any program may write it. */
function quoted(field: string): string {
  return `"${field.replaceAll('"', '""')}"`;
}

describe('CsvParser', () => {
  test('reads rows by the names in the header', () => {
    const { rows, malformed } = parse('a,b\n1,x\n2,y\n');
    expect(rows).toStrictEqual([
      { a: '1', b: 'x' },
      { a: '2', b: 'y' },
    ]);
    expect(malformed.count).toBe(0);
  });

  test('reads a last line without a line end', () => {
    expect(parse('a,b\n1,x').rows).toStrictEqual([{ a: '1', b: 'x' }]);
  });

  test('reads quotes, doubled quotes, delimiters and line breaks in quoted fields', () => {
    const { rows, malformed } = parse('a,b\n"x,""y""","two\nlines"\n"","z"\n');
    expect(rows).toStrictEqual([
      { a: 'x,"y"', b: 'two\nlines' },
      { a: null, b: 'z' },
    ]);
    expect(malformed.count).toBe(0);
  });

  test.each([
    ['line feeds', '\n'],
    ['carriage returns and line feeds', '\r\n'],
    ['carriage returns', '\r'],
  ])('reads lines that end with %s', (_, end) => {
    const text = ['a,b', '1,x', '2,y', ''].join(end);
    const expected = [
      { a: '1', b: 'x' },
      { a: '2', b: 'y' },
    ];
    expect(parse(text).rows).toStrictEqual(expected);
    expect(parseAll(CsvParser, characters(text)).rows).toStrictEqual(expected);
  });

  test('keeps a carriage return and line feed in a quoted field', () => {
    expect(parse('a\r\n"x\r\ny"\r\n').rows).toStrictEqual([{ a: 'x\r\ny' }]);
  });

  test('skips empty lines', () => {
    expect(parse('\na,b\n\n1,x\n\n\n2,y\n\n').rows).toHaveLength(2);
  });

  test.each([
    ['a tab', 'a\tb\n1,5\tx\n', { a: '1,5', b: 'x' }],
    ['a semicolon', 'a;b\n1,5;x\n', { a: '1,5', b: 'x' }],
    ['a bar', 'a|b\n1,5|x\n', { a: '1,5', b: 'x' }],
    ['a comma beside quoted semicolons', '"a;;;",b\n1,x\n', { 'a;;;': '1', b: 'x' }],
  ])('finds out that the delimiter is %s', (_, text, row) => {
    expect(parse(text).rows).toStrictEqual([row]);
  });

  test('takes spaces before quoted fields as padding', () => {
    expect(parse('"Month", "1958"\n"JAN",  340\n').rows).toStrictEqual([{ Month: 'JAN', 1958: '340' }]);
  });

  test('gives every column a name of its own, in the order of the file', () => {
    const parser = new CsvParser(Object.assign(Object.create(null)));
    parser.push('b,,b,b_2, a \n');
    expect(parser.columns).toStrictEqual(['b', 'column_2', 'b_3', 'b_2', 'a']);
  });

  test('takes a first line of numbers as a record', () => {
    expect(parse('1,2.5\n3,4\n').rows).toStrictEqual([
      { column_1: '1', column_2: '2.5' },
      { column_1: '3', column_2: '4' },
    ]);
  });

  test('makes an own property of a column named __proto__', () => {
    const [row] = parse('__proto__,b\nx,y\n').rows;
    expect(Object.entries(row ?? {})).toStrictEqual([
      ['__proto__', 'x'],
      ['b', 'y'],
    ]);
  });

  test('has no rows for an empty text', () => {
    expect(parse('')).toStrictEqual({ rows: [], malformed: { count: 0, first: [] } });
  });

  test('has no rows for a header alone', () => {
    expect(parse('a,b')).toStrictEqual({ rows: [], malformed: { count: 0, first: [] } });
  });

  test('names a header that cannot be read', () => {
    expect(() => parse('a,"b\n1,2\n')).toThrow(DemoError);
    expect(() => parse('a,"b\n1,2\n')).toThrow('the header on line 1 is malformed');
  });

  test('leaves out a line with too few or too many fields, and names it', () => {
    const { rows, malformed } = parse('a,b\n1,x\n2\n3,y,z\n4,w\n');
    expect(rows.map(({ a }) => a)).toStrictEqual(['1', '4']);
    expect(malformed).toStrictEqual({
      count: 2,
      first: [
        { where: 'line 3', reason: '2 fields are expected, as in the header, and there are 1' },
        { where: 'line 4', reason: '2 fields are expected, as in the header, and there are 3' },
      ],
    });
  });

  test('loses nothing but the line with a stray quote', () => {
    const { rows, malformed } = parse('a,b\n1,x\n2,"y\n3,z\n4,w\n');
    expect(rows.map(({ a }) => a)).toStrictEqual(['1', '3', '4']);
    expect(malformed).toStrictEqual({
      count: 1,
      first: [{ where: 'line 3', reason: 'a quoted field is not closed' }],
    });
  });

  test('loses nothing between two lines with stray quotes', () => {
    const text = 'a,b\n1,x\n2,"y\n3,z\n4,"v"\n5,w\n6,"u\n7,t\n';
    expect(parse(text).rows.map(({ a }) => a)).toStrictEqual(['1', '3', '4', '5', '7']);
    expect(lines(text)).toStrictEqual(['line 3', 'line 7']);
  });

  test('reads the records with line breaks behind a stray quote', () => {
    const text = 'a,b\n1,"y\n2,"two\nlines"\n3,z\n';
    expect(parse(text).rows).toStrictEqual([
      { a: '2', b: 'two\nlines' },
      { a: '3', b: 'z' },
    ]);
    expect(lines(text)).toStrictEqual(['line 2']);
  });

  test('leaves out a quote inside a field and text behind a closing quote', () => {
    const text = 'a,b\n1,5" pipe\n2,"y"y\n3,z\n';
    expect(parse(text).rows).toStrictEqual([{ a: '3', b: 'z' }]);
    expect(lines(text)).toStrictEqual(['line 2', 'line 3']);
  });

  test('counts a malformed record of several lines once', () => {
    const text = 'a,b\n1,x\n2,"two\nlines",y\n3,z\n';
    expect(parse(text).rows.map(({ a }) => a)).toStrictEqual(['1', '3']);
    expect(lines(text)).toStrictEqual(['line 3']);
  });

  test('counts lines in quoted fields', () => {
    expect(lines('a,b\n1,"\r\n\n"\n2\n')).toStrictEqual(['line 5']);
  });

  test('shows the first few of many malformed lines, and counts them all', () => {
    const { rows, malformed } = parse(`a,b\n${'1,x\n2\n'.repeat(1000)}`);
    expect(rows).toHaveLength(1000);
    expect(malformed.count).toBe(1000);
    expect(malformed.first.map(({ where }) => where)).toStrictEqual([3, 5, 7, 9, 11].map((n) => `line ${n}`));
  });

  test('gives up on a quote that is open for more than a megabyte, and reads on behind its line', () => {
    const tail = 'x,y\n'.repeat(400_000);
    const malformed: string[] = [];
    const parser = new CsvParser(
      Object.assign(Object.create(null), { add: (line: number) => malformed.push(`line ${line}`) }),
    );
    const rows = pieces(`a,b\n1,"stray\n${tail}`, [65_536]).flatMap((piece) => parser.push(piece));
    expect(malformed).toStrictEqual(['line 2']);
    expect(rows.length).toBeGreaterThan(300_000);
    expect(rows.length + parser.end().length).toBe(400_000);
  });

  test('reads the same from pieces of any length', () => {
    const field = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', ',', '"', '\n', '\r\n', ' ', ';'),
      maxLength: 8,
    });
    const table = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (records, end, lengths) => {
          const text = ['c1,c2,c3', ...records.map((record) => record.map(quoted).join(','))].join(end);
          const { rows, malformed } = parseAll(CsvParser, pieces(text, lengths));
          expect(malformed.count).toBe(0);
          expect(rows).toStrictEqual(
            records.map(([c1, c2, c3]) => ({ c1: c1 || null, c2: c2 || null, c3: c3 || null })),
          );
        },
      ),
    );
  });

  test('reads every good record between malformed lines, from pieces of any length', () => {
    const good = fc.constantFrom('g,1', '"g","a ""b"", c"', '"g","two\nlines"');
    const bad = fc.constantFrom('b', 'b,1,2', 'b,"x"y', 'b,x"y', 'b,"stray');
    const parts = fc.array(fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: bad }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(parts, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (records, lengths) => {
        const text = ['k,v', ...records, ''].join('\n');
        const { rows, malformed } = parseAll(CsvParser, pieces(text, lengths));
        expect(rows.filter(({ k }) => k === 'g')).toHaveLength(records.filter((r) => /^"?g/.test(r)).length);
        expect(malformed.count).toBe(records.filter((r) => r.startsWith('b')).length);
      }),
    );
  });
});
