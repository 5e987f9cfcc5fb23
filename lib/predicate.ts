import type { FieldType, FieldTypes, OrderableType } from './field_types.js';
import type { IsLoose, Schema, SchemaField } from './schema_types.js';

/** Values from `lo` to `hi`, both included. None where `lo` is above `hi`, or where either is NaN. */
export interface BetweenPredicate<V = number | bigint> {
  readonly kind: 'between';
  readonly lo: V;
  readonly hi: V;
}

/** One value. NaN equals nothing, −0 equals 0. */
export interface EqualPredicate<V = number | bigint | boolean | string> {
  readonly kind: 'eq';
  readonly value: V;
}

/** Any of some interned strings, by handle or as strings of the view's intern table. */
export interface InPredicate {
  readonly kind: 'in';
  readonly handles: ReadonlySet<number | string>;
}

/** What a record's value can be asked. */
export type Predicate = BetweenPredicate<number | bigint | boolean> | EqualPredicate | InPredicate;

type Ordered<V> = BetweenPredicate<V> | EqualPredicate<V>;

interface PredicateTypes {
  u8: Ordered<number>;
  u16: Ordered<number>;
  u32: Ordered<number>;
  i8: Ordered<number>;
  i16: Ordered<number>;
  i32: Ordered<number>;
  f32: Ordered<number>;
  u64: Ordered<number | bigint>;
  i64: Ordered<number | bigint>;
  f64: Ordered<number | bigint>;
  bool8: Ordered<boolean | number>;
  utf8_ref: EqualPredicate<number | string> | InPredicate;
}

/** Field types that a filter can look at. */
export type FilterableType = keyof PredicateTypes & FieldType;

/** The predicates of a field. */
export type PredicateOf<S extends Schema, N extends string> =
  IsLoose<S> extends true
    ? Predicate
    : PredicateTypes[Extract<Extract<S['fields'][number], { readonly name: N }>['type'], FilterableType>];

/** Predicates of several fields, of which a record has to fulfil all. */
export type PredicatesOf<S extends Schema> =
  IsLoose<S> extends true
    ? Readonly<Record<string, Predicate | undefined>>
    : {
        readonly [F in S['fields'][number] as F['type'] extends FilterableType ? F['name'] : never]?:
          | PredicateOf<S, F['name']>
          | undefined;
      };

/** Smallest and largest value of a field; bigints for 64-bit integers. */
export interface ValueRange<V = number | bigint> {
  readonly min: V;
  readonly max: V;
}

type RangeOf<F extends SchemaField> = F extends SchemaField
  ? ValueRange<Extract<FieldTypes[F['type']]['read'], number | bigint>>
  : never;

/** Ranges of the numeric fields that have values. */
export type RangesOf<S extends Schema> =
  IsLoose<S> extends true
    ? Record<string, ValueRange>
    : { [F in S['fields'][number] as F['type'] extends OrderableType ? F['name'] : never]?: RangeOf<F> };
