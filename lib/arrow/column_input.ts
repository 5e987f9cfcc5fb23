import type * as Arrow from 'apache-arrow';
import type { NumberArray } from '../columns/types.js';
import { argumentError, fieldLabel, rangeError } from '../errors.js';
import { fieldTypeNamed } from '../field_types.js';
import type { NativeFieldType } from '../native_types.js';
import type { SchemaField } from '../schema_types.js';
import { allSet, bitWords, clearBit, isSet, unpackBits } from './bitmap.js';
import type { InternHandles } from './intern_handles.js';
import { arrow } from './peer.js';
import { isNullable, nameOf, readsNull } from './schema.js';
import { encodeText, type PackedText, packTexts } from './text.js';

/** What 32-bit offsets reach. */
const MAX_OFFSET = 0x7fffffff;

/** A column as `writeColumns` takes it, before its validity is added. */
type Values =
  | { readonly values: NumberArray | readonly unknown[] }
  | { readonly offsets: Int32Array; readonly values: NumberArray };

/** One column of a record batch on its way into a field. */
interface Source {
  readonly field: SchemaField;
  readonly fieldType: NativeFieldType;
  readonly data: Arrow.Data;
  /** Bits of the values that are there; undefined where all are. */
  readonly validity: Uint32Array | undefined;
  readonly handles: InternHandles;
}

const NUMBER_CLASSES: Readonly<Record<string, abstract new (...args: never[]) => NumberArray>> = {
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
  utf8_ref: Uint32Array,
};

const ELEMENT_CLASSES: Readonly<Record<string, abstract new (...args: never[]) => NumberArray>> = {
  i32_array: Int32Array,
  u32_array: Uint32Array,
  f32_array: Float32Array,
  f64_array: Float64Array,
  i64_array: BigInt64Array,
};

/**
 * One column of a record batch as `writeColumns` takes it, sharing its memory where the field's layout is the column's.
 * All of them begin at the batch's first record: a slice's values do by themselves, its bits do not.
 *
 * @returns undefined for a column that leaves its field out of every record
 */
export function columnOf(field: SchemaField, data: Arrow.Data, handles: InternHandles): unknown {
  const source: Source = {
    field,
    fieldType: fieldTypeNamed(field.type) as NativeFieldType,
    data,
    validity: validityOf(data),
    handles,
  };
  const nulls = nullsOf(source);
  if (nulls !== undefined && !isNullable(field) && !readsNull(field)) {
    const record = firstNull(nulls, data.length);
    if (record >= 0) {
      throw argumentError(
        `${fieldLabel(field.name)} of record ${record} is null in the batch and not nullable in the schema: declare it ` +
          'nullable: true, or fill the nulls',
        { field: field.name, record },
      );
    }
  }
  if (data.typeId === arrow.Type.Null) return undefined;
  const values = valuesOf({ ...source, validity: nulls });
  return nulls === undefined ? values : { ...values, validity: nulls };
}

function validityOf({ typeId, nullBitmap, nullCount, offset, length }: Arrow.Data): Uint32Array | undefined {
  if (typeId === arrow.Type.Null) return new Uint32Array(Math.ceil(length / 32));
  if (nullCount === 0 || nullBitmap === undefined || nullBitmap.length === 0) return undefined;
  return bitWords(nullBitmap, offset, length);
}

/**
 * The validity with the nulls that a dictionary holds.
 *
 * @throws RangeError an index outside the dictionary
 */
function nullsOf({ field, data, validity }: Source): Uint32Array | undefined {
  if (data.typeId !== arrow.Type.Dictionary) return validity;
  const { dictionary, length, values } = data;
  const entries = dictionary?.length ?? 0;
  const hasNulls = dictionary !== undefined && dictionary.nullCount > 0;
  let present = validity;
  for (let i = 0; i < length; i++) {
    if (!isSet(present, i)) continue;
    const index = Number(values[i]);
    if (!(index >= 0 && index < entries)) {
      throw rangeError(
        `${fieldLabel(field.name)} of record ${i} has the index ${index}, its dictionary has ${entries} entries`,
        { field: field.name, record: i },
      );
    }
    if (!hasNulls || dictionary.isValid(index)) continue;
    present ??= allSet(length);
    clearBit(present, i);
  }
  return present;
}

function firstNull(validity: Uint32Array, count: number): number {
  for (let i = 0; i < count; i++) if (!isSet(validity, i)) return i;
  return -1;
}

function wrongType({ field, data }: Source, takes: string): TypeError {
  return argumentError(
    `${fieldLabel(field.name)} is ${field.type} and takes a column of ${takes}, got ${nameOf(data.type)}`,
    { field: field.name },
  );
}

function valuesOf(source: Source): Values {
  const { fieldType, data } = source;
  // A dictionary stands for its values, wherever they go.
  const { type } = data;
  const { typeId } = arrow.DataType.isDictionary(type) ? type.dictionary : type;
  switch (fieldType.kind) {
    case 'ref':
      return isTextType(typeId) ? handleColumn(source) : numberColumn(source, typeId);
    case 'text':
    case 'json':
      return textColumn(source, typeId);
    case 'fixed':
      return fixedColumn(source, typeId);
    case 'array':
      return source.field.type in ELEMENT_CLASSES ? listColumn(source, typeId) : bytesColumn(source, typeId);
    default:
      return numberColumn(source, typeId);
  }
}

function isTextType(typeId: number): boolean {
  const { Type } = arrow;
  return typeId === Type.Utf8 || typeId === Type.LargeUtf8 || typeId === Type.Utf8View;
}

function isBytesType(typeId: number): boolean {
  const { Type } = arrow;
  return typeId === Type.Binary || typeId === Type.LargeBinary || typeId === Type.BinaryView;
}

/** Whether a value is one number of JavaScript or one bigint. Half floats and decimals are not. */
function isNumberType(typeId: number): boolean {
  const { Type } = arrow;
  return [Type.Int, Type.Float, Type.Date, Type.Time, Type.Timestamp, Type.Duration].includes(typeId);
}

function isHalfFloat({ type }: Arrow.Data): boolean {
  const { typeId, precision } = (arrow.DataType.isDictionary(type) ? type.dictionary : type) as Arrow.Float;
  return typeId === arrow.Type.Float && precision === arrow.Precision.HALF;
}

/** Values one behind the other, as many as there are records: nulls at the end need not have any. */
function filled<A extends NumberArray>(values: A, count: number): A {
  if (values.length >= count) return values.subarray(0, count) as A;
  const all = new (values.constructor as new (length: number) => A)(count);
  all.set(values as never);
  return all;
}

function numberColumn(source: Source, typeId: number): Values {
  const { field, fieldType, data, validity } = source;
  const { length } = data;
  const numbers = fieldType.kind === 'ref' ? 'strings or handles' : 'integers, floats or booleans';
  if (isHalfFloat(data)) throw wrongType(source, `${numbers}, no half floats: cast them to Float32`);
  if (typeId === arrow.Type.Bool && fieldType.kind !== 'ref') {
    if (data.typeId === arrow.Type.Dictionary) return { values: decoded(source) };
    const bits = unpackBits(data.values as Uint8Array, data.offset, length);
    const isSame = fieldType.kind === 'bool' || field.type === 'u8';
    return { values: isSame ? bits : Array.from(bits) };
  }
  if (!isNumberType(typeId)) throw wrongType(source, numbers);
  if (data.typeId === arrow.Type.Dictionary) return { values: decoded(source) };
  const values = filled(data.values as NumberArray, length);
  const SameClass = NUMBER_CLASSES[field.type];
  if (SameClass !== undefined && values instanceof SameClass) return { values };
  // Another type of number: the writer looks at each of them.
  const isBig = values instanceof BigInt64Array || values instanceof BigUint64Array;
  if (!isBig || fieldType.kind !== 'float') return { values: Array.from<unknown>(values) };
  return { values: Array.from(values, (value, i) => (isSet(validity, i) ? doubleOf(field, value, i) : 0)) };
}

function doubleOf({ name }: SchemaField, value: bigint, record: number): number {
  const double = Number(value);
  if (BigInt(double) === value) return double;
  throw rangeError(`${fieldLabel(name)} of record ${record} has no double that equals ${value}`, {
    field: name,
    record,
  });
}

/** Values as JavaScript has them, by Arrow's own accessors: for layouts that no field shares. */
function decoded({ data, validity }: Source): unknown[] {
  const vector = new arrow.Vector([data]);
  return Array.from({ length: data.length }, (_, i) => (isSet(validity, i) ? vector.get(i) : null));
}

/** What each entry of a dictionary becomes, computed once for those that are used. */
function byDictionary<T>(
  { data, validity }: Source,
  convert: (value: string, record: number) => T,
  take: (record: number, value: T) => void,
): void {
  const { dictionary, values } = data;
  const known: T[] = [];
  for (let i = 0; i < data.length; i++) {
    if (!isSet(validity, i)) continue;
    const index = Number(values[i]);
    let value = known[index];
    if (value === undefined) {
      value = convert(dictionary?.get(index) as string, i);
      known[index] = value;
    }
    take(i, value);
  }
}

function handleColumn(source: Source): Values {
  const { field, data, handles } = source;
  const values = new Uint32Array(data.length);
  const convert = (text: string, record: number) => handles.handleOf(text, field.name, record);
  if (data.typeId === arrow.Type.Dictionary) {
    byDictionary(source, convert, (i, handle) => {
      values[i] = handle;
    });
  } else {
    decoded(source).forEach((text, i) => {
      if (text !== null) values[i] = convert(text as string, i);
    });
  }
  return { values };
}

function textColumn(source: Source, typeId: number): Values {
  const { data } = source;
  if (!isTextType(typeId)) throw wrongType(source, 'strings');
  if (data.typeId !== arrow.Type.Dictionary) {
    return typeId === arrow.Type.Utf8View ? encoded(source) : packedColumn(source);
  }
  const texts = new Array<Uint8Array | null>(data.length).fill(null);
  byDictionary(source, encodeText, (i, text) => {
    texts[i] = text;
  });
  return packedTexts(source, texts);
}

function encoded(source: Source): Values {
  return packedTexts(
    source,
    decoded(source).map((text) => (text === null ? null : encodeText(text as string))),
  );
}

function packedTexts({ field }: Source, texts: readonly (Uint8Array | null)[]): PackedText {
  const size = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
  if (size > MAX_OFFSET) throw tooLarge(field);
  return packTexts(texts);
}

function tooLarge({ name }: SchemaField): RangeError {
  return rangeError(
    `${fieldLabel(name)} has more than ${MAX_OFFSET} bytes or elements in this batch: write slices of it`,
    { field: name },
  );
}

/** Offsets and values as they are; 64-bit offsets become those of the part of the values that they reach. */
function packedColumn(source: Source, elements = source.data.values as NumberArray): Values {
  const { data, field, validity } = source;
  const given = data.valueOffsets as unknown as Int32Array | BigInt64Array;
  const count = data.length;
  if (given instanceof Int32Array) return { offsets: offsetsOf(given, count, validity), values: elements };
  const base = given[0] ?? 0n;
  let end = base;
  // The last one may be a zero behind nulls.
  for (const offset of given.subarray(0, count + 1)) if (offset > end) end = offset;
  if (end - base > MAX_OFFSET) throw tooLarge(field);
  const offsets = Int32Array.from(given.subarray(0, count + 1), (offset) =>
    Math.max(0, Number(offset - base)),
  );
  const values = elements.subarray(Number(base), Number(end)) as NumberArray;
  return { offsets: offsetsOf(offsets, count, validity), values };
}

/**
 * One offset more than there are records. An empty column may have none, and where Arrow has lengthened a column by
 * nulls theirs are missing, or zeros.
 */
function offsetsOf(offsets: Int32Array, count: number, validity: Uint32Array | undefined): Int32Array {
  if (validity === undefined && offsets.length > count) return offsets.subarray(0, count + 1);
  const all = new Int32Array(count + 1);
  all.set(offsets.subarray(0, count + 1));
  for (let i = 0; i < count; i++) {
    if (!isSet(validity, i)) all[i + 1] = Math.max(all[i] as number, all[i + 1] as number);
  }
  return all;
}

function bytesColumn(source: Source, typeId: number): Values {
  const { data } = source;
  const isFixed = typeId === arrow.Type.FixedSizeBinary;
  if (!isFixed && !isBytesType(typeId)) throw wrongType(source, 'bytes');
  if (data.typeId === arrow.Type.Dictionary || typeId === arrow.Type.BinaryView) {
    return { values: decoded(source) };
  }
  if (!isFixed) return packedColumn(source);
  const { byteWidth } = data.type as Arrow.FixedSizeBinary;
  return everyNth(source, byteWidth, data.values as Uint8Array);
}

function fixedColumn(source: Source, typeId: number): Values {
  const { field, data } = source;
  const isFixed = typeId === arrow.Type.FixedSizeBinary;
  if (!isFixed && !isBytesType(typeId)) throw wrongType(source, 'bytes');
  const length = field.length ?? 0;
  if (isFixed && data.typeId !== arrow.Type.Dictionary) {
    const { byteWidth } = data.type as Arrow.FixedSizeBinary;
    if (byteWidth !== length) throw wrongType(source, `${length} bytes a value`);
    return { values: filled(data.values as Uint8Array, length * data.length) };
  }
  return { values: decoded(source) };
}

/** Values of one length, one behind the other, nulls included. */
function everyNth({ field, data }: Source, width: number, values: NumberArray): Values {
  if (width * data.length > MAX_OFFSET) throw tooLarge(field);
  const offsets = Int32Array.from({ length: data.length + 1 }, (_, i) => i * width);
  return { offsets, values: filled(values, width * data.length) };
}

function listColumn(source: Source, typeId: number): Values {
  const { field, data } = source;
  const { Type } = arrow;
  const ElementClass = ELEMENT_CLASSES[field.type];
  const takes = `lists of ${ElementClass?.name.replace(/^Big|Array$/g, '')}`;
  if (![Type.List, Type.LargeList, Type.FixedSizeList].includes(typeId)) throw wrongType(source, takes);
  if (data.typeId === Type.Dictionary) throw wrongType(source, `${takes}, not by a dictionary`);
  const child = data.children[0];
  // An empty batch may come without.
  if (child === undefined) return { offsets: new Int32Array(data.length + 1), values: emptyOf(ElementClass) };
  const values = child.values as unknown as NumberArray;
  const isSame = isNumberType(child.typeId) && ElementClass !== undefined && values instanceof ElementClass;
  if (!isSame || child.typeId === Type.Null) throw wrongType(source, takes);
  const column =
    typeId === Type.FixedSizeList
      ? everyNth(source, (data.type as Arrow.FixedSizeList).listSize, values)
      : packedColumn(source, values);
  if (child.nullCount > 0) refuseNullElements(source, child);
  return column;
}

function emptyOf(ElementClass: (abstract new (...args: never[]) => NumberArray) | undefined): NumberArray {
  return new (ElementClass as unknown as new (length: number) => NumberArray)(0);
}

/** Arrays have no nulls. Those outside the lists, and in lists that are null themselves, are nobody's. */
function refuseNullElements({ field, data, validity }: Source, child: Arrow.Data): void {
  const width = (data.type as { listSize?: number }).listSize;
  const offsets = data.valueOffsets as unknown as Int32Array | BigInt64Array | undefined;
  for (let i = 0; i < data.length; i++) {
    if (!isSet(validity, i)) continue;
    const start = width === undefined ? Number(offsets?.[i] ?? 0) : i * width;
    const end = width === undefined ? Number(offsets?.[i + 1] ?? 0) : start + width;
    for (let j = start; j < end; j++) {
      if (child.getValid(j)) continue;
      throw argumentError(
        `${fieldLabel(field.name)} of record ${i} has a null at ${j - start}: arrays have no nulls, fill them first`,
        { field: field.name, record: i },
      );
    }
  }
}
