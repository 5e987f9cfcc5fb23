import { describe, expect, test } from 'vitest';
import * as strand from '../../dist/index.js';

const CAPACITY = 8;
const HEAP = 64;
const schema = strand.buildSchema([
  { name: 'id', type: 'u32', nullable: true, sorted: 'asc' },
  { name: 'rank', type: 'u16', sorted: 'desc' },
  { name: 'label', type: 'utf8' },
]);

function freshStrand(meta?: object) {
  const map = strand.computeStrandMap({ schema, index_capacity: CAPACITY, heap_capacity: HEAP });
  const sab = new SharedArrayBuffer(map.total_bytes);
  strand.initStrandHeader(sab, map, meta);
  return { map, sab, words: new Int32Array(sab), data: new DataView(sab) };
}

describe('layout constants find what they name in a strand', () => {
  test('the static words', () => {
    const { data, map } = freshStrand({ a: 1 });
    const word = (offset: number) => data.getUint32(offset, true);
    expect(word(strand.OFFSET_MAGIC)).toBe(strand.STRAND_MAGIC);
    expect(word(strand.OFFSET_VERSION)).toBe(strand.STRAND_VERSION);
    expect(word(strand.OFFSET_FINGERPRINT)).toBe(strand.schemaFingerprint(schema));
    expect(word(strand.OFFSET_RECORD_STRIDE)).toBe(map.record_stride);
    expect(word(strand.OFFSET_INDEX_CAPACITY)).toBe(CAPACITY);
    expect(word(strand.OFFSET_HEAP_CAPACITY)).toBe(HEAP);
    expect(word(strand.OFFSET_HEADER_SIZE)).toBe(strand.HEADER_SIZE);
    const binary = strand.encodeSchema(schema);
    expect(word(strand.OFFSET_SCHEMA_BYTE_LEN)).toBe(binary.length);
    const bytes = new Uint8Array(data.buffer);
    expect(bytes.slice(strand.OFFSET_SCHEMA, strand.OFFSET_SCHEMA + binary.length)).toEqual(binary);
    const metaAt = strand.OFFSET_SCHEMA + binary.length;
    const meta = bytes.slice(metaAt, metaAt + word(strand.OFFSET_META_BYTE_LEN));
    expect(JSON.parse(new TextDecoder().decode(meta))).toEqual({
      columns: ['id', 'rank', 'label'],
      meta: { a: 1 },
    });
  });

  test('the checksum', () => {
    const { sab, data } = freshStrand();
    data.setUint32(strand.OFFSET_HEADER_CRC, data.getUint32(strand.OFFSET_HEADER_CRC, true) ^ 1, true);
    expect(() => strand.readStrandHeader(sab)).toThrow(/CRC/);
  });

  test('the vacant consumer slots', () => {
    const { words } = freshStrand();
    for (let slot = 0; slot < strand.MAX_CONSUMERS; slot++) {
      const at = strand.CTRL_CONSUMER_SLOTS + slot * strand.CONSUMER_SLOT_STRIDE;
      expect(words[at]).toBe(strand.CONSUMER_SLOT_VACANT);
    }
    const end = strand.CTRL_CONSUMER_SLOTS + strand.MAX_CONSUMERS * strand.CONSUMER_SLOT_STRIDE;
    expect(end * Int32Array.BYTES_PER_ELEMENT).toBe(strand.OFFSET_SCHEMA);
  });

  test('the status word', () => {
    const { words } = freshStrand();
    expect(words[strand.CTRL_STATUS]).toBe(strand.STATUS_INITIALIZING);
  });

  test('the field flags', () => {
    expect(schema.fields.map(({ flags }) => flags)).toEqual([
      strand.FIELD_FLAG_NULLABLE | strand.FIELD_FLAG_SORTED_ASC,
      strand.FIELD_FLAG_SORTED_DESC,
      0,
    ]);
  });
});

test('every control word lies in the header, whole and alone', () => {
  const words = Object.entries(strand).filter(([name]) => name.startsWith('CTRL_')) as [string, number][];
  expect(words.length).toBeGreaterThan(20);
  for (const [name, index] of words) {
    expect(Number.isInteger(index), name).toBe(true);
    expect(index * 4, name).toBeGreaterThan(strand.OFFSET_META_BYTE_LEN);
    expect(index * 4, name).toBeLessThan(strand.OFFSET_SCHEMA);
  }
  expect(new Set(words.map(([, index]) => index)).size).toBe(words.length);
});

test('the values of the status word differ', () => {
  const values = [
    strand.STATUS_INITIALIZING,
    strand.STATUS_STREAMING,
    strand.STATUS_EOS,
    strand.STATUS_ERROR,
  ];
  expect(new Set(values).size).toBe(values.length);
});

test('the low word of a vacant cursor is −1', () => {
  expect(strand.CONSUMER_SLOT_VACANT).toBe(-1);
});

test('widths are those of the type table', () => {
  expect(strand.FIELD_BYTE_WIDTHS).toEqual({
    u8: 1,
    u16: 2,
    u32: 4,
    i32: 4,
    i8: 1,
    i16: 2,
    i64: 8,
    u64: 8,
    f32: 4,
    f64: 8,
    bool8: 1,
    utf8_ref: 4,
    utf8: 6,
    json: 6,
    bytes: 6,
    i32_array: 6,
    f32_array: 6,
    fixed_bytes: 0,
    large_utf8: 8,
    large_json: 8,
    large_bytes: 8,
    f64_array: 8,
    i64_array: 8,
    u32_array: 8,
  });
});
