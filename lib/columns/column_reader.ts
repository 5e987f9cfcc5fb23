import type { FieldPlan, RecordPlan } from '../codec/plan.js';
import { typedArrayLength, typedArrayName } from '../codec/typed_arrays.js';
import { describeValue } from '../describe_value.js';
import { argumentError, fieldLabel, rangeError } from '../errors.js';
import { native } from '../native.js';
import type { NativeView } from '../native_types.js';
import { isPosition } from '../position.js';
import { Status, statusError } from '../status_error.js';
import { classOf, elementsPerValue, validityWords } from './column_classes.js';
import { gatherTexts } from './text_gather.js';
import type { Column, NumberArray, PackedColumn } from './types.js';

const { OUT_COMMITTED, OUT_SEQ } = native.box;

/** What 32-bit offsets can tell apart. */
const MAX_PAYLOAD_BYTES = 0x7fffffff;

/** Where a column goes: memory of the caller's, or of our own where undefined. */
interface Target {
  readonly values: NumberArray | unknown[] | undefined;
  readonly validity: Uint32Array | undefined;
}

const OWN: Target = { values: undefined, validity: undefined };

interface Range {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

type Columns = Record<string, Column<NumberArray | unknown[]> | PackedColumn<NumberArray>>;

function isText({ type }: FieldPlan): boolean {
  return type.kind === 'text' || type.kind === 'json';
}

function isNumeric({ type }: FieldPlan): boolean {
  return type.elementSize === 0 && type.kind !== 'fixed' && type.kind !== 'ref';
}

/** Reads whole columns of one view. */
export class ColumnReader {
  readonly #native: NativeView;
  readonly #plan: RecordPlan;
  readonly #internTable: () => readonly string[] | undefined;

  constructor(view: NativeView, plan: RecordPlan, internTable: () => readonly string[] | undefined) {
    this.#native = view;
    this.#plan = plan;
    this.#internTable = internTable;
  }

  column(name: unknown, from: unknown, to: unknown, out: unknown): unknown {
    const field = this.#field(name);
    const range = this.#range(from, to);
    const target = out === undefined ? OWN : targetOf(field, range.count, out);
    return this.#list(field, range, target, target.validity).values;
  }

  columns(names: unknown, from: unknown, to: unknown, options: { packed?: boolean | undefined }): Columns {
    if (typeof options !== 'object' || options === null) {
      throw argumentError(`readColumns takes options, got ${describeValue(options)}`);
    }
    const fields = this.#fields(names);
    const range = this.#range(from, to);
    const columns = options.packed
      ? this.#packed(fields, range)
      : fields.map((field) => {
          const validity = field.nullableBit >= 0 ? new Uint32Array(validityWords(range.count)) : undefined;
          return this.#list(field, range, OWN, validity);
        });
    return Object.fromEntries(fields.map(({ name }, k) => [name, columns[k]])) as Columns;
  }

  #field(name: unknown): FieldPlan {
    const field = this.#plan.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw argumentError(`the schema has no field ${describeValue(name)}`);
    return field;
  }

  #fields(names: unknown): readonly FieldPlan[] {
    if (names === undefined || names === null) return this.#plan.fields;
    if (!Array.isArray(names)) {
      throw argumentError(`readColumns takes a list of field names, got ${describeValue(names)}`);
    }
    return [...new Set<unknown>(names)].map((name) => this.#field(name));
  }

  /** The range, which can be read as far as this moment tells. */
  #range(from: unknown, to: unknown): Range {
    if (!isPosition(from) || !isPosition(to) || from > to) {
      throw rangeError(
        `columns are read from a position to one that is not below it, got ${describeValue(from)} and ${describeValue(to)}`,
      );
    }
    const range = { from, to, count: to - from };
    this.#gather(range, [], [], []);
    return range;
  }

  #mustBeOk(status: number, { from, to }: Range): void {
    const { box } = this.#native;
    switch (status) {
      case Status.OK:
        return;
      case Status.NOT_COMMITTED:
        this.#native.refresh();
        throw rangeError(
          `records ${from} to ${to} cannot be read: ${box[OUT_COMMITTED]} are committed. Wait for them with waitForCommit()`,
        );
      case Status.BEHIND:
        throw rangeError(
          `records from ${from} on may have been overwritten: they were acknowledged, and the producer has come around. ` +
            `The oldest intact record is ${box[OUT_SEQ]}: read before acknowledging, or register a consumer`,
        );
      default:
        throw statusError(status, () => '');
    }
  }

  /** → for each field the bytes of its payloads, and how many of its values are absent */
  #gather(
    range: Range,
    fields: readonly FieldPlan[],
    targets: readonly ArrayBufferView[],
    validities: readonly (Uint32Array | undefined)[],
  ): Float64Array {
    const summaries = new Float64Array(2 * fields.length);
    const indices = Uint32Array.from(fields, ({ index }) => index);
    this.#mustBeOk(
      this.#native.gatherColumns(range.from, range.to, indices, targets, validities, summaries),
      range,
    );
    return summaries;
  }

  #payloads(field: FieldPlan, range: Range, k: number, bytes: number): NumberArray {
    if (bytes > MAX_PAYLOAD_BYTES) {
      throw rangeError(
        `${fieldLabel(field.name)} takes ${bytes} bytes in records ${range.from} to ${range.to}, and one column holds ` +
          `${MAX_PAYLOAD_BYTES} at most: read fewer records at once`,
      );
    }
    const Values = classOf(field);
    const values = new Values(bytes / Values.BYTES_PER_ELEMENT);
    this.#mustBeOk(this.#native.gatherPayloads(k, values), range);
    return values;
  }

  #packed(fields: readonly FieldPlan[], range: Range): (Column<NumberArray> | PackedColumn<NumberArray>)[] {
    const { count } = range;
    // Of payloads that may be absent without being null, too: the offsets do not tell them from empty ones.
    const validities = fields.map(({ nullableBit, type }) =>
      nullableBit >= 0 || (type.elementSize > 0 && type.kind !== 'text')
        ? new Uint32Array(validityWords(count))
        : undefined,
    );
    const targets = fields.map((field) =>
      field.type.elementSize > 0
        ? new Int32Array(count + 1)
        : new (classOf(field))(count * elementsPerValue(field)),
    );
    const summaries = this.#gather(range, fields, targets, validities);
    return fields.map((field, k) => {
      const target = targets[k] as NumberArray;
      const isTelling = field.nullableBit >= 0 || (summaries[2 * k + 1] as number) > 0;
      const validity = isTelling ? validities[k] : undefined;
      const column =
        field.type.elementSize > 0
          ? {
              offsets: target as Int32Array,
              values: this.#payloads(field, range, k, summaries[2 * k] as number),
            }
          : { values: target };
      return validity === undefined ? column : { ...column, validity };
    });
  }

  /** A column as numbers or as a list. `validity` takes the bits where it is wanted. */
  #list(
    field: FieldPlan,
    range: Range,
    target: Target,
    validity: Uint32Array | undefined,
  ): Column<NumberArray | unknown[]> {
    let values: NumberArray | unknown[];
    if (isNumeric(field)) {
      values = (target.values as NumberArray | undefined) ?? new (classOf(field))(range.count);
      this.#gather(range, [field], [values as NumberArray], [validity]);
      if (typedArrayLength(values) !== range.count) values = (values as NumberArray).subarray(0, range.count);
    } else {
      const list = (target.values as unknown[] | undefined) ?? emptyList(range.count);
      if (isText(field)) {
        gatherTexts(this.#native, field, range.from, range.count, list, validity);
        // The texts were decoded from private copies; whether those were the records' shows only now.
        this.#gather(range, [], [], []);
      } else if (field.type.elementSize > 0) {
        this.#arrays(field, range, list, validity);
      } else {
        this.#slots(field, range, list, validity);
      }
      list.length = range.count;
      values = list;
    }
    return validity === undefined ? { values } : { values, validity };
  }

  /** Arrays over one private buffer. */
  #arrays(field: FieldPlan, range: Range, list: unknown[], validity: Uint32Array | undefined): void {
    const Values = classOf(field);
    const offsets = new Int32Array(range.count + 1);
    const present = validity ?? new Uint32Array(validityWords(range.count));
    const summaries = this.#gather(range, [field], [offsets], [present]);
    const { buffer } = this.#payloads(field, range, 0, summaries[0] as number);
    for (let i = 0; i < range.count; i++) {
      const start = offsets[i] as number;
      list[i] = isSet(present, i)
        ? new Values(buffer, start * Values.BYTES_PER_ELEMENT, (offsets[i + 1] as number) - start)
        : null;
    }
  }

  /** Interned strings, and bytes of a fixed length. */
  #slots(field: FieldPlan, range: Range, list: unknown[], validity: Uint32Array | undefined): void {
    const { count } = range;
    const present = validity ?? (field.nullableBit >= 0 ? new Uint32Array(validityWords(count)) : undefined);
    const all = new (classOf(field))(count * elementsPerValue(field));
    this.#gather(range, [field], [all], [present]);
    const table = this.#internTable();
    const isFixed = field.type.kind === 'fixed';
    for (let i = 0; i < count; i++) {
      if (present !== undefined && !isSet(present, i)) list[i] = null;
      else if (isFixed) list[i] = new Uint8Array(all.buffer, i * field.width, field.width);
      else list[i] = table?.[all[i] as number] ?? null;
    }
  }
}

/** The engine makes an array of a given length faster than it lets one grow, but a very long one is a dictionary. */
function emptyList(count: number): unknown[] {
  return count <= 1 << 24 ? new Array(count) : [];
}

function isSet(words: Uint32Array, index: number): boolean {
  return ((words[index >> 5] as number) & (1 << (index & 31))) !== 0;
}

/** Takes apart where the caller wants a column of `count` values. */
function targetOf(field: FieldPlan, count: number, out: unknown): Target {
  const isMemory = typedArrayName(out) !== undefined || Array.isArray(out);
  const isPair = typeof out === 'object' && out !== null && ('values' in out || 'validity' in out);
  if (!isMemory && !isPair) {
    throw argumentError(
      `a column of ${fieldLabel(field.name)} is read into ${memoryOf(field)}, or { values, validity }, got ${describeValue(out)}`,
    );
  }
  const { values, validity } = (isMemory ? { values: out } : out) as { values?: unknown; validity?: unknown };
  if (values !== undefined) checkValues(field, count, values);
  if (validity !== undefined) checkValidity(field, count, validity);
  if (isNumeric(field) && overlap(values, validity)) {
    throw rangeError(
      `values and validity of ${fieldLabel(field.name)} lie in the same memory: give each its own`,
    );
  }
  return { values: values as Target['values'], validity: validity as Target['validity'] };
}

function overlap(one: unknown, other: unknown): boolean {
  if (!ArrayBuffer.isView(one) || !ArrayBuffer.isView(other) || one.buffer !== other.buffer) return false;
  return (
    one.byteOffset < other.byteOffset + other.byteLength && other.byteOffset < one.byteOffset + one.byteLength
  );
}

function memoryOf(field: FieldPlan): string {
  return isNumeric(field) ? `a ${classOf(field).name}` : 'an array';
}

function checkValues(field: FieldPlan, count: number, values: unknown): void {
  const fits = isNumeric(field) ? typedArrayName(values) === classOf(field).name : Array.isArray(values);
  if (!fits) {
    throw argumentError(
      `a column of ${fieldLabel(field.name)} is read into ${memoryOf(field)}, got ${describeValue(values)}`,
    );
  }
  if (isNumeric(field) && typedArrayLength(values) < count) {
    throw rangeError(
      `${count} values of ${fieldLabel(field.name)} do not fit ${typedArrayLength(values)}: give a longer ${classOf(field).name}`,
    );
  }
}

function checkValidity(field: FieldPlan, count: number, validity: unknown): void {
  if (typedArrayName(validity) !== 'Uint32Array') {
    throw argumentError(
      `the validity of ${fieldLabel(field.name)} is read into a Uint32Array, got ${describeValue(validity)}`,
    );
  }
  if (typedArrayLength(validity) < validityWords(count)) {
    throw rangeError(
      `the validity of ${count} records takes ${validityWords(count)} words, got ${typedArrayLength(validity)}`,
    );
  }
}
