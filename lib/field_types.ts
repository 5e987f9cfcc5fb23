import { native } from './native.js';
import type { NativeFieldType } from './native_types.js';

type Integer = number | bigint | boolean;

/**
 * What each field type means in JavaScript: the accessor that reads it, what that gives for a field that is not
 * nullable, and what a writer takes. All typings follow from this table.
 */
export interface FieldTypes {
  u8: { accessor: 'getU8'; read: number; write: Integer };
  u16: { accessor: 'getU16'; read: number; write: Integer };
  u32: { accessor: 'getU32'; read: number; write: Integer };
  u64: { accessor: 'getU64'; read: bigint; write: Integer };
  i8: { accessor: 'getI8'; read: number; write: Integer };
  i16: { accessor: 'getI16'; read: number; write: Integer };
  i32: { accessor: 'getI32'; read: number; write: Integer };
  i64: { accessor: 'getI64'; read: bigint; write: Integer };
  f32: { accessor: 'getF32'; read: number; write: number };
  f64: { accessor: 'getF64'; read: number; write: number };
  bool8: { accessor: 'getBool'; read: boolean; write: Integer };
  /** Written as a handle, or as a string of the intern table; null for a handle outside the table. */
  utf8_ref: { accessor: 'getRef'; read: string | null; write: number | string };
  utf8: { accessor: 'getString'; read: string; write: string };
  large_utf8: { accessor: 'getString'; read: string; write: string };
  json: { accessor: 'getJson'; read: unknown; write: unknown };
  large_json: { accessor: 'getJson'; read: unknown; write: unknown };
  bytes: { accessor: 'getBytes'; read: Uint8Array | null; write: Uint8Array | readonly number[] };
  large_bytes: { accessor: 'getBytes'; read: Uint8Array | null; write: Uint8Array | readonly number[] };
  fixed_bytes: { accessor: 'getBytes'; read: Uint8Array; write: Uint8Array | readonly number[] };
  i32_array: { accessor: 'getI32Array'; read: Int32Array | null; write: Int32Array | readonly number[] };
  u32_array: { accessor: 'getU32Array'; read: Uint32Array | null; write: Uint32Array | readonly number[] };
  f32_array: { accessor: 'getF32Array'; read: Float32Array | null; write: Float32Array | readonly number[] };
  f64_array: { accessor: 'getF64Array'; read: Float64Array | null; write: Float64Array | readonly number[] };
  i64_array: {
    accessor: 'getI64Array';
    read: BigInt64Array | null;
    write: BigInt64Array | readonly (number | bigint)[];
  };
}

/** Name of a field type. */
export type FieldType = keyof FieldTypes;

/** Name of a typed accessor. */
export type AccessorName = FieldTypes[FieldType]['accessor'];

/** Field types that an accessor reads. */
export type TypesReadBy<A extends AccessorName> = {
  [T in FieldType]: FieldTypes[T]['accessor'] extends A ? T : never;
}[FieldType];

/** Field types with an order, which `findFirst` can search. */
export type OrderableType = 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64';

const byName = new Map(native.fieldTypes.map((type) => [type.name, type]));
const byTag = new Map(native.fieldTypes.map((type) => [type.tag, type]));

/** All type names, as error messages list them. */
export const FIELD_TYPE_NAMES: string = [...byName.keys()].join(', ');

/** What the core knows of a type, by its name. */
export function fieldTypeNamed(name: string): NativeFieldType | undefined {
  return byName.get(name);
}

/** What the core knows of a type, by its tag in a schema that the core has checked. */
export function fieldTypeTagged(tag: number): NativeFieldType {
  const type = byTag.get(tag);
  if (type === undefined) throw new Error(`the core let a field type through that it does not have: ${tag}`);
  return type;
}
