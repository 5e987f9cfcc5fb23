import { expect, test } from 'vitest';
import { FIELD_BYTE_WIDTHS, type FieldType, type OrderableType } from '../../dist/index.js';
import { native } from '../../dist/native.js';

const yes = true as const;

test('the orderable types of the typings are those of the core', () => {
  const orderable = {
    ...{ u8: yes, u16: yes, u32: yes, u64: yes, i8: yes, i16: yes, i32: yes, i64: yes },
    ...{ f32: yes, f64: yes },
  } satisfies Record<OrderableType, true>;
  const kinds = ['unsigned', 'signed', 'float'];
  const ofCore = native.fieldTypes.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  expect(Object.keys(orderable).sort()).toEqual(ofCore.sort());
});

test('the types of the typings are those of the core', () => {
  const types = {
    ...{ u8: yes, u16: yes, u32: yes, u64: yes, i8: yes, i16: yes, i32: yes, i64: yes },
    ...{ f32: yes, f64: yes, bool8: yes, utf8_ref: yes, utf8: yes, large_utf8: yes },
    ...{ json: yes, large_json: yes, bytes: yes, large_bytes: yes, fixed_bytes: yes },
    ...{ i32_array: yes, u32_array: yes, f32_array: yes, f64_array: yes, i64_array: yes },
  } satisfies Record<FieldType, true>;
  expect(Object.keys(types).sort()).toEqual(native.fieldTypes.map(({ name }) => name).sort());
  expect(Object.keys(FIELD_BYTE_WIDTHS).sort()).toEqual(Object.keys(types).sort());
});
