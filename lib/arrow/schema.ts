import type * as Arrow from 'apache-arrow';
import { FIELD_FLAG_SORTED_ASC, FIELD_FLAG_SORTED_DESC } from '../constants.js';
import { describeValue } from '../describe_value.js';
import { argumentError, fieldLabel } from '../errors.js';
import { type FieldType, fieldTypeNamed } from '../field_types.js';
import type { FieldDescriptor, NamesOf, Schema, SchemaField } from '../schema_types.js';
import { arrow } from './peer.js';
import type { ArrowColumns } from './types.js';

/** Keys of a column's metadata that say what the Arrow type does not. */
const TYPE_KEY = 'strand:type';
const NULLABLE_KEY = 'strand:nullable';
const SORTED_KEY = 'strand:sorted';

/** Source: Arrow Columnar Format, "Extension Types", and the canonical extension type `arrow.json`. */
const EXTENSION_NAME_KEY = 'ARROW:extension:name';
const EXTENSION_METADATA_KEY = 'ARROW:extension:metadata';
const JSON_EXTENSION = 'arrow.json';

/** Elements of a list column are named and nullable as in other implementations, whose types then compare equal. */
function listOf<T extends Arrow.DataType>(element: T): Arrow.List<T> {
  return new arrow.List(new arrow.Field('item', element, true));
}

const MAKERS: Readonly<Record<FieldType, (field: SchemaField) => Arrow.DataType>> = {
  u8: () => new arrow.Uint8(),
  u16: () => new arrow.Uint16(),
  u32: () => new arrow.Uint32(),
  u64: () => new arrow.Uint64(),
  i8: () => new arrow.Int8(),
  i16: () => new arrow.Int16(),
  i32: () => new arrow.Int32(),
  i64: () => new arrow.Int64(),
  f32: () => new arrow.Float32(),
  f64: () => new arrow.Float64(),
  bool8: () => new arrow.Bool(),
  utf8_ref: () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
  utf8: () => new arrow.Utf8(),
  large_utf8: () => new arrow.Utf8(),
  json: () => new arrow.Utf8(),
  large_json: () => new arrow.Utf8(),
  bytes: () => new arrow.Binary(),
  large_bytes: () => new arrow.Binary(),
  fixed_bytes: ({ length }) => new arrow.FixedSizeBinary(length ?? 0),
  i32_array: () => listOf(new arrow.Int32()),
  u32_array: () => listOf(new arrow.Uint32()),
  f32_array: () => listOf(new arrow.Float32()),
  f64_array: () => listOf(new arrow.Float64()),
  i64_array: () => listOf(new arrow.Int64()),
};

export function isNullable(field: SchemaField): boolean {
  return field.nullableBitIndex !== undefined;
}

/** Whether a record can read null although its field is not nullable: JSON, bytes and arrays that were left out. */
export function readsNull({ type }: SchemaField): boolean {
  const found = fieldTypeNamed(type);
  return found !== undefined && found.elementSize > 0 && found.kind !== 'text';
}

export function arrowField(field: SchemaField): Arrow.Field {
  const metadata = new Map([
    [TYPE_KEY, field.type],
    [NULLABLE_KEY, String(isNullable(field))],
  ]);
  if ((field.flags & FIELD_FLAG_SORTED_ASC) !== 0) metadata.set(SORTED_KEY, 'asc');
  if ((field.flags & FIELD_FLAG_SORTED_DESC) !== 0) metadata.set(SORTED_KEY, 'desc');
  if (fieldTypeNamed(field.type)?.kind === 'json') {
    metadata.set(EXTENSION_NAME_KEY, JSON_EXTENSION);
    metadata.set(EXTENSION_METADATA_KEY, '');
  }
  // A handle outside the table is null, whatever the field says.
  const nullable = isNullable(field) || readsNull(field) || field.type === 'utf8_ref';
  return new arrow.Field(field.name, MAKERS[field.type](field), nullable, metadata);
}

/**
 * The Arrow schema of records: each field's Arrow type as {@link ArrowTypes} has it, and metadata from which
 * {@link strandFields} makes the fields again.
 *
 * A dictionary has an identity of its own in Arrow: the schema of batches of a view is that of those batches, and
 * equals another call's in all but the identities of dictionaries.
 */
export function arrowSchema<S extends Schema>(schema: S): Arrow.Schema<ArrowColumns<S, NamesOf<S>>> {
  const { fields }: { fields?: unknown } = schema ?? {};
  if (!Array.isArray(fields)) {
    throw argumentError(`arrowSchema takes what buildSchema returns, got ${describeValue(schema)}`);
  }
  return new arrow.Schema(schema.fields.map(arrowField)) as Arrow.Schema<ArrowColumns<S, NamesOf<S>>>;
}

/**
 * Declarations of strand fields that hold what an Arrow schema's columns hold, for `buildSchema` or `createStrand`.
 * Columns of {@link arrowSchema} become the fields that they were; others the fields of their Arrow types: integers,
 * floats, `bool8`, `utf8` and `bytes` (`large_utf8` and `large_bytes` of large columns), `fixed_bytes`, arrays of lists,
 * `i64` or `i32` of dates, times, timestamps and durations, and of a dictionary what its values are.
 *
 * @throws TypeError a column of a type that no field has
 */
export function strandFields(schema: Arrow.Schema): FieldDescriptor[] {
  const { fields }: { fields?: unknown } = schema ?? {};
  if (!Array.isArray(fields)) {
    throw argumentError(`strandFields takes an Arrow schema, got ${describeValue(schema)}`);
  }
  return (fields as Arrow.Field[]).map(descriptorOf);
}

function descriptorOf({ name, type, nullable, metadata }: Arrow.Field): FieldDescriptor {
  const recorded = recordedType(type, metadata.get(TYPE_KEY));
  const fieldType = recorded ?? naturalType(type, metadata.get(EXTENSION_NAME_KEY) === JSON_EXTENSION);
  if (fieldType === undefined) {
    throw argumentError(`no field type holds the Arrow type ${type} of ${fieldLabel(name)}: leave it out`, {
      field: name,
    });
  }
  const sorted = metadata.get(SORTED_KEY);
  const isNull = recorded === undefined ? nullable : metadata.get(NULLABLE_KEY) === 'true';
  return {
    name,
    type: fieldType,
    ...(isNull && { nullable: true }),
    ...(fieldType === 'fixed_bytes' && { length: (type as Arrow.FixedSizeBinary).byteWidth }),
    ...((sorted === 'asc' || sorted === 'desc') && { sorted }),
  };
}

/** The field type that metadata names, where it is one of the column's Arrow type. */
function recordedType(type: Arrow.DataType, recorded: string | undefined): FieldType | undefined {
  if (recorded === undefined || !Object.hasOwn(MAKERS, recorded)) return undefined;
  const byteWidth = (type as { byteWidth?: number }).byteWidth ?? 0;
  const made = MAKERS[recorded as FieldType]({
    name: '',
    type: recorded as FieldType,
    byteOffset: 0,
    flags: 0,
    length: byteWidth,
  });
  return nameOf(made) === nameOf(type) ? (recorded as FieldType) : undefined;
}

/** An Arrow type in words. */
export function nameOf(type: Arrow.DataType): string {
  return String(type);
}

const INTEGERS: Readonly<Record<string, FieldType>> = {
  Int8: 'i8',
  Int16: 'i16',
  Int32: 'i32',
  Int64: 'i64',
  Uint8: 'u8',
  Uint16: 'u16',
  Uint32: 'u32',
  Uint64: 'u64',
  Float32: 'f32',
  Float64: 'f64',
};

function naturalType(type: Arrow.DataType, isJson: boolean): FieldType | undefined {
  const { Type } = arrow;
  switch (type.typeId) {
    case Type.Int:
    case Type.Float:
      return INTEGERS[nameOf(type)];
    case Type.Bool:
      return 'bool8';
    case Type.Utf8:
    case Type.Utf8View:
      return isJson ? 'json' : 'utf8';
    case Type.LargeUtf8:
      return isJson ? 'large_json' : 'large_utf8';
    case Type.Binary:
    case Type.BinaryView:
      return 'bytes';
    case Type.LargeBinary:
      return 'large_bytes';
    case Type.FixedSizeBinary:
      return 'fixed_bytes';
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
      return arrayType(naturalType((type as Arrow.List).valueType, false));
    case Type.Dictionary:
      return naturalType((type as Arrow.Dictionary).dictionary, isJson);
    case Type.Date:
      return (type as Arrow.Date_).unit === arrow.DateUnit.DAY ? 'i32' : 'i64';
    case Type.Time:
      return (type as Arrow.Time).bitWidth === 32 ? 'i32' : 'i64';
    case Type.Timestamp:
    case Type.Duration:
      return 'i64';
    default:
      return undefined;
  }
}

function arrayType(element: FieldType | undefined): FieldType | undefined {
  const array = `${element}_array`;
  return Object.hasOwn(MAKERS, array) ? (array as FieldType) : undefined;
}
