import { describe, expect, test } from 'vitest';
import { DemoError } from '../../../examples/demo/demo_error.mjs';
import type { Row } from '../../../examples/demo/parse/row.mjs';
import { inferColumns } from '../../../examples/demo/schema/infer_columns.mjs';

const defaults = { isTextual: false, isComplete: false, order: [] };

/** The type of a column with these values. */
function typeOf(values: readonly unknown[], options: Partial<typeof defaults> = {}): string | undefined {
  const rows = values.map((a): Row => ({ a, b: 1 }));
  return inferColumns(rows, { ...defaults, ...options }).find(({ name }) => name === 'a')?.type;
}

describe('inferColumns, of JSON', () => {
  test.each([
    ['integers', [1, 2], 'f64'],
    ['fractions', [1, 2.5], 'f64'],
    ['booleans', [true, false], 'bool8'],
    ['texts', ['x', '1'], 'utf8'],
    ['long texts', ['x'.repeat(10_000)], 'large_utf8'],
    ['objects and arrays', [{}, []], 'large_json'],
    ['values that are missing here and there', [null, undefined, 1], 'f64'],
    ['nothing yet, which may become anything', [null, undefined], 'large_json'],
    ['numbers and texts', [1, 'x'], 'utf8'],
    ['numbers and booleans', [1, true], 'utf8'],
    ['texts and objects', ['x', {}], 'large_json'],
  ])('takes %s', (_, values, type) => {
    expect(typeOf(values)).toBe(type);
  });

  test.each([
    ['small integers', [1, -(2 ** 31), 2 ** 31 - 1], 'i32'],
    ['fractions', [1, 2.5], 'f64'],
    ['large integers', [2 ** 31], 'f64'],
    ['a negative zero', [-0], 'f64'],
  ])('takes %s when there is no more to come', (_, values, type) => {
    expect(typeOf(values, { isComplete: true })).toBe(type);
  });

  test('finds columns in any of the rows', () => {
    const names = inferColumns([{ a: 1 }, { b: 2 }], defaults).map(({ name }) => name);
    expect(names).toStrictEqual(['a', 'b']);
  });

  test('refuses records without fields', () => {
    expect(() => inferColumns([{}, { '': 1 }], defaults)).toThrow(DemoError);
  });
});

describe('inferColumns, of CSV', () => {
  test.each([
    ['numbers', ['1', '-2.5', '.5', '1e3', '+7', '0', '0.10'], 'f64'],
    ['booleans', ['true', 'FALSE', null], 'bool8'],
    ['texts', ['x'], 'utf8'],
    ['nothing yet', [null], 'utf8'],
    ['numbers and texts', ['1', 'n/a'], 'utf8'],
    ['numbers and booleans', ['1', 'true'], 'utf8'],
    ['postal codes', ['02134', '90210'], 'utf8'],
    ['identifiers too long for numbers', ['12345678901234567890'], 'utf8'],
    ['what only JavaScript takes for numbers', ['0x10', 'Infinity', ' ', '.', 'e5', '1e999'], 'utf8'],
  ])('takes %s', (_, values, type) => {
    expect(typeOf(values, { isTextual: true })).toBe(type);
  });

  test('keeps the order of the file', () => {
    const columns = inferColumns([{ 1958: '1', Month: 'JAN' }], {
      ...defaults,
      isTextual: true,
      order: ['Month', '1958'],
    });
    expect(columns.map(({ name }) => name)).toStrictEqual(['Month', '1958']);
  });
});
