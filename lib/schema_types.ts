import type { AccessorName, FieldType, FieldTypes, TypesReadBy } from './field_types.js';

/** What is declared of a field. */
export interface FieldDescriptor {
  /** Unique in its schema, not empty. */
  readonly name: string;
  readonly type: FieldType;
  /** `FIELD_FLAG_*` bits; `nullable` and `sorted` say the same more legibly. */
  readonly flags?: number | undefined;
  /** Whether a record can lack the value. Costs one bit of the record's validity bitmap. */
  readonly nullable?: boolean | undefined;
  /** States that the records come in this order of the field's values, which lets `findFirst` search them. */
  readonly sorted?: 'asc' | 'desc' | undefined;
  /** Bytes of a `fixed_bytes` field; only and always there. */
  readonly length?: number | undefined;
}

/** A field with its place in the record's slot. */
export interface SchemaField {
  readonly name: string;
  readonly type: FieldType;
  /** Bytes from the slot's start. */
  readonly byteOffset: number;
  /** `FIELD_FLAG_*` bits. */
  readonly flags: number;
  /** Bit in the validity bitmap, least significant first; only of nullable fields. */
  readonly nullableBitIndex?: number | undefined;
  /** Bytes of a `fixed_bytes` field. */
  readonly length?: number | undefined;
}

/** Fields of a record and their places in its slot. Plain data; the type carries the fields where they are known. */
export interface Schema<F extends readonly SchemaField[] = readonly SchemaField[]> {
  readonly fields: F;
  /** Bytes from one slot to the next, a multiple of 4. */
  readonly record_stride: number;
}

/** `{}` without the bit, the bit, or perhaps the bit: what is known of a declaration decides. */
type NullableBit<D extends FieldDescriptor> = D extends { readonly nullable: true }
  ? { readonly nullableBitIndex: number }
  : D extends {
        readonly name: string;
        readonly flags?: 0 | undefined;
        readonly nullable?: false | undefined;
      }
    ? { readonly nullableBitIndex?: never }
    : { readonly nullableBitIndex?: number };

type LaidOutField<D extends FieldDescriptor> = {
  readonly name: D['name'];
  readonly type: D['type'];
  readonly byteOffset: number;
  readonly flags: number;
} & ('fixed_bytes' extends D['type'] ? { readonly length?: number } : unknown) &
  NullableBit<D>;

/** The schema that `buildSchema` makes of a list of declarations. */
export type SchemaOf<D extends readonly FieldDescriptor[]> = Schema<{
  readonly [I in keyof D]: LaidOutField<D[I]>;
}>;

/** Whether nothing is known of a schema's fields before run time. */
export type IsLoose<S extends Schema> = number extends S['fields']['length']
  ? true
  : string extends S['fields'][number]['name']
    ? true
    : false;

/** Names of a schema's fields, of all or of some types. Any string for a schema known only at run time. */
export type NamesOf<S extends Schema, T extends FieldType = FieldType> =
  IsLoose<S> extends true ? string : Extract<S['fields'][number], { readonly type: T }>['name'];

type NullOf<F extends SchemaField> = F extends {
  readonly name: string;
  readonly nullableBitIndex?: undefined;
}
  ? never
  : null;

type ReadOf<F extends SchemaField> = F extends SchemaField
  ? FieldTypes[F['type']]['read'] | NullOf<F>
  : never;

type WriteOf<F extends SchemaField> = F extends SchemaField ? FieldTypes[F['type']]['write'] : never;

/** What reading a field gives. */
export type ValueOf<S extends Schema, N extends NamesOf<S>> =
  IsLoose<S> extends true ? unknown : ReadOf<Extract<S['fields'][number], { readonly name: N }>>;

/** What `toObject()` gives: every field by its name. */
export type RowOf<S extends Schema> =
  IsLoose<S> extends true ? Record<string, unknown> : { [F in S['fields'][number] as F['name']]: ReadOf<F> };

/**
 * What a writer accepts. Any field may be left out or null: a nullable one then reads null, another one 0, `false`,
 * `''` and so on by its type. Further keys are ignored.
 */
export type RecordOf<S extends Schema> =
  IsLoose<S> extends true
    ? object
    : { readonly [F in S['fields'][number] as F['name']]?: WriteOf<F> | null | undefined };

type AccessorValue<S extends Schema, A extends AccessorName, N extends NamesOf<S>> =
  IsLoose<S> extends true
    ? FieldTypes[TypesReadBy<A>]['read'] | null
    : ReadOf<Extract<S['fields'][number], { readonly name: N; readonly type: TypesReadBy<A> }>>;

/**
 * The typed accessors of a cursor. Each takes the names of the fields that it reads. They give null for a nullable
 * field without a value, and before the cursor stands on a record; with a schema known only at run time also for
 * an unknown name and for a field that another accessor reads.
 */
export interface CursorAccessors<S extends Schema = Schema> {
  getU8<const N extends NamesOf<S, 'u8'>>(name: N): AccessorValue<S, 'getU8', N>;
  getU16<const N extends NamesOf<S, 'u16'>>(name: N): AccessorValue<S, 'getU16', N>;
  getU32<const N extends NamesOf<S, 'u32'>>(name: N): AccessorValue<S, 'getU32', N>;
  getU64<const N extends NamesOf<S, 'u64'>>(name: N): AccessorValue<S, 'getU64', N>;
  getI8<const N extends NamesOf<S, 'i8'>>(name: N): AccessorValue<S, 'getI8', N>;
  getI16<const N extends NamesOf<S, 'i16'>>(name: N): AccessorValue<S, 'getI16', N>;
  getI32<const N extends NamesOf<S, 'i32'>>(name: N): AccessorValue<S, 'getI32', N>;
  getI64<const N extends NamesOf<S, 'i64'>>(name: N): AccessorValue<S, 'getI64', N>;
  getF32<const N extends NamesOf<S, 'f32'>>(name: N): AccessorValue<S, 'getF32', N>;
  getF64<const N extends NamesOf<S, 'f64'>>(name: N): AccessorValue<S, 'getF64', N>;
  getBool<const N extends NamesOf<S, 'bool8'>>(name: N): AccessorValue<S, 'getBool', N>;
  /** The intern table's string; null also for a handle outside the table. */
  getRef<const N extends NamesOf<S, 'utf8_ref'>>(name: N): AccessorValue<S, 'getRef', N>;
  /** Decoded once a record. */
  getString<const N extends NamesOf<S, 'utf8' | 'large_utf8'>>(name: N): AccessorValue<S, 'getString', N>;
  /** Parsed once a record. */
  getJson<const N extends NamesOf<S, 'json' | 'large_json'>>(name: N): AccessorValue<S, 'getJson', N>;
  /** A view of the shared memory, valid until the record is acknowledged; so are all arrays. */
  getBytes<const N extends NamesOf<S, 'bytes' | 'large_bytes' | 'fixed_bytes'>>(
    name: N,
  ): AccessorValue<S, 'getBytes', N>;
  getI32Array<const N extends NamesOf<S, 'i32_array'>>(name: N): AccessorValue<S, 'getI32Array', N>;
  getU32Array<const N extends NamesOf<S, 'u32_array'>>(name: N): AccessorValue<S, 'getU32Array', N>;
  getF32Array<const N extends NamesOf<S, 'f32_array'>>(name: N): AccessorValue<S, 'getF32Array', N>;
  getF64Array<const N extends NamesOf<S, 'f64_array'>>(name: N): AccessorValue<S, 'getF64Array', N>;
  getI64Array<const N extends NamesOf<S, 'i64_array'>>(name: N): AccessorValue<S, 'getI64Array', N>;
}
