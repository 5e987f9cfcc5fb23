import { asBitset, type Bitset, checkBits, extentOf } from './bitset.js';
import { describeValue } from './describe_value.js';
import { argumentError, fieldLabel, rangeError } from './errors.js';
import { fieldTypeNamed } from './field_types.js';
import { fits64Bits } from './integer.js';
import { native } from './native.js';
import type { NativeCondition, NativeFieldType, NativeView } from './native_types.js';
import type { ValueRange } from './predicate.js';
import type { SchemaField } from './schema_types.js';
import { Status, statusError } from './status_error.js';

const { OUT_SEQ, OUT_COUNT } = native.box;

const WIDE = 8;
const MAX_HANDLE = 0xffff_ffff;

type Bound = number | bigint;

/** A predicate as it was given: anything. */
type Given = Readonly<Partial<Record<'kind' | 'lo' | 'hi' | 'value' | 'handles', unknown>>>;

/** One field and what it is asked, checked. */
class Asked {
  readonly #index: number;
  readonly #field: SchemaField;
  readonly #type: NativeFieldType;
  readonly #internTable: readonly string[] | undefined;

  constructor(index: number, field: SchemaField, internTable: readonly string[] | undefined) {
    this.#index = index;
    this.#field = field;
    this.#type = fieldTypeNamed(field.type) as NativeFieldType;
    this.#internTable = internTable;
  }

  /** The predicate in the core's terms. User code runs here (getters, iterators), each property is read once. */
  condition(predicate: unknown): NativeCondition {
    if (typeof predicate !== 'object' || predicate === null) {
      throw this.#refuse(`takes a predicate { kind: ${this.#kinds} }, got ${describeValue(predicate)}`);
    }
    const given = predicate as Given;
    const { kind } = given;
    switch (kind) {
      case 'between':
        if (this.#isOrdered) return this.#between(given.lo, given.hi);
        break;
      case 'eq':
        if (this.#isOrdered) return this.#equal(given.value);
        if (this.#isRef) return this.#oneOf([given.value]);
        break;
      case 'in':
        if (this.#isRef) return this.#oneOf(this.#handles(given.handles));
        break;
    }
    throw this.#refuse(
      `is of type ${this.#field.type} and takes predicates of kind ${this.#kinds}, got ${describeValue(kind)}`,
    );
  }

  get #isRef(): boolean {
    return this.#type.kind === 'ref';
  }

  get #isOrdered(): boolean {
    return ['unsigned', 'signed', 'float', 'bool'].includes(this.#type.kind);
  }

  get #kinds(): string {
    if (this.#isOrdered) return "'between' or 'eq'";
    if (this.#isRef) return "'eq' or 'in'";
    return 'none: only numbers, booleans and utf8_ref can be filtered';
  }

  #between(lo: unknown, hi: unknown): NativeCondition {
    return [this.#index, this.#bound('lo', lo), this.#bound('hi', hi)];
  }

  #equal(value: unknown): NativeCondition {
    const bound = this.#bound('value', value);
    return [this.#index, bound, bound];
  }

  #bound(member: string, value: unknown): Bound {
    const { kind, width } = this.#type;
    if (typeof value === 'number') return value;
    if (kind === 'bool' && typeof value === 'boolean') return value ? 1 : 0;
    if (width === WIDE && typeof value === 'bigint') {
      // The core compares doubles exactly with integers of 64 bits; larger ones it knows to be larger than those only.
      if (kind !== 'float' || fits64Bits(value)) return value;
      throw rangeError(
        `${fieldLabel(this.#field.name)} is compared with numbers and bigints of 64 bits, ` +
          `got ${describeValue(value)} as ${member}: pass a number`,
        { field: this.#field.name },
      );
    }
    const expected =
      kind === 'bool' ? 'a boolean or number' : width === WIDE ? 'a number or bigint' : 'a number';
    throw this.#refuse(`takes ${expected} as ${member}, got ${describeValue(value)}`);
  }

  #handles(handles: unknown): readonly unknown[] {
    if (
      typeof handles === 'object' &&
      handles !== null &&
      typeof (handles as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
    ) {
      return [...(handles as Iterable<unknown>)];
    }
    throw this.#refuse(`takes a Set of handles or strings as handles, got ${describeValue(handles)}`);
  }

  #oneOf(values: readonly unknown[]): NativeCondition {
    const handles: number[] = [];
    const strings = new Set<string>();
    for (const value of values) {
      if (typeof value === 'string') strings.add(value);
      else if (typeof value !== 'number') {
        throw this.#refuse(`is compared with handles and strings, got ${describeValue(value)}`);
        // No record has a handle that is none.
      } else if (Number.isInteger(value) && value >= 0 && value <= MAX_HANDLE) handles.push(value);
    }
    if (strings.size > 0) this.#addHandlesOf(strings, handles);
    return [this.#index, Uint32Array.from(handles)];
  }

  /** A table may hold a string more than once. */
  #addHandlesOf(strings: ReadonlySet<string>, handles: number[]): void {
    const table = this.#internTable;
    if (table === undefined) {
      throw this.#refuse(
        'is compared with handles, since the view has no intern table: give it one, or pass handles',
      );
    }
    table.forEach((text, handle) => {
      if (strings.has(text)) handles.push(handle);
    });
  }

  #refuse(problem: string): Error {
    return argumentError(`${fieldLabel(this.#field.name)} ${problem}`, { field: this.#field.name });
  }
}

/** What a filter needs of its view. */
export interface Filtered {
  readonly native: NativeView;
  readonly fields: readonly SchemaField[];
  readonly internTable: readonly string[] | undefined;
  readonly epoch: number;
}

function conditionOf({ fields, internTable }: Filtered, name: unknown, predicate: unknown): NativeCondition {
  const index = fields.findIndex((field) => field.name === name);
  const field = fields[index];
  if (field === undefined) {
    const details = typeof name === 'string' ? { field: name } : {};
    throw argumentError(`the schema has no field ${describeValue(name)}`, details);
  }
  return new Asked(index, field, internTable).condition(predicate);
}

function conditionsOf(view: Filtered, asked: unknown, predicate: unknown): NativeCondition[] {
  if (typeof asked !== 'object' || asked === null) return [conditionOf(view, asked, predicate)];
  // A Map has no entries of this kind, and would select every record.
  if (!isPlain(asked)) {
    throw argumentError(`predicates are a plain object of them by field names, got ${describeValue(asked)}`);
  }
  return Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => conditionOf(view, name, value));
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `getFilterBitset` of a view: `asked` is a field's name, or an object of predicates. */
export function filterView(view: Filtered, asked: unknown, predicate: unknown): Bitset {
  const answer = view.native.filter(conditionsOf(view, asked, predicate));
  if (typeof answer === 'number') throw statusError(answer, () => '');
  const { box } = view.native;
  const [start, count] = [box[OUT_SEQ] as number, box[OUT_COUNT] as number];
  return asBitset(answer, { start, count, epoch: view.epoch });
}

/** `getConstrainedRanges` of a view. */
export function rangesOfView(view: Filtered, bits: unknown): Record<string, ValueRange> {
  const { start, count, epoch } = extentOf(checkBits(bits));
  if (epoch !== undefined && epoch !== view.epoch) {
    throw rangeError('the bitset belongs to a stream that was reset: filter the present one');
  }
  const answer = view.native.ranges(bits as Uint32Array, start, count);
  if (answer === Status.PAST_COMMITTED) {
    throw rangeError('the bitset has bits of records that are not committed: it belongs to another strand');
  }
  if (typeof answer === 'number') throw statusError(answer, () => '');
  const ranges: Record<string, ValueRange> = {};
  for (let i = 0; i < answer.length; i += 3) {
    const { name } = view.fields[answer[i] as number] as SchemaField;
    const value = { min: answer[i + 1] as number | bigint, max: answer[i + 2] as number | bigint };
    // A field may be named __proto__.
    Object.defineProperty(ranges, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return ranges;
}
