import type * as Arrow from 'apache-arrow';
import type { FieldType } from '../field_types.js';
import type { IsLoose, NamesOf, Schema } from '../schema_types.js';

/** Arrow type of each field type. */
export interface ArrowTypes {
  u8: Arrow.Uint8;
  u16: Arrow.Uint16;
  u32: Arrow.Uint32;
  u64: Arrow.Uint64;
  i8: Arrow.Int8;
  i16: Arrow.Int16;
  i32: Arrow.Int32;
  i64: Arrow.Int64;
  f32: Arrow.Float32;
  f64: Arrow.Float64;
  bool8: Arrow.Bool;
  /** The dictionary is the intern table. A handle outside it is null. */
  utf8_ref: Arrow.Dictionary<Arrow.Utf8, Arrow.Int32>;
  utf8: Arrow.Utf8;
  large_utf8: Arrow.Utf8;
  /** JSON text, with the metadata of the canonical extension type `arrow.json`. */
  json: Arrow.Utf8;
  large_json: Arrow.Utf8;
  bytes: Arrow.Binary;
  large_bytes: Arrow.Binary;
  fixed_bytes: Arrow.FixedSizeBinary;
  i32_array: Arrow.List<Arrow.Int32>;
  u32_array: Arrow.List<Arrow.Uint32>;
  f32_array: Arrow.List<Arrow.Float32>;
  f64_array: Arrow.List<Arrow.Float64>;
  i64_array: Arrow.List<Arrow.Int64>;
}

type TypeOfField<S extends Schema, N> =
  Extract<S['fields'][number], { readonly name: N }> extends { readonly type: infer T extends FieldType }
    ? ArrowTypes[T]
    : never;

/** Types of a record batch's columns by name; anything for a schema known only at run time. */
export type ArrowColumns<S extends Schema, N extends NamesOf<S> = NamesOf<S>> =
  IsLoose<S> extends true ? Arrow.TypeMap : { [F in N]: TypeOfField<S, F> };

export interface ReadRecordBatchOptions<N extends string = string> {
  /** Names of the columns, in their order; all fields unless given. */
  readonly fields?: readonly N[] | undefined;
}

export interface RecordBatchReaderOptions<N extends string = string> extends ReadRecordBatchOptions<N> {
  /** Ends the reader with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Records of one batch at most; unless given all that are committed come together. */
  readonly maxRecords?: number | undefined;
}

export interface WriteRecordBatchOptions {
  /** Strings of the `utf8_ref` fields, by handle; unless given those that the strand carries. */
  readonly internTable?: readonly string[] | undefined;
}
