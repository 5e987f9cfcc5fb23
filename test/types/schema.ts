// Compiled, never run: what a literal field list lets the compiler know.

import {
  buildSchema,
  createStrand,
  decodeSchema,
  FIELD_FLAG_NULLABLE,
  type FieldDescriptor,
  type FieldType,
  type NamesOf,
  type RecordOf,
  type RowOf,
  readStrandHeader,
  type Schema,
  type Strand,
  type ValueOf,
} from '../../dist/index.js';
import { expectTrue, type Same } from './expect_type.js';

const schema = buildSchema([
  { name: 'id', type: 'u32' },
  { name: 'big', type: 'u64' },
  { name: 'ok', type: 'bool8' },
  { name: 'category', type: 'utf8_ref' },
  { name: 'label', type: 'utf8' },
  { name: 'note', type: 'utf8', nullable: true },
  { name: 'score', type: 'f32', nullable: true },
  { name: 'extra', type: 'json' },
  { name: 'blob', type: 'bytes' },
  { name: 'uuid', type: 'fixed_bytes', length: 16 },
  { name: 'depths', type: 'i32_array' },
  { name: 'times', type: 'i64_array' },
]);
type S = typeof schema;

// Rows: what is read.
expectTrue<Same<RowOf<S>['id'], number>>();
expectTrue<Same<RowOf<S>['big'], bigint>>();
expectTrue<Same<RowOf<S>['ok'], boolean>>();
expectTrue<Same<RowOf<S>['category'], string | null>>();
expectTrue<Same<RowOf<S>['label'], string>>();
expectTrue<Same<RowOf<S>['note'], string | null>>();
expectTrue<Same<RowOf<S>['score'], number | null>>();
expectTrue<Same<RowOf<S>['extra'], unknown>>();
expectTrue<Same<RowOf<S>['blob'], Uint8Array | null>>();
expectTrue<Same<RowOf<S>['uuid'], Uint8Array>>();
expectTrue<Same<RowOf<S>['depths'], Int32Array | null>>();
expectTrue<Same<RowOf<S>['times'], BigInt64Array | null>>();
expectTrue<Same<ValueOf<S, 'id' | 'note'>, number | string | null>>();

// Names: of all fields, and of one type.
expectTrue<Same<NamesOf<S>, keyof RowOf<S>>>();
expectTrue<Same<NamesOf<S, 'utf8'>, 'label' | 'note'>>();
expectTrue<Same<NamesOf<S, 'u8'>, never>>();

// Records: what is written.
export const full: RecordOf<S> = {
  id: 1,
  big: 2n,
  ok: true,
  category: 'a',
  label: 'x',
  note: null,
  score: 1.5,
  extra: { any: ['thing', new Date()] },
  blob: new Uint8Array(3),
  uuid: Buffer.alloc(16),
  depths: [1, 2],
  times: [1n, 2],
};
export const converted: RecordOf<S> = { id: 7n, big: 7, ok: 1, category: 3, uuid: [1, 2] };
export const sparse: RecordOf<S> = { label: 'only this', note: undefined, score: null };
const wider = { id: 1, label: 'x', unrelated: true };
export const withFurtherKeys: RecordOf<S> = wider;
declare const row: RowOf<S>;
export const copied: RecordOf<S> = row;

// @ts-expect-error a string is no number
export const wrongNumber: RecordOf<S> = { id: '1' };
// @ts-expect-error a number is no string
export const wrongText: RecordOf<S> = { label: 1 };
// @ts-expect-error a bigint goes into integer fields only
export const wrongFloat: RecordOf<S> = { score: 1n };
// @ts-expect-error another typed array
export const wrongBytes: RecordOf<S> = { blob: new Int8Array(3) };
// @ts-expect-error another typed array
export const wrongArray: RecordOf<S> = { depths: new Float32Array(3) };
// @ts-expect-error no elements of 64 bits
export const wrongElements: RecordOf<S> = { depths: [1n] };
// @ts-expect-error a literal with a key that no field has
export const typo: RecordOf<S> = { id: 1, lable: 'x' };
const unrelated = { first: 1, second: 2 };
// @ts-expect-error an object without any of the fields
export const nothingInCommon: RecordOf<S> = unrelated;

// Declarations.
buildSchema([{ name: 'a', type: 'i8', sorted: 'asc', flags: FIELD_FLAG_NULLABLE }]);
// @ts-expect-error unknown type
buildSchema([{ name: 'a', type: 'u128' }]);
// @ts-expect-error no name
buildSchema([{ type: 'u8' }]);
// @ts-expect-error unknown order
buildSchema([{ name: 'a', type: 'u8', sorted: 'up' }]);
// @ts-expect-error no list
buildSchema({ name: 'a', type: 'u8' });

// Whether a field is nullable is known, or may be either.
declare const perhaps: boolean;
const nullability = buildSchema([
  { name: 'flagged', type: 'u8', flags: FIELD_FLAG_NULLABLE },
  { name: 'unflagged', type: 'u8', flags: 0 },
  { name: 'perhaps', type: 'u8', nullable: perhaps },
  { name: 'never', type: 'u8', nullable: false },
  { name: 'sorted', type: 'u8', sorted: 'desc' },
]);
expectTrue<
  Same<
    { [N in keyof RowOf<typeof nullability>]: RowOf<typeof nullability>[N] },
    {
      flagged: number | null;
      unflagged: number;
      perhaps: number | null;
      never: number;
      sorted: number;
    }
  >
>();

// A list kept apart, with `as const`.
const fields = [
  { name: 'x', type: 'f64' },
  { name: 'tag', type: 'utf8', nullable: true },
] as const;
const apart = buildSchema(fields);
expectTrue<Same<RowOf<typeof apart>['x'], number>>();
expectTrue<Same<RowOf<typeof apart>['tag'], string | null>>();
const extended = buildSchema([...fields, { name: 'more', type: 'i64' }]);
expectTrue<Same<RowOf<typeof extended>['more'], bigint>>();
expectTrue<Same<NamesOf<typeof extended>, 'x' | 'tag' | 'more'>>();

// A schema known only at run time gives the loose types.
declare const runtimeFields: FieldDescriptor[];
declare const runtimeName: string;
declare const runtimeType: FieldType;
const loose = buildSchema(runtimeFields);
const named = buildSchema([{ name: runtimeName, type: runtimeType }]);
const appended = buildSchema([...runtimeFields, { name: 'id', type: 'u32' }]);
const decoded = decodeSchema(new Uint8Array());
expectTrue<Same<NamesOf<typeof loose>, string>>();
expectTrue<Same<NamesOf<typeof named>, string>>();
expectTrue<Same<NamesOf<typeof appended, 'u8'>, string>>();
expectTrue<Same<RowOf<typeof decoded>, Record<string, unknown>>>();
expectTrue<Same<ValueOf<typeof loose, 'anything'>, unknown>>();
export const looseRecord: RecordOf<typeof loose> = { anything: 1, goes: 'in' };
// @ts-expect-error a record is an object
export const noRecord: RecordOf<typeof loose> = 'text';

// A schema goes where any schema does, and a strand where any strand does.
export const anySchema: Schema = schema;
const strand = createStrand([{ name: 'id', type: 'u32' }], { indexCapacity: 4 });
expectTrue<Same<RowOf<(typeof strand)['map']['schema']>['id'], number>>();
const ofSchema = createStrand(schema);
expectTrue<Same<(typeof ofSchema)['map']['schema'], S>>();
export const anyStrand: Strand = strand;
const read = readStrandHeader(strand.sab);
expectTrue<Same<NamesOf<(typeof read)['schema']>, string>>();
// @ts-expect-error nothing is known of a strand's fields from its bytes
export const typedFromBytes: Strand<S> = { sab: strand.sab, map: read };
// @ts-expect-error a strand of other fields
export const otherStrand: Strand<S> = strand;
