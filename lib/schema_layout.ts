import { describeValue } from './describe_value.js';
import { argumentError, fieldLabel, StrandHeaderError } from './errors.js';
import { FIELD_TYPE_NAMES, type FieldType, fieldTypeNamed, fieldTypeTagged } from './field_types.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import type { NativeFieldType, NativeSchema } from './native_types.js';
import type { Schema, SchemaField } from './schema_types.js';

const NUMBERS_PER_FIELD = 5;
const U8_MAX = 0xff;
const U16_MAX = 0xffff;
const U32_MAX = 0xffff_ffff;

/** A schema as the core lays it out, and the names that travel beside it. */
export interface SchemaLayout extends NativeSchema {
  readonly names: string[];
}

/** What the core's five numbers say of a field. */
export interface FieldLayout {
  readonly type: NativeFieldType;
  readonly flags: number;
  readonly byteOffset: number;
  readonly width: number;
  /** −1 where the field is not nullable. */
  readonly nullableBit: number;
}

/** The fields of a schema that the core has checked. */
export function fieldLayouts({ fields }: NativeSchema): FieldLayout[] {
  const layouts: FieldLayout[] = [];
  for (let at = 0; at < fields.length; at += NUMBERS_PER_FIELD) {
    const [tag = 0, flags = 0, byteOffset = 0, width = 0, nullableBit = -1] = fields.subarray(at);
    layouts.push({ type: fieldTypeTagged(tag), flags, byteOffset, width, nullableBit });
  }
  return layouts;
}

/** The public form of a schema that the core has checked. */
export function schemaFromLayout(layout: SchemaLayout): Schema {
  const fields = fieldLayouts(layout).map(
    ({ type, flags, byteOffset, width, nullableBit }, index): SchemaField => ({
      name: layout.names[index] ?? '',
      type: type.name as FieldType,
      byteOffset,
      flags,
      ...(nullableBit >= 0 ? { nullableBitIndex: nullableBit } : {}),
      ...(type.kind === 'fixed' ? { length: width } : {}),
    }),
  );
  return { fields, record_stride: layout.stride };
}

/** A name that comes back from UTF-8 as it was. */
export function checkFieldName(index: number, name: unknown): string {
  if (typeof name !== 'string' || name === '') {
    throw argumentError(`the name of field ${index} must be a non-empty string, got ${describeValue(name)}`);
  }
  if (/\p{Surrogate}/u.test(name)) {
    const problem = 'has a lone surrogate, which UTF-8 cannot carry';
    throw argumentError(`the name of field ${index} ${problem}: ${describeValue(name)}`, { field: name });
  }
  return name;
}

/** The core's entry of the type that a descriptor names. */
export function checkFieldType(name: string, type: unknown): NativeFieldType {
  const known = typeof type === 'string' ? fieldTypeNamed(type) : undefined;
  if (known === undefined) {
    const problem = `${fieldLabel(name)} has the unknown type ${describeValue(type)}`;
    throw argumentError(`${problem}; types are ${FIELD_TYPE_NAMES}`, { field: name });
  }
  return known;
}

/** A number of a descriptor that reaches the core as it is: neither rounded nor cut to fewer bits. */
function layoutNumber(owner: string, key: string, value: unknown, max: number): number {
  if (typeof value !== 'number') {
    throw argumentError(`${owner} needs a number as ${key}, got ${describeValue(value)}`);
  }
  if (!Number.isInteger(value) || value < 0 || value > max) {
    const got = describeValue(value);
    throw new StrandHeaderError(`the ${key} of ${owner} must be an integer from 0 to ${max}, got ${got}`);
  }
  return value;
}

/** A field as its descriptor states it, before the core has looked at it. */
interface StatedField {
  readonly name: string;
  readonly numbers: readonly number[];
  readonly nullableBit: unknown;
}

function statedField(field: unknown, index: number): StatedField {
  if (typeof field !== 'object' || field === null) {
    throw argumentError(`field ${index} of the schema must be an object, got ${describeValue(field)}`);
  }
  const given: { readonly [K in keyof SchemaField]?: unknown } = field;
  const name = checkFieldName(index, given.name);
  const type = checkFieldType(name, given.type);
  const owner = fieldLabel(name);
  const flags = layoutNumber(owner, 'flags', given.flags, U8_MAX);
  const byteOffset = layoutNumber(owner, 'byteOffset', given.byteOffset, U16_MAX);
  const width = type.kind === 'fixed' ? layoutNumber(owner, 'length', given.length, U16_MAX) : type.width;
  return { name, numbers: [type.tag, flags, byteOffset, width, -1], nullableBit: given.nullableBitIndex };
}

/** A descriptor may leave the bit out; one that states another than the core counts is wrong somewhere. */
function checkNullableBit({ name, nullableBit: stated }: StatedField, counted: number): void {
  if (stated === undefined || stated === counted) return;
  const right = counted < 0 ? 'it is not flagged nullable' : `by its place it has bit ${counted}`;
  const claim = `${fieldLabel(name)} states the nullableBitIndex ${describeValue(stated)}`;
  throw new StrandHeaderError(`${claim}, but ${right}`, { field: name });
}

/**
 * A schema as the core takes it, and in binary. The descriptor may be made by hand or come from anywhere: every
 * number in it is checked as if it had come out of a buffer.
 *
 * @throws TypeError what is no schema descriptor at all
 * @throws StrandHeaderError fields that do not fit the stride, overlap, are not aligned
 */
export function layoutOf(schema: unknown): SchemaLayout & { readonly bytes: Uint8Array } {
  if (typeof schema !== 'object' || schema === null) {
    throw argumentError(`a schema is what buildSchema returns, got ${describeValue(schema)}`);
  }
  const { fields, record_stride }: { readonly fields?: unknown; readonly record_stride?: unknown } = schema;
  if (!Array.isArray(fields)) {
    const problem = `a schema has a list of fields, got ${describeValue(fields)}`;
    throw argumentError(`${problem}: buildSchema makes a schema of a field list`);
  }
  const stated = Array.from(fields, statedField);
  if (stated.length === 0) throw argumentError('a schema needs at least one field');
  const stride = layoutNumber('the schema', 'record_stride', record_stride, U32_MAX);
  const bytes = unwrap(
    native.encodeSchema(Int32Array.from(stated.flatMap(({ numbers }) => numbers)), stride),
  );
  const layout = {
    names: stated.map(({ name }) => name),
    ...unwrap(native.decodeSchema(bytes, stride)),
    bytes,
  };
  const counted = fieldLayouts(layout);
  stated.forEach((field, index) => {
    checkNullableBit(field, counted[index]?.nullableBit ?? -1);
  });
  return layout;
}
