import type { FieldType } from '../field_types.js';
import type { IsLoose, NamesOf, Schema, SchemaField } from '../schema_types.js';

/**
 * One column of a range of records.
 *
 * `validity` is a bitset of ⌈n / 32⌉ words: bit `j & 31` of word `j >> 5` tells of the range's record j, 1 = present.
 * Where a value is absent `values` holds null in a list and 0 in a typed array.
 */
export interface Column<V> {
  readonly values: V;
  readonly validity?: Uint32Array | undefined;
}

/**
 * One column of values of different lengths, as Apache Arrow lays it out: value j is the elements from `offsets[j]` to
 * `offsets[j + 1]`; text and JSON are UTF-8 bytes. `offsets` has one number more than there are records, and an absent
 * value has no elements.
 */
export interface PackedColumn<V> {
  readonly offsets: Int32Array;
  readonly values: V;
  readonly validity?: Uint32Array | undefined;
}

/** A packed column as a writer takes it: UTF-8 and other bytes may also be named `bytes`. */
export type PackedInput<V> =
  | PackedColumn<V>
  | (V extends Uint8Array
      ? { readonly offsets: Int32Array; readonly bytes: V; readonly validity?: Uint32Array | undefined }
      : never);

/** A value of a list that may lack. */
type Lacking<T> = T | null | undefined;

type Integers = readonly Lacking<number | bigint | boolean>[];

/** A column of numbers; `A` is its typed array, `L` the lists that a writer takes beside it. */
interface NumberColumn<A, L> {
  read: A;
  packed: Column<A>;
  out: A;
  write: A | L | Column<A | L>;
}

/** A column of texts. `T` is what reading one gives, and `W` what a writer takes. */
interface TextColumn<T, W> {
  read: T[];
  packed: PackedColumn<Uint8Array>;
  out: T[];
  write: readonly Lacking<W>[] | Column<readonly Lacking<W>[]> | PackedInput<Uint8Array>;
}

/** A column of typed arrays; `E` is what stands in a plain list of elements. */
interface ArrayColumn<A, E> {
  read: (A | null)[];
  packed: PackedColumn<A>;
  out: (A | null)[];
  write: readonly Lacking<A | readonly E[]>[] | Column<readonly Lacking<A | readonly E[]>[]> | PackedInput<A>;
}

/**
 * What a column of each field type is: `read` by `readColumn`, `packed` of `readColumns` with `{ packed: true }`,
 * `out` what is read into, `write` what `writeColumns` takes. All typings of columns follow from this table.
 */
export interface ColumnTypes {
  u8: NumberColumn<Uint8Array, Integers>;
  u16: NumberColumn<Uint16Array, Integers>;
  u32: NumberColumn<Uint32Array, Integers>;
  u64: NumberColumn<BigUint64Array, Integers>;
  i8: NumberColumn<Int8Array, Integers>;
  i16: NumberColumn<Int16Array, Integers>;
  i32: NumberColumn<Int32Array, Integers>;
  i64: NumberColumn<BigInt64Array, Integers>;
  f32: NumberColumn<Float32Array, readonly Lacking<number>[]>;
  f64: NumberColumn<Float64Array, readonly Lacking<number>[]>;
  bool8: NumberColumn<Uint8Array, Integers>;
  /** Read as strings of the intern table, null for a handle outside it; packed it is the handles. */
  utf8_ref: {
    read: (string | null)[];
    packed: Column<Uint32Array>;
    out: (string | null)[];
    write:
      | Uint32Array
      | readonly Lacking<number | string>[]
      | Column<Uint32Array | readonly Lacking<number | string>[]>;
  };
  utf8: TextColumn<string, string>;
  large_utf8: TextColumn<string, string>;
  json: TextColumn<unknown, unknown>;
  large_json: TextColumn<unknown, unknown>;
  bytes: ArrayColumn<Uint8Array, number>;
  large_bytes: ArrayColumn<Uint8Array, number>;
  /** Packed, and as one typed array for a writer, the values lie one behind the other. */
  fixed_bytes: {
    read: (Uint8Array | null)[];
    packed: Column<Uint8Array>;
    out: (Uint8Array | null)[];
    write:
      | Uint8Array
      | readonly Lacking<Uint8Array | readonly number[]>[]
      | Column<Uint8Array | readonly Lacking<Uint8Array | readonly number[]>[]>;
  };
  i32_array: ArrayColumn<Int32Array, number>;
  u32_array: ArrayColumn<Uint32Array, number>;
  f32_array: ArrayColumn<Float32Array, number>;
  f64_array: ArrayColumn<Float64Array, number>;
  i64_array: ArrayColumn<BigInt64Array, number | bigint>;
}

/** Any typed array that a column of numbers has. */
export type NumberArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** A column whose field is known only at run time. */
export type LooseColumn = Column<NumberArray | readonly unknown[]>;
/** The same packed: only heap types have `offsets`. */
export type LoosePackedColumn = Column<NumberArray> & { readonly offsets?: Int32Array | undefined };

type IsNullable<F extends SchemaField> = F extends {
  readonly name: string;
  readonly nullableBitIndex?: undefined;
}
  ? false
  : true;

/** Texts of fields that are not nullable are never null; nulls of the other lists are their types'. */
type ReadList<F extends SchemaField, V> =
  IsNullable<F> extends true
    ? V extends string[]
      ? (string | null)[]
      : V
    : F['type'] extends 'fixed_bytes'
      ? Uint8Array[]
      : V;

type FieldNamed<S extends Schema, N> = Extract<S['fields'][number], { readonly name: N }>;

type ValuesOfField<F extends SchemaField> = F extends SchemaField
  ? ReadList<F, ColumnTypes[F['type']]['read']>
  : never;

type PackedOfField<F extends SchemaField> = F extends SchemaField ? ColumnTypes[F['type']]['packed'] : never;

/** What `readColumn` gives of a field. */
export type ColumnValues<S extends Schema, N extends NamesOf<S>> =
  IsLoose<S> extends true ? NumberArray | unknown[] : ValuesOfField<FieldNamed<S, N>>;

/**
 * Where `readColumn` puts values: a typed array of the field's class with room, or an array, which takes the range's
 * length. `validity` takes the validity bitset.
 */
export type ColumnOut<S extends Schema, N extends NamesOf<S>> =
  IsLoose<S> extends true
    ?
        | NumberArray
        | unknown[]
        | {
            readonly values?: NumberArray | unknown[] | undefined;
            readonly validity?: Uint32Array | undefined;
          }
    :
        | ColumnValues<S, N>
        | {
            readonly values?: ColumnValues<S, N> | undefined;
            readonly validity?: Uint32Array | undefined;
          };

/** What `readColumns` gives: the columns by their fields' names. */
export type ColumnsRead<S extends Schema, N extends NamesOf<S> = NamesOf<S>> =
  IsLoose<S> extends true
    ? Record<string, LooseColumn>
    : { [F in N]: Column<ValuesOfField<FieldNamed<S, F>>> };

/** The same with `{ packed: true }`. */
export type PackedColumnsRead<S extends Schema, N extends NamesOf<S> = NamesOf<S>> =
  IsLoose<S> extends true ? Record<string, LoosePackedColumn> : { [F in N]: PackedOfField<FieldNamed<S, F>> };

type WrittenAs<T extends FieldType> = ColumnTypes[T]['write'];

/**
 * What `writeColumns` takes. A column left out, null or undefined stands for values that are left out; within a list
 * null and undefined do.
 */
export type ColumnsOf<S extends Schema> =
  IsLoose<S> extends true
    ? object
    : {
        readonly [F in S['fields'][number] as F['name']]?: WrittenAs<F['type']> | null | undefined;
      };

export interface ReadColumnsOptions {
  /**
   * Whether columns come in Apache Arrow's form: heap types as {@link PackedColumn}, `utf8_ref` as handles,
   * `fixed_bytes` one behind the other.
   */
  readonly packed?: boolean | undefined;
}
