import type { AccessorName } from '../field_types.js';
import type { RecordSource } from './record_source.js';

/**
 * A class that goes to records. The reading part is added to it for each schema: the accessors, `get`, `toObject` and
 * `row`. All of them give null for an unknown name, a field that another accessor reads, a null, and while the cursor
 * stands nowhere.
 */
export type CursorBase = abstract new (window: never) => RecordSource;

export type CursorClass = new (window: unknown) => object;

/** The accessor of each field type. */
export const ACCESSORS: Readonly<Record<string, AccessorName>> = {
  u8: 'getU8',
  u16: 'getU16',
  u32: 'getU32',
  u64: 'getU64',
  i8: 'getI8',
  i16: 'getI16',
  i32: 'getI32',
  i64: 'getI64',
  f32: 'getF32',
  f64: 'getF64',
  bool8: 'getBool',
  utf8_ref: 'getRef',
  utf8: 'getString',
  large_utf8: 'getString',
  json: 'getJson',
  large_json: 'getJson',
  bytes: 'getBytes',
  large_bytes: 'getBytes',
  fixed_bytes: 'getBytes',
  i32_array: 'getI32Array',
  u32_array: 'getU32Array',
  f32_array: 'getF32Array',
  f64_array: 'getF64Array',
  i64_array: 'getI64Array',
};

export const ACCESSOR_NAMES: readonly AccessorName[] = [...new Set(Object.values(ACCESSORS))];

/** Class of the typed array that a field of this type reads as. */
export const ARRAY_CLASSES = {
  bytes: Uint8Array,
  large_bytes: Uint8Array,
  i32_array: Int32Array,
  u32_array: Uint32Array,
  f32_array: Float32Array,
  f64_array: Float64Array,
  i64_array: BigInt64Array,
} as const;
