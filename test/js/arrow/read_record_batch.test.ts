import { isUtf8 } from 'node:buffer';
import { type Data, DataType, type Vector } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { packBits, unpackBits } from '../../../dist/arrow/bitmap.js';
import { readRecordBatch } from '../../../dist/arrow.js';
import { createStrand, StrandResetError, StrandView, StrandWriter } from '../../../dist/index.js';
import { expectThrown, open, openNumbered } from '../support/strands.js';

describe('columns of a batch', () => {
  test('are those asked for, in that order', () => {
    const { writer, view } = open([
      { name: 'a', type: 'u8' },
      { name: 'b', type: 'u8' },
    ]);
    writer.writeRecordBatch([{ a: 1, b: 2 }]);
    expect(readRecordBatch(view, 0, 1, { fields: ['b', 'a'] }).schema.names).toStrictEqual(['b', 'a']);
    expectThrown(() => readRecordBatch(view, 0, 1, { fields: ['c' as never] }), TypeError);
    expectThrown(() => readRecordBatch(view, 0, 1, { fields: 'a' as never }), TypeError);
  });

  test('belong to records that can be read', () => {
    const { writer, view } = openNumbered(2);
    expectThrown(() => readRecordBatch(view, 0, 1), RangeError);
    writer.writeRecordBatch([{ n: 1 }, { n: 2 }]);
    view.acknowledgeRead(2);
    writer.writeRecordBatch([{ n: 3 }]);
    expectThrown(() => readRecordBatch(view, 0, 1), RangeError);
    writer.reset();
    expectThrown(() => readRecordBatch(view, 0, 1), StrandResetError);
  });
});

describe('utf8_ref', () => {
  const fields = [{ name: 'kind', type: 'utf8_ref' }] as const;

  test('is a dictionary of the intern table; a handle outside it is null', () => {
    const strand = createStrand(fields);
    const writer = new StrandWriter(strand);
    writer.writeRecordBatch([
      { kind: 1 },
      { kind: 7 },
      { kind: 0xffffffff },
      { kind: 0 },
      { kind: 0x80000000 },
    ]);
    const view = new StrandView(strand, ['a', 'b']);
    const column = readRecordBatch(view, 0, 5).getChild('kind') as Vector;
    expect(DataType.isDictionary(column.type)).toBe(true);
    expect(column.toArray()).toStrictEqual(['b', null, null, 'a', null]);
    expect(column.nullCount).toBe(3);
  });

  test('follows the table', () => {
    const strand = createStrand(fields);
    new StrandWriter(strand).writeRecordBatch([{ kind: 0 }, { kind: 1 }]);
    const table = ['a'];
    const view = new StrandView(strand, table);
    const values = () => (readRecordBatch(view, 0, 2).getChild('kind') as Vector).toArray();
    expect(values()).toStrictEqual(['a', null]);
    table.push('b');
    expect(values()).toStrictEqual(['a', 'b']);
    view.updateInternTable(['x', 'y']);
    expect(values()).toStrictEqual(['x', 'y']);
    view.updateInternTable([]);
    expect(values()).toStrictEqual([null, null]);
  });

  test('without a table is refused, and can be left out', () => {
    const strand = createStrand([...fields, { name: 'n', type: 'u8' }]);
    new StrandWriter(strand).writeRecordBatch([{ kind: 1, n: 2 }]);
    const view = new StrandView(strand);
    expectThrown(() => readRecordBatch(view, 0, 1), TypeError, { field: 'kind' });
    expect(readRecordBatch(view, 0, 1, { fields: ['n'] }).numRows).toBe(1);
  });
});

test.each([
  // The second and third text cut the euro sign in two, and the whole is UTF-8.
  ['that cut a character', [0x61, 0xe2, 0x82, 0xac, 0x62], [0, 1, 3, 4, 5]],
  ['that no character has', [0x61, 0xff, 0x62, 0xc3, 0xa9], [0, 2, 3, 3, 5]],
] as const)('texts of bytes %s read as a cursor reads them', (_, bytes, ends) => {
  const { writer, view } = open([{ name: 't', type: 'utf8' }], { heapCapacity: 1024 });
  writer.writeColumns({ t: { offsets: Int32Array.from(ends), values: Uint8Array.from(bytes) } });
  const cursor = view.allocateCursor();
  const expected = [0, 1, 2, 3].map((seq) => {
    cursor.seek(seq);
    return cursor.getString('t');
  });
  expect(expected.join('')).toContain('\ufffd');
  const column = readRecordBatch(view, 0, 4).getChild('t') as Vector;
  expect(column.toArray()).toStrictEqual(expected);
  const { valueOffsets, values } = column.data[0] as Data;
  for (let i = 0; i < 4; i++) {
    expect(isUtf8(values.subarray(valueOffsets[i], valueOffsets[i + 1])), `text ${i}`).toBe(true);
  }
});

test('bits are packed as they are unpacked, at every length and offset', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => Number((i * i) % 3 === 1));
    const bits = packBits(bytes);
    for (let offset = 0; offset <= length; offset++) {
      expect(unpackBits(bits, offset, length - offset)).toStrictEqual(bytes.slice(offset));
    }
  }
});
