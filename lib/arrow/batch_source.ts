import type * as Arrow from 'apache-arrow';
import type { LoosePackedColumn, NumberArray, PackedColumn } from '../columns/types.js';
import { describeValue } from '../describe_value.js';
import { argumentError, fieldLabel } from '../errors.js';
import { fieldTypeNamed } from '../field_types.js';
import { native } from '../native.js';
import type { Schema, SchemaField } from '../schema_types.js';
import type { StrandView } from '../view.js';
import { allSet, clearBit, packBits } from './bitmap.js';
import { arrow } from './peer.js';
import { arrowField } from './schema.js';
import { asUtf8 } from './text.js';

interface Column {
  readonly field: SchemaField;
  readonly arrowField: Arrow.Field;
}

/**
 * The Arrow fields of each view, made once: dictionaries have identities, by which batches of one view belong together.
 */
const fieldsOfViews = new WeakMap<object, ReadonlyMap<string, Column>>();

/** Validity of a column without nulls. */
const NO_BITS = new Uint8Array(0);

/** Sources by their columns' names, of each view. */
const sourcesOfViews = new WeakMap<object, Map<string, BatchSource>>();

/** Dictionaries by intern table. */
const dictionaries = new WeakMap<readonly string[], Arrow.Vector<Arrow.Utf8>>();

/** Makes record batches of some of a view's fields. */
export class BatchSource {
  readonly schema: Arrow.Schema;
  readonly #view: StrandView;
  readonly #columns: readonly Column[];
  readonly #names: readonly string[];
  readonly #type: Arrow.Struct;

  /** The source of a view's columns, the same one whenever it is asked for. */
  static of(view: StrandView, names: unknown): BatchSource {
    const sources = sourcesOfViews.get(view) ?? new Map<string, BatchSource>();
    sourcesOfViews.set(view, sources);
    const columns = columnsOf(view, names);
    const key = JSON.stringify(columns.map(({ field }) => field.name));
    const source = sources.get(key) ?? new BatchSource(view, columns);
    sources.set(key, source);
    return source;
  }

  private constructor(view: StrandView, columns: readonly Column[]) {
    this.#view = view;
    this.#columns = columns;
    this.#names = this.#columns.map(({ field }) => field.name);
    this.schema = new arrow.Schema(this.#columns.map((column) => column.arrowField));
    this.#type = new arrow.Struct(this.schema.fields);
  }

  /** Dictionaries of the columns, by their identities. */
  get dictionaries(): Map<number, Arrow.Vector> {
    const all = new Map<number, Arrow.Vector>();
    for (const { field, arrowField } of this.#columns) {
      if (field.type === 'utf8_ref')
        all.set((arrowField.type as Arrow.Dictionary).id, this.#dictionary(field));
    }
    return all;
  }

  /** The records from <= seq < to, gathered in one native pass. */
  read(from: number, to: number): Arrow.RecordBatch {
    const gathered = (this.#view.readColumns as ReadPacked).call(this.#view, this.#names, from, to, {
      packed: true,
    });
    const length = to - from;
    const children = this.#columns.map((column) =>
      this.#child(column, gathered[column.field.name] as LoosePackedColumn, length),
    );
    return new arrow.RecordBatch(
      this.schema,
      dataOf(this.#type, length, undefined, undefined, undefined, children) as Arrow.Data<Arrow.Struct>,
    );
  }

  /** A batch without records, to tell the schema. */
  empty(): Arrow.RecordBatch {
    const end = this.#view.committedCount;
    return this.read(end, end);
  }

  #child({ field, arrowField: { type } }: Column, column: LoosePackedColumn, length: number): Arrow.Data {
    if (field.type === 'utf8_ref') {
      return this.#handles(field, type as Arrow.Dictionary, column as HandleColumn, length);
    }
    const { validity } = column;
    switch (fieldTypeNamed(field.type)?.kind) {
      case 'text':
      case 'json': {
        const { offsets, values } = asUtf8(column as PackedColumn<Uint8Array>);
        return dataOf(type, length, values, validity, offsets);
      }
      case 'array': {
        const { offsets, values } = column as PackedColumn<Uint8Array>;
        if (!arrow.DataType.isList(type)) return dataOf(type, length, values, validity, offsets);
        const elements = dataOf(type.valueType, values.length, values);
        return dataOf(type, length, undefined, validity, offsets, [elements]);
      }
      case 'bool':
        return dataOf(type, length, packBits(column.values as Uint8Array), validity);
      default:
        return dataOf(type, length, column.values, validity);
    }
  }

  /** Handles as a dictionary's indices. A handle outside the intern table is null, as it is for a cursor. */
  #handles(
    field: SchemaField,
    type: Arrow.Dictionary,
    { values, validity }: HandleColumn,
    length: number,
  ): Arrow.Data {
    const dictionary = this.#dictionary(field);
    let present = validity;
    if (!native.allBelow(values, dictionary.length)) {
      present ??= allSet(length);
      for (let i = 0; i < length; i++) {
        if ((values[i] as number) < dictionary.length) continue;
        clearBit(present, i);
        values[i] = 0;
      }
    }
    // Those that are left lie below 2^31: no table is longer.
    const indices = new Int32Array(values.buffer, values.byteOffset, length);
    return dataOf(type, length, indices, present, undefined, [], dictionary);
  }

  #dictionary({ name }: SchemaField): Arrow.Vector<Arrow.Utf8> {
    const table = this.#view.internTable;
    if (table === undefined) {
      throw argumentError(
        `${fieldLabel(name)} holds handles of an intern table, and the view has none: new StrandView(strand, table), ` +
          'or leave the field out with { fields }',
        { field: name },
      );
    }
    const known = dictionaries.get(table);
    // A table may be appended to.
    if (known?.length === table.length) return known;
    const dictionary = arrow.vectorFromArray(table, new arrow.Utf8());
    dictionaries.set(table, dictionary);
    return dictionary;
  }
}

interface HandleColumn {
  readonly values: Uint32Array;
  readonly validity?: Uint32Array | undefined;
}

/** What `makeData` would make, in a third of its time: for short batches that is most of the work. */
function dataOf(
  type: Arrow.DataType,
  length: number,
  values: NumberArray | undefined,
  validity?: Uint32Array | undefined,
  offsets?: Int32Array | undefined,
  children: Arrow.Data[] = [],
  dictionary?: Arrow.Vector,
): Arrow.Data {
  const bits = validity && new Uint8Array(validity.buffer, validity.byteOffset, validity.byteLength);
  // Nulls are counted when somebody asks.
  const nullCount = bits === undefined ? 0 : -1;
  return new arrow.Data(type, 0, length, nullCount, [offsets, values, bits ?? NO_BITS], children, dictionary);
}

type ReadPacked = (
  names: readonly string[],
  from: number,
  to: number,
  options: { packed: true },
) => Record<string, LoosePackedColumn>;

function columnsOf(view: StrandView, names: unknown): readonly Column[] {
  const all = fieldsOf(view);
  if (names === undefined || names === null) return [...all.values()];
  if (!Array.isArray(names)) {
    throw argumentError(`fields is a list of field names, got ${describeValue(names)}`);
  }
  return [...new Set<unknown>(names)].map((name) => {
    const column = typeof name === 'string' ? all.get(name) : undefined;
    if (column === undefined) throw argumentError(`the schema has no field ${describeValue(name)}`);
    return column;
  });
}

function fieldsOf(view: StrandView): ReadonlyMap<string, Column> {
  let fields = fieldsOfViews.get(view);
  if (fields === undefined) {
    const { schema }: { schema: Schema } = view.map;
    fields = new Map(schema.fields.map((field) => [field.name, { field, arrowField: arrowField(field) }]));
    fieldsOfViews.set(view, fields);
  }
  return fields;
}
