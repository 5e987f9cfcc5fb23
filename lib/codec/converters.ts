import {
  argumentError,
  rangeError,
  StrandCapacityError,
  valueCapacityError,
  valueRangeError,
  valueTypeError,
} from '../errors.js';
import type { FieldPlan } from './plan.js';
import { typedArrayBytes, typedArrayName } from './typed_arrays.js';

/**
 * What an encoder stores of a value: null where it is absent (left out or null), a number or boolean, a bigint for
 * 64-bit integers that are no safe numbers, text (JSON already made), a typed array of the field's own class.
 */
export type Stored = null | number | bigint | boolean | string | ArrayBufferView;

/** Checks a value of the record at `record` in the batch and gives what is stored of it. */
export type Convert = (value: unknown, record: number) => Stored;

/** Handle of a string that the header's intern table holds. */
export type InternHandles = ReadonlyMap<string, number>;

interface IntegerLimits {
  readonly low: bigint;
  readonly high: bigint;
}

function integerLimits({ type, width }: FieldPlan): IntegerLimits {
  const bits = BigInt(width * 8);
  return type.kind === 'signed'
    ? { low: -(1n << (bits - 1n)), high: (1n << (bits - 1n)) - 1n }
    : { low: 0n, high: (1n << bits) - 1n };
}

function integerConverter(field: FieldPlan): Convert {
  const { low, high } = integerLimits(field);
  const wide = field.width === 8;
  const expected = `an integer from ${low} to ${high}`;
  return (value, record) => {
    if (value === undefined || value === null) return field.nullableBit >= 0 ? null : 0;
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw valueTypeError(field.name, record, `${expected} as a number, bigint or boolean`, value);
    }
    if (typeof value === 'number' && !Number.isInteger(value)) {
      throw valueRangeError(field.name, record, expected, value);
    }
    const integer = BigInt(value);
    if (integer < low || integer > high) throw valueRangeError(field.name, record, expected, value);
    return wide && !Number.isSafeInteger(Number(integer)) ? integer : Number(integer);
  };
}

function floatConverter(field: FieldPlan): Convert {
  return (value, record) => {
    if (value === undefined || value === null) return field.nullableBit >= 0 ? null : 0;
    if (typeof value === 'number') return value;
    throw valueTypeError(field.name, record, 'a number', value);
  };
}

function boolConverter(field: FieldPlan): Convert {
  return (value, record) => {
    if (value === undefined || value === null) return field.nullableBit >= 0 ? null : false;
    if (typeof value === 'boolean') return value;
    if (Number.isNaN(value)) throw valueRangeError(field.name, record, 'a boolean, number or bigint', value);
    if (typeof value === 'number' || typeof value === 'bigint') return Boolean(value);
    throw valueTypeError(field.name, record, 'a boolean, number or bigint', value);
  };
}

function refConverter(field: FieldPlan, handles: InternHandles | undefined): Convert {
  const integer = integerConverter(field);
  return (value, record) => {
    if (typeof value !== 'string') return integer(value, record);
    if (handles === undefined) {
      const expected = 'a handle, since the header carries no intern table (createStrand takes internTable)';
      throw valueTypeError(field.name, record, expected, value);
    }
    const handle = handles.get(value);
    if (handle === undefined) {
      const expected = `one of the ${handles.size} strings of the intern table that the strand carries`;
      throw valueRangeError(field.name, record, expected, value);
    }
    return handle;
  };
}

function textConverter(field: FieldPlan): Convert {
  return (value, record) => {
    if (value === undefined || value === null) return null;
    if (typeof value === 'string') return value;
    throw valueTypeError(field.name, record, 'a string', value);
  };
}

/** What the engine says of values that have no JSON; anything else that is thrown is user code's. */
const NO_JSON = /^(?:Converting circular structure|Do not know how to serialize a BigInt)/;

function jsonConverter(field: FieldPlan): Convert {
  return (value, record) => {
    if (value === undefined || value === null) return null;
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (error) {
      if (!(error instanceof TypeError && NO_JSON.test(error.message))) throw error;
      const [reason] = error.message.split('\n');
      const message = `field '${field.name}' of record ${record} has no JSON: ${reason}`;
      throw argumentError(message, { field: field.name, record, cause: error });
    }
    if (text === undefined) throw valueTypeError(field.name, record, 'a value that JSON knows', value);
    return text;
  };
}

type ElementArray = { [index: number]: number | bigint } & ArrayBufferView;

interface ElementArrayClass {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): ElementArray;
}

/** What holds a value that is too long for a pointer of six bytes, or for the type altogether. */
const REMEDIES: Readonly<Record<string, string>> = {
  utf8: 'use large_utf8',
  json: 'use large_json',
  bytes: 'use large_bytes',
  i32_array: 'use u32_array or i64_array, or divide it',
  f32_array: 'use f64_array, or divide it',
};

/** A value that its field's pointer cannot measure. */
export function tooLongError(field: FieldPlan, bytes: number, record: number): StrandCapacityError {
  return valueCapacityError(
    field.name,
    record,
    bytes,
    `${field.maxPayload} bytes: ${REMEDIES[field.type.name]}`,
  );
}

/** A record whose payloads, as far as this field, take more than the whole heap. */
export function heapFullError(
  field: FieldPlan,
  record: number,
  bytes: number,
  capacity: number,
): StrandCapacityError {
  return new StrandCapacityError(
    `field '${field.name}' of record ${record} takes the record's payloads to ${bytes} bytes, and the heap holds ${capacity}: ` +
      'give the strand a larger heap',
    { field: field.name, record },
  );
}

/** The typed array of each type with elements, and the check of one element of a plain array. */
const ARRAYS: Readonly<
  Record<string, { make: ElementArrayClass; element: (value: unknown) => number | bigint | undefined }>
> = {
  bytes: { make: Uint8Array, element: (v) => integerElement(v, 0, 0xff) },
  large_bytes: { make: Uint8Array, element: (v) => integerElement(v, 0, 0xff) },
  fixed_bytes: { make: Uint8Array, element: (v) => integerElement(v, 0, 0xff) },
  i32_array: { make: Int32Array, element: (v) => integerElement(v, -0x80000000, 0x7fffffff) },
  u32_array: { make: Uint32Array, element: (v) => integerElement(v, 0, 0xffffffff) },
  f32_array: { make: Float32Array, element: (v) => (typeof v === 'number' ? v : undefined) },
  f64_array: { make: Float64Array, element: (v) => (typeof v === 'number' ? v : undefined) },
  i64_array: { make: BigInt64Array as never, element: bigintElement },
};

function integerElement(value: unknown, low: number, high: number): number | undefined {
  return Number.isInteger(value) && (value as number) >= low && (value as number) <= high
    ? (value as number)
    : undefined;
}

function bigintElement(value: unknown): bigint | undefined {
  if (typeof value !== 'bigint' && !Number.isInteger(value)) return undefined;
  const integer = BigInt(value as number | bigint);
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

function arrayConverter(field: FieldPlan): Convert {
  const { make, element } = ARRAYS[field.type.name] as (typeof ARRAYS)[string];
  const ownName = make.name;
  const fixed = field.type.kind === 'fixed';
  const expected = fixed
    ? `a ${ownName} of ${field.width} bytes`
    : `a ${ownName} or an array of its elements`;

  const checkLength = (bytes: number, record: number): void => {
    if (fixed && bytes !== field.width) {
      throw rangeError(
        `field '${field.name}' of record ${record} takes exactly ${field.width} bytes, got ${bytes}`,
        { field: field.name, record },
      );
    }
    if (!fixed && bytes > field.maxPayload) throw tooLongError(field, bytes, record);
  };

  const fromElements = (values: readonly unknown[], record: number): ElementArray => {
    const { length } = values;
    // A proxy says of its length what it likes.
    if (!Number.isInteger(length) || length < 0) {
      throw valueTypeError(field.name, record, expected, values);
    }
    checkLength(length * make.BYTES_PER_ELEMENT, record);
    const array = new make(length);
    for (let i = 0; i < length; i++) {
      const value = values[i];
      const stored = element(value);
      if (stored === undefined) {
        const isKind =
          typeof value === 'number' || (typeof value === 'bigint' && field.type.name === 'i64_array');
        const report = isKind ? valueRangeError : valueTypeError;
        throw report(field.name, record, `elements that a ${ownName} holds (element ${i})`, value);
      }
      array[i] = stored;
    }
    return array;
  };

  return (value, record) => {
    if (value === undefined || value === null) return null;
    if (typedArrayName(value) === ownName) {
      if (fixed) checkLength(typedArrayBytes(value), record);
      return value as ArrayBufferView;
    }
    if (Array.isArray(value)) return fromElements(value, record);
    throw valueTypeError(field.name, record, expected, value);
  };
}

/** The converter of a field; `handles` where the header carries an intern table. */
export function converterOf(field: FieldPlan, handles: InternHandles | undefined): Convert {
  switch (field.type.kind) {
    case 'unsigned':
    case 'signed':
      return integerConverter(field);
    case 'float':
      return floatConverter(field);
    case 'bool':
      return boolConverter(field);
    case 'ref':
      return refConverter(field, handles);
    case 'text':
      return textConverter(field);
    case 'json':
      return jsonConverter(field);
    case 'array':
    case 'fixed':
      return arrayConverter(field);
  }
}
