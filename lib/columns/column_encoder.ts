import {
  type Convert,
  converterOf,
  heapFullError,
  type InternHandles,
  tooLongError,
} from '../codec/converters.js';
import type { FieldPlan, RecordPlan } from '../codec/plan.js';
import { typedArrayLength, typedArrayName } from '../codec/typed_arrays.js';
import { describeValue } from '../describe_value.js';
import { argumentError, fieldLabel, rangeError } from '../errors.js';
import { native } from '../native.js';
import { ColumnFaultCode, type NativeWriter } from '../native_types.js';
import { isPosition } from '../position.js';
import { classOf, elementsPerValue, validityWords } from './column_classes.js';
import { type ColumnSource, Form, ValidityBuilder } from './column_source.js';
import { TextEncoding } from './text_encoder.js';
import type { NumberArray } from './types.js';

const { OUT_COUNT, OUT_SEQ, OUT_BYTES } = native.box;

const MAX_ARRAY_LENGTH = 2 ** 32 - 1;

const LEFT_OUT: ColumnSource = { form: Form.LEFT_OUT, length: () => 0 };

/**
 * Turns columns as users give them into columns as the core takes them. All user code (getters, proxies, `toJSON`)
 * runs in `sources`, and each property and element is read once; what is measured is measured behind it.
 */
export class ColumnEncoder {
  readonly #native: NativeWriter;
  readonly #plan: RecordPlan;
  readonly #fields: ReadonlyMap<string, FieldPlan>;
  readonly #convert: readonly Convert[];
  readonly #texts: TextEncoding;
  readonly #openColumns: NativeWriter['openColumns'];
  readonly #closeColumns: NativeWriter['closeColumns'];
  readonly #forms: Uint8Array;
  readonly #values: unknown[];
  readonly #offsets: (Int32Array | undefined)[];
  readonly #validities: (Uint32Array | undefined)[];

  constructor(writer: NativeWriter, plan: RecordPlan, handles: InternHandles | undefined) {
    this.#native = writer;
    this.#plan = plan;
    this.#fields = new Map(plan.fields.map((field) => [field.name, field]));
    this.#convert = plan.fields.map((field) => converterOf(field, handles));
    this.#texts = new TextEncoding(writer);
    ({ openColumns: this.#openColumns, closeColumns: this.#closeColumns } = writer);
    this.#forms = new Uint8Array(plan.fields.length);
    this.#values = plan.fields.map(() => undefined);
    this.#offsets = plan.fields.map(() => undefined);
    this.#validities = plan.fields.map(() => undefined);
  }

  /** Checks a batch and leaves it open in the core. → its records */
  open(columns: unknown, count: unknown): number {
    if (count !== undefined && !isPosition(count)) {
      throw rangeError(`a batch has a whole number of records, got ${describeValue(count)}`);
    }
    this.#texts.clear();
    const sources = this.#sources(columns);
    const records = this.#count(sources, count);
    const fault = this.#openColumns(
      this.#take(sources),
      this.#values,
      this.#offsets,
      this.#validities,
      records,
    );
    if (fault !== ColumnFaultCode.NONE) throw this.#fault(fault);
    return records;
  }

  close(): void {
    this.#closeColumns();
    this.#texts.clear();
    this.#values.fill(undefined);
    this.#offsets.fill(undefined);
    this.#validities.fill(undefined);
  }

  /** Takes the columns apart into lists that keep them while the core refers to them. → forms */
  #take(sources: readonly ColumnSource[]): Uint8Array {
    const forms = this.#forms;
    for (let i = 0; i < sources.length; i++) {
      const { form, values, offsets, validity } = sources[i] as ColumnSource;
      forms[i] = validity === undefined ? form : form | Form.HAS_VALIDITY;
      this.#values[i] = values ?? (form === Form.PACKED ? this.#texts.bytes : undefined);
      this.#offsets[i] = offsets;
      this.#validities[i] = validity;
    }
    return forms;
  }

  /** The columns by their fields' order. */
  #sources(columns: unknown): ColumnSource[] {
    if (typeof columns !== 'object' || columns === null) {
      throw argumentError(`a batch of columns is an object of them, got ${describeValue(columns)}`);
    }
    const sources: ColumnSource[] = this.#plan.fields.map(() => LEFT_OUT);
    for (const name of Object.keys(columns)) {
      const field = this.#fields.get(name);
      if (field === undefined) throw argumentError(`the schema has no ${fieldLabel(name)}`, { field: name });
      const column: unknown = (columns as Record<string, unknown>)[name];
      if (column !== undefined && column !== null) sources[field.index] = this.#source(field, column);
    }
    return sources;
  }

  #count(sources: readonly ColumnSource[], count: number | undefined): number {
    let records = count;
    let first: FieldPlan | undefined;
    sources.forEach((source, i) => {
      if (source.form === Form.LEFT_OUT) return;
      const field = this.#plan.fields[i] as FieldPlan;
      const length = source.length();
      if (records === undefined) {
        records = length;
        first = field;
      } else if (count === undefined && length !== records) {
        throw rangeError(
          `columns of one batch are equally long: ${fieldLabel((first as FieldPlan).name)} has ${records} values, ` +
            `${fieldLabel(field.name)} has ${length}. Give a count to write the first ones of longer columns`,
          { field: field.name },
        );
      } else if (length < records) {
        throw rangeError(`${records} records need as many values, ${fieldLabel(field.name)} has ${length}`, {
          field: field.name,
        });
      }
    });
    if (records === undefined) {
      throw argumentError('a batch without any column needs a count of its records');
    }
    const words = validityWords(records);
    sources.forEach(({ validity }, i) => {
      if (validity === undefined || validity.length >= words) return;
      const { name } = this.#plan.fields[i] as FieldPlan;
      throw rangeError(
        `the validity of ${fieldLabel(name)} takes ${words} words for ${records} records, got ${validity.length}`,
        { field: name },
      );
    });
    return records;
  }

  #source(field: FieldPlan, column: unknown): ColumnSource {
    if (typedArrayName(column) !== undefined) return this.#typedArray(field, column, undefined);
    if (Array.isArray(column)) return this.#list(field, column, undefined);
    if (typeof column !== 'object' || column === null) throw this.#wrong(field, column);
    const { offsets, values, bytes, validity } = column as Record<string, unknown>;
    if (validity !== undefined && typedArrayName(validity) !== 'Uint32Array') {
      throw argumentError(
        `the validity of ${fieldLabel(field.name)} is a Uint32Array, got ${describeValue(validity)}`,
        {
          field: field.name,
        },
      );
    }
    // Another thread may change the caller's, and a bit must not mean one thing when payloads are measured and
    // another when they are copied.
    const own = validity === undefined ? undefined : new Uint32Array(validity as Uint32Array);
    if (offsets !== undefined) return this.#packed(field, offsets, values ?? bytes, own);
    if (typedArrayName(values) !== undefined) return this.#typedArray(field, values, own);
    if (Array.isArray(values)) return this.#list(field, values, own);
    throw this.#wrong(field, column);
  }

  #wrong(field: FieldPlan, column: unknown): TypeError {
    const { name } = classOf(field);
    const takes =
      field.type.elementSize === 0
        ? `a ${name}, an array, or { values, validity }`
        : `an array, { values, validity }, or packed { offsets: Int32Array, values: ${name} }`;
    return argumentError(`a column of ${fieldLabel(field.name)} is ${takes}, got ${describeValue(column)}`, {
      field: field.name,
    });
  }

  #typedArray(field: FieldPlan, values: unknown, validity: Uint32Array | undefined): ColumnSource {
    if (field.type.elementSize > 0 || typedArrayName(values) !== classOf(field).name) {
      throw this.#wrong(field, values);
    }
    const each = elementsPerValue(field);
    const length = (): number => {
      const elements = typedArrayLength(values);
      if (elements % each === 0) return elements / each;
      throw rangeError(
        `a column of ${fieldLabel(field.name)} has ${each} bytes for each record, got ${elements} in all`,
        { field: field.name },
      );
    };
    return { form: Form.VALUES, values: values as NumberArray, validity, length };
  }

  #packed(
    field: FieldPlan,
    offsets: unknown,
    values: unknown,
    validity: Uint32Array | undefined,
  ): ColumnSource {
    if (field.type.elementSize === 0) throw this.#wrong(field, { offsets });
    if (typedArrayName(offsets) !== 'Int32Array') {
      throw argumentError(
        `the offsets of ${fieldLabel(field.name)} are an Int32Array, got ${describeValue(offsets)}`,
        {
          field: field.name,
        },
      );
    }
    const { name } = classOf(field);
    if (typedArrayName(values) !== name) {
      throw argumentError(
        `the values of the packed column of ${fieldLabel(field.name)} are a ${name}, got ${describeValue(values)}`,
        { field: field.name },
      );
    }
    // Private, as the validity is.
    const own = new Int32Array(offsets as Int32Array);
    return {
      form: Form.PACKED,
      values: values as NumberArray,
      offsets: own,
      validity: field.type.kind === 'json' ? withoutEmpty(own, validity) : validity,
      length: () => {
        if (own.length > 0) return own.length - 1;
        throw rangeError(
          `the offsets of ${fieldLabel(field.name)} are one number more than there are records, got none`,
          {
            field: field.name,
          },
        );
      },
    };
  }

  #list(field: FieldPlan, list: readonly unknown[], given: Uint32Array | undefined): ColumnSource {
    const { length } = list;
    // A proxy says of its length what it likes.
    if (!Number.isInteger(length) || length < 0 || length > MAX_ARRAY_LENGTH) throw this.#wrong(field, list);
    const validity = new ValidityBuilder(length, given);
    const source = this.#elements(field, list, length, validity);
    return { ...source, validity: validity.bits, length: () => length };
  }

  #elements(
    field: FieldPlan,
    list: readonly unknown[],
    length: number,
    validity: ValidityBuilder,
  ): Pick<ColumnSource, 'form' | 'values' | 'offsets'> {
    const convert = this.#convert[field.index] as Convert;
    switch (field.type.kind) {
      case 'text':
      case 'json':
        return { form: Form.PACKED, offsets: this.#textElements(field, list, length, validity, convert) };
      case 'array':
        return { form: Form.LIST, values: arrayElements(list, length, validity, convert) };
      case 'fixed':
        return { form: Form.VALUES, values: fixedElements(field, list, length, validity, convert) };
      default:
        return { form: Form.VALUES, values: numberElements(field, list, length, validity, convert) };
    }
  }

  #textElements(
    field: FieldPlan,
    list: readonly unknown[],
    length: number,
    validity: ValidityBuilder,
    convert: Convert,
  ): Int32Array {
    const texts = this.#texts;
    const isJson = field.type.kind === 'json';
    const offsets = texts.beginColumn(length);
    for (let i = 0; i < length; i++) {
      const value = validity.isAbsent(i) ? null : list[i];
      const text = typeof value === 'string' && !isJson ? value : (convert(value, i) as string | null);
      if (text === null) {
        validity.remove(i);
        texts.addNothing();
      } else {
        texts.add(text);
      }
    }
    texts.endColumn();
    return offsets;
  }

  #fault(fault: number): Error {
    const { box } = this.#native;
    const field = this.#plan.fields[box[OUT_COUNT] as number] as FieldPlan;
    const record = box[OUT_SEQ] as number;
    const bytes = box[OUT_BYTES] as number;
    switch (fault) {
      case ColumnFaultCode.BAD_OFFSETS:
        return rangeError(
          `the offsets of ${fieldLabel(field.name)} must ascend and stay within the values; those of record ${record} do not`,
          { field: field.name, record },
        );
      case ColumnFaultCode.TOO_LONG:
        return tooLongError(field, bytes, record);
      case ColumnFaultCode.HEAP_TOO_SMALL:
        return heapFullError(field, record, bytes, this.#native.header.geometry.heapCapacity);
      default:
        // Detached or cut short since it was looked at.
        return rangeError(`${fieldLabel(field.name)} has fewer values than there are records`, {
          field: field.name,
        });
    }
  }
}

/** JSON of no bytes is none: packed columns of fields that are not nullable show in this way what was left out. */
function withoutEmpty(offsets: Int32Array, given: Uint32Array | undefined): Uint32Array | undefined {
  const length = Math.max(0, offsets.length - 1);
  const validity = new ValidityBuilder(length, given);
  for (let i = 0; i < length; i++) if (offsets[i] === offsets[i + 1]) validity.remove(i);
  return validity.bits;
}

function arrayElements(
  list: readonly unknown[],
  length: number,
  validity: ValidityBuilder,
  convert: Convert,
): (ArrayBufferView | undefined)[] {
  const arrays: (ArrayBufferView | undefined)[] = [];
  for (let i = 0; i < length; i++) {
    const array = validity.isAbsent(i) ? null : (convert(list[i], i) as ArrayBufferView | null);
    if (array === null) validity.remove(i);
    arrays.push(array ?? undefined);
  }
  return arrays;
}

function fixedElements(
  { width }: FieldPlan,
  list: readonly unknown[],
  length: number,
  validity: ValidityBuilder,
  convert: Convert,
): Uint8Array {
  const flat = new Uint8Array(length * width);
  for (let i = 0; i < length; i++) {
    const bytes = validity.isAbsent(i) ? null : (convert(list[i], i) as Uint8Array | null);
    if (bytes === null) validity.remove(i);
    // At once, since the next element's getter may change this one; and by bytes, since another thread may make a
    // shared one longer.
    else for (let j = 0; j < width; j++) flat[i * width + j] = bytes[j] as number;
  }
  return flat;
}

function numberElements(
  field: FieldPlan,
  list: readonly unknown[],
  length: number,
  validity: ValidityBuilder,
  convert: Convert,
): NumberArray {
  const values = new (classOf(field))(length);
  const isWide = field.width === 8 && field.type.kind !== 'float';
  const rounds = field.type.kind === 'float';
  const isBool = field.type.kind === 'bool';
  for (let i = 0; i < length; i++) {
    const value = validity.isAbsent(i) ? null : list[i];
    if (value === null || value === undefined) {
      validity.remove(i);
    } else if (isWide) {
      const stored = convert(value, i) as number | bigint | boolean;
      (values as BigInt64Array)[i] = BigInt(stored);
    } else if (typeof value === 'number' && !isBool) {
      values[i] = value;
      // What an integer array changes is not in its range.
      if (!rounds && values[i] !== value) values[i] = convert(value, i) as number;
    } else {
      values[i] = Number(convert(value, i));
    }
  }
  return values;
}
