import { ARRAY_CLASSES } from '../codec/accessors.js';
import type { FieldPlan } from '../codec/plan.js';
import type { NumberArray } from './types.js';

/** A class of typed arrays. */
export interface ColumnClass {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): NumberArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): NumberArray;
}

const CLASSES: Readonly<Record<string, unknown>> = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
  bool8: Uint8Array,
  utf8_ref: Uint32Array,
  fixed_bytes: Uint8Array,
  ...ARRAY_CLASSES,
};

/** Class of the typed array that holds a field's values, or the elements or bytes of all its values. */
export function classOf(field: FieldPlan): ColumnClass {
  return (CLASSES[field.type.name] ?? Uint8Array) as ColumnClass;
}

/** Numbers of that class that one value without a payload takes. */
export function elementsPerValue(field: FieldPlan): number {
  return field.type.kind === 'fixed' ? field.width : 1;
}

/** Words of the validity bitset of `count` records. */
export function validityWords(count: number): number {
  return Math.ceil(count / 32);
}
