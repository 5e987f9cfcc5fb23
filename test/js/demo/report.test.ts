import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { drawBars } from '../../../examples/demo/report/bars.mjs';
import { formatBytes, formatNumber, printable } from '../../../examples/demo/report/format.mjs';
import { NumberSummary } from '../../../examples/demo/report/number_summary.mjs';
import { spaced, truncate } from '../../../examples/demo/report/text.mjs';
import { TextSummary } from '../../../examples/demo/report/text_summary.mjs';

describe('printable', () => {
  test('lets nothing through that a terminal acts on', () => {
    expect(printable('\x1b[31mred\x07\x9b2J\u202Ereversed')).toBe('�[31mred��2J�reversed');
  });

  test('shows line breaks and tabs on one line', () => {
    expect(printable('a\r\nb\nc\td')).toBe('a↵b↵c d');
  });

  test('leaves other text alone', () => {
    expect(printable('Zürich 日本 👩‍🚀')).toBe('Zürich 日本 👩‍🚀');
  });
});

describe('truncate', () => {
  test('keeps what fits, and marks what it cuts', () => {
    expect(truncate('abc', 3)).toBe('abc');
    expect(truncate('abcd', 3)).toBe('ab…');
    expect(truncate('abcd', 0)).toBe('');
  });

  test('counts wide characters twice and does not divide emoji', () => {
    expect(truncate('日本語', 5)).toBe('日本…');
    expect(truncate('日本語', 4)).toBe('日…');
    expect(truncate('👩‍🚀👩‍🚀', 3)).toBe('👩‍🚀…');
  });
});

describe('spaced', () => {
  test('puts empty lines between parts that have any', () => {
    expect(spaced([[], ['a', 'b'], [], ['c']])).toStrictEqual(['a', 'b', '', 'c']);
  });
});

describe('formatNumber and formatBytes', () => {
  test.each([
    [0, '0'],
    [1999, '1999'],
    [-10_000, '-10,000'],
    [0.5, '0.5'],
    [1 / 3, '0.333333'],
    [1e-9, '1.000e-9'],
    [1e15, '1.000e+15'],
  ])('writes %d as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1.0 KiB'],
    [1024 ** 2 * 250, '250 MiB'],
  ])('writes %d bytes as %s', (value, text) => {
    expect(formatBytes(value)).toBe(text);
  });
});

describe('drawBars', () => {
  const bar = (label: string, value: number) => ({ label, value, text: String(value) });

  test('draws lengths in proportion', () => {
    const [full = '', half = '', none = ''] = drawBars([bar('a', 8), bar('b', 4), bar('c', 0)], 20);
    expect(full).toBe('  a  8  ████████████');
    expect(half).toBe('  b  4  ██████');
    expect(none).toBe('  c  0');
  });

  test('draws below zero to the left', () => {
    expect(drawBars([bar('a', 6), bar('b', -2)], 17)).toStrictEqual(['  a   6    ██████', '  b  -2  ██']);
  });

  test('is never wider than the terminal', () => {
    const bars = fc.array(
      fc.record({
        label: fc.string({ unit: 'grapheme', maxLength: 40 }).map(printable),
        value: fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { nil: undefined }),
        text: fc.nat().map(String),
        note: fc.constantFrom('', '12 flights'),
      }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(bars, fc.integer({ min: 1, max: 200 }), (list, columns) => {
        for (const line of drawBars(list, columns)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe('NumberSummary', () => {
  function summaryOf(values: readonly number[]): NumberSummary {
    const summary = new NumberSummary();
    for (const value of values) summary.add(value);
    return summary;
  }

  test('gives range, mean and distribution', () => {
    const [range, histogram] = summaryOf([1, 1, 1, 1, 4]).draw(20);
    expect(range).toBe('  1 to 4, mean 1.6');
    expect(histogram).toMatch(/^ {2}█ +▂$/);
  });

  test('draws equal values as one bin', () => {
    expect(summaryOf([5, 5, 5]).draw(20)).toStrictEqual(['  5 to 5, mean 5', '  █']);
  });

  test('draws a bin at either end of the range, and no more than the terminal takes', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 3, max: 100 }), (list, columns) => {
        const [, histogram = ''] = summaryOf(list).draw(columns);
        expect(histogram.length).toBeLessThanOrEqual(columns);
        expect(histogram).toMatch(/^ {2}[▁-█](.*[▁-█])?$/);
      }),
    );
  });

  test('puts every value into the bin of its place in the range', () => {
    // Two values at either end and three in the middle, in any order, with the range doubling on the way.
    const values = [0, 1000, 500, 0, 500, 1000, 500];
    for (const order of [values, values.toReversed(), values.toSorted((a, b) => a - b)]) {
      const histogram = summaryOf(order).draw(80)[1]?.slice(2) ?? '';
      const counts = Array.from(histogram, (level) => ' ▁▂▃▄▅▆▇█'.indexOf(level));
      expect(counts.filter((count) => count > 0)).toStrictEqual([6, 8, 6]);
      expect(Math.abs(counts.indexOf(8) / (counts.length - 1) - 0.5)).toBeLessThan(0.1);
    }
  });

  test('does not hang on infinite numbers', () => {
    const infinity = Number.POSITIVE_INFINITY;
    const [range] = summaryOf([1, infinity, -infinity, 2]).draw(20);
    expect(range).toContain('-Infinity to Infinity');
  });
});

describe('TextSummary', () => {
  test('shows the most frequent values first', () => {
    const summary = new TextSummary();
    for (const text of ['b', 'a', 'b', 'c', 'b', 'a']) summary.add(text);
    const [first, ...bars] = summary.draw(80);
    expect(first).toBe('  3 different values');
    expect(bars.map((line) => line.trim().split(/ +/).slice(0, 2))).toStrictEqual([
      ['b', '3'],
      ['a', '2'],
      ['c', '1'],
    ]);
  });

  test('finds the frequent values among more different ones than it remembers', () => {
    const summary = new TextSummary();
    for (let i = 0; i < 50_000; i++) summary.add(i % 5 === 0 ? 'often' : `once ${i}`);
    const [first, second] = summary.draw(80);
    expect(first).toMatch(/^ {2}more than [\d,]+ different values$/);
    expect(second).toMatch(/^ {2}often +≥ 10,000/);
  });

  test('counts long texts together', () => {
    const summary = new TextSummary();
    for (const text of ['a', 'a', 'x'.repeat(1000), 'y'.repeat(1000)]) summary.add(text);
    expect(summary.count).toBe(4);
    expect(summary.draw(80)[0]).toBe('  1 different value, 2 longer than 200 characters');
  });
});
