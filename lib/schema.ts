import {
  FIELD_FLAG_NULLABLE,
  FIELD_FLAG_SORTED_ASC,
  FIELD_FLAG_SORTED_DESC,
  MAX_RECORD_STRIDE,
} from './constants.js';
import { describeValue } from './describe_value.js';
import { argumentError, fieldLabel } from './errors.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import { checkFieldName, checkFieldType, fieldLayouts, layoutOf, schemaFromLayout } from './schema_layout.js';
import type { FieldDescriptor, Schema, SchemaOf } from './schema_types.js';

const U8_MAX = 0xff;
const U32_MAX = 0xffff_ffff;

type Given = { readonly [K in keyof FieldDescriptor]?: unknown };

function flagsOf(name: string, { flags = 0, nullable, sorted }: Given): number {
  const refuse = (what: string) => argumentError(`${fieldLabel(name)} ${what}`, { field: name });
  if (typeof flags !== 'number' || !Number.isInteger(flags) || flags < 0 || flags > U8_MAX) {
    throw refuse(`needs FIELD_FLAG_* bits as flags, got ${describeValue(flags)}`);
  }
  if (nullable !== undefined && typeof nullable !== 'boolean') {
    throw refuse(`takes true or false as nullable, got ${describeValue(nullable)}`);
  }
  if (nullable === false && (flags & FIELD_FLAG_NULLABLE) !== 0) {
    throw refuse('says nullable: false and has the flag FIELD_FLAG_NULLABLE; choose one');
  }
  if (sorted !== undefined && sorted !== 'asc' && sorted !== 'desc') {
    throw refuse(`takes 'asc' or 'desc' as sorted, got ${describeValue(sorted)}`);
  }
  const order = { asc: FIELD_FLAG_SORTED_ASC, desc: FIELD_FLAG_SORTED_DESC };
  return flags | (nullable ? FIELD_FLAG_NULLABLE : 0) | (sorted === undefined ? 0 : order[sorted]);
}

function lengthOf(name: string, isFixed: boolean, length: unknown): number {
  if (!isFixed) {
    if (length === undefined) return 0;
    throw argumentError(`${fieldLabel(name)} has a length, which only fixed_bytes fields have`, {
      field: name,
    });
  }
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 1) {
    const got = describeValue(length);
    throw argumentError(`fixed_bytes ${fieldLabel(name)} needs a length of at least 1 byte, got ${got}`, {
      field: name,
    });
  }
  // What is past the limit of a record is for the core to refuse, which names the limit.
  return Math.min(length, U32_MAX);
}

/**
 * Lays out records of the given fields: first a validity bitmap with one bit for each nullable field, then the fields
 * in declared order, each aligned to min(width, 4), `fixed_bytes` to 1; the stride is padded to 4.
 *
 * A literal list gives a schema whose type knows the fields.
 *
 * @throws TypeError a list that is empty or no list, a name that is no non-empty string or occurs twice, an unknown
 *   type, contradictory flags, a missing `length`
 * @throws RangeError records of more than {@link MAX_RECORD_STRIDE} bytes
 */
export function buildSchema<const D extends readonly FieldDescriptor[]>(fields: D): SchemaOf<D>;
export function buildSchema(fields: unknown): Schema {
  if (!Array.isArray(fields)) {
    throw argumentError(`buildSchema takes a list of fields, got ${describeValue(fields)}`);
  }
  const names: string[] = [];
  const specs: number[] = [];
  for (const [index, field] of Array.from<unknown>(fields).entries()) {
    if (typeof field !== 'object' || field === null) {
      throw argumentError(`field ${index} must be an object { name, type }, got ${describeValue(field)}`);
    }
    // Each property is read once: what was checked is what is used.
    const { name: givenName, type: givenType, flags, nullable, sorted, length }: Given = field;
    const name = checkFieldName(index, givenName);
    const type = checkFieldType(name, givenType);
    names.push(name);
    specs.push(
      type.tag,
      flagsOf(name, { flags, nullable, sorted }),
      lengthOf(name, type.kind === 'fixed', length),
    );
  }
  return schemaFromLayout({ names, ...unwrap(native.buildSchema(names, Uint32Array.from(specs))) });
}

/**
 * The binary schema as it lies in a header: for each field its type's tag u8, flags u8, byte offset u16; behind a
 * `fixed_bytes` entry its length u32. Names are not part of it.
 *
 * @throws StrandHeaderError a descriptor whose fields do not fit its stride, overlap, are not aligned
 */
export function encodeSchema(schema: Schema): Uint8Array {
  return layoutOf(schema).bytes;
}

/** Smallest stride that holds a binary schema's fields: that of `buildSchema`. */
function smallestStride(bytes: Uint8Array): number {
  // A decoder needs a stride; the largest one takes whatever another could.
  const widest = MAX_RECORD_STRIDE - (MAX_RECORD_STRIDE % 4);
  const fields = fieldLayouts(unwrap(native.decodeSchema(bytes, widest)));
  const end = fields.reduce((most, { byteOffset, width }) => Math.max(most, byteOffset + width), 0);
  return Math.ceil(end / 4) * 4;
}

/**
 * Reads a binary schema, as {@link encodeSchema} writes it, and believes none of it.
 *
 * @param names the fields' names, which the bytes do not hold; `field_0`, `field_1`, … unless given
 * @param record_stride bytes from one record to the next; unless given the fewest that hold the fields
 * @throws StrandHeaderError unknown types, fields outside the stride, fields that overlap or are not aligned
 */
export function decodeSchema(bytes: Uint8Array, names?: readonly string[], record_stride?: number): Schema {
  if (!(bytes instanceof Uint8Array)) {
    throw argumentError(`decodeSchema takes a Uint8Array, got ${describeValue(bytes)}`);
  }
  // The bytes may be shared memory that somebody writes; both readings must see the same.
  const copy = Uint8Array.from(bytes);
  const stride = record_stride ?? smallestStride(copy);
  if (typeof stride !== 'number') {
    throw argumentError(`record_stride must be a number of bytes, got ${describeValue(stride)}`);
  }
  const schema = unwrap(native.decodeSchema(copy, stride));
  const count = fieldLayouts(schema).length;
  const fieldNames = names ?? Array.from({ length: count }, (_, index) => `field_${index}`);
  if (!Array.isArray(fieldNames) || fieldNames.length !== count) {
    throw argumentError(`decodeSchema needs ${count} names for ${count} fields, got ${describeValue(names)}`);
  }
  const checked = fieldNames.map((name, index) => checkFieldName(index, name));
  if (new Set(checked).size !== count) throw argumentError('decodeSchema needs names that differ');
  return schemaFromLayout({ names: checked, ...schema });
}

/**
 * 32-bit FNV-1a of the binary schema: equal for schemas of the same types, flags and places, whatever the names.
 *
 * Source: Fowler, Noll, Vo; offset basis 2166136261, prime 16777619.
 */
export function schemaFingerprint(schema: Schema): number {
  return native.fingerprint(encodeSchema(schema));
}
