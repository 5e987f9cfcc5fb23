import { describe, expect, test } from 'vitest';
import type { Row } from '../../../examples/demo/parse/row.mjs';
import type { Column } from '../../../examples/demo/schema/column.mjs';
import { asideName, RecordShaper } from '../../../examples/demo/schema/record_shaper.mjs';

const columns: readonly Column[] = [
  { name: 'n', kind: 'number', type: 'f64' },
  { name: 'i', kind: 'number', type: 'i32' },
  { name: 'b', kind: 'boolean', type: 'bool8' },
  { name: 't', kind: 'text', type: 'utf8' },
  { name: 'l', kind: 'text', type: 'large_utf8' },
  { name: 'j', kind: 'json', type: 'large_json' },
];

function shape(row: Row, isTextual = false): Record<string, unknown> {
  return new RecordShaper(columns, { aside: '_rest', isTextual }).shape(row);
}

describe('RecordShaper', () => {
  test('leaves alone what fits', () => {
    const row = { n: 1.5, i: -3, b: false, t: 'x', l: 'y', j: { k: [] } };
    expect(shape({ ...row })).toStrictEqual(row);
  });

  test('leaves out what is missing or null', () => {
    expect(shape({ n: null, t: null })).toStrictEqual({ n: null, t: null });
    expect(shape({})).toStrictEqual({});
  });

  test('reads numbers and booleans in texts', () => {
    expect(shape({ n: '1.5', i: '-3', b: 'TRUE', t: '1', l: 'true' }, true)).toStrictEqual({
      n: 1.5,
      i: -3,
      b: true,
      t: '1',
      l: 'true',
    });
  });

  test.each([
    ['n', 'n/a'],
    ['n', true],
    ['i', 1.5],
    ['i', 2 ** 31],
    ['b', 1],
    ['b', 'true'],
    ['t', 'x'.repeat(65_536)],
    ['t', 'é'.repeat(40_000)],
  ])('keeps aside what does not fit %s: %o', (name, value) => {
    expect(shape({ [name]: value })).toStrictEqual({ [name]: null, _rest: { [name]: value } });
  });

  test.each([
    ['n', '007'],
    ['n', '12345678901234567890'],
    ['i', '1.5'],
    ['b', 'yes'],
  ])('keeps aside the text that does not fit %s: %s', (name, value) => {
    expect(shape({ [name]: value }, true)).toStrictEqual({ [name]: null, _rest: { [name]: value } });
  });

  test('takes texts of 65,535 bytes', () => {
    const text = `x${'é'.repeat(32_767)}`;
    expect(shape({ t: text })).toStrictEqual({ t: text });
  });

  test('writes other values into a column of texts as text', () => {
    expect(shape({ t: 1, l: { k: [true] } })).toStrictEqual({ t: '1', l: '{"k":[true]}' });
  });

  test('keeps aside what has no column', () => {
    expect(shape({ n: 1, x: 2, _rest: 3 })).toMatchObject({ n: 1, _rest: { x: 2, _rest: 3 } });
  });

  test('does not take inherited properties for values', () => {
    const shaper = new RecordShaper([{ name: 'constructor', kind: 'text', type: 'utf8' }], {
      aside: '_rest',
      isTextual: false,
    });
    expect(shaper.shape({})).toStrictEqual({});
    const { _rest: rest } = shaper.shape(JSON.parse('{"__proto__":1}'));
    expect(JSON.stringify(rest)).toBe('{"__proto__":1}');
  });
});

describe('asideName', () => {
  test('avoids the names of columns', () => {
    const named = (...names: string[]) => names.map((name): Column => ({ name, kind: 'text', type: 'utf8' }));
    expect(asideName(named('a'))).toBe('_rest');
    expect(asideName(named('_rest', '_rest_'))).toBe('_rest__');
  });
});
