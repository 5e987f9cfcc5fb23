import type * as Arrow from 'apache-arrow';
import type { LoosePackedColumn, PackedColumn } from '../columns/types.js';
import { describeValue } from '../describe_value.js';
import { argumentError, fieldLabel } from '../errors.js';
import { fieldTypeNamed } from '../field_types.js';
import type { Schema, SchemaField } from '../schema_types.js';
import type { StrandView } from '../view.js';
import { allSet, clearBit, isSet, packBits } from './bitmap.js';
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

/** Dictionaries by intern table. */
const dictionaries = new WeakMap<readonly string[], Arrow.Vector<Arrow.Utf8>>();

/** Makes record batches of some of a view's fields. */
export class BatchSource {
  readonly schema: Arrow.Schema;
  readonly #view: StrandView;
  readonly #columns: readonly Column[];
  readonly #names: readonly string[];
  readonly #type: Arrow.Struct;

  constructor(view: StrandView, names: unknown) {
    this.#view = view;
    this.#columns = columnsOf(view, names);
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
      arrow.makeData({ type: this.#type, length, nullCount: 0, children }),
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
    const nullBitmap = validity && new Uint8Array(validity.buffer, validity.byteOffset, validity.byteLength);
    const all = { length, nullCount: validity === undefined ? 0 : -1, nullBitmap };
    switch (fieldTypeNamed(field.type)?.kind) {
      case 'text':
      case 'json': {
        const { offsets, values } = asUtf8(column as PackedColumn<Uint8Array>);
        return arrow.makeData({ ...all, type: type as Arrow.Utf8, valueOffsets: offsets, data: values });
      }
      case 'array': {
        const { offsets, values } = column as PackedColumn<Uint8Array>;
        if (!arrow.DataType.isList(type)) {
          return arrow.makeData({ ...all, type: type as Arrow.Binary, valueOffsets: offsets, data: values });
        }
        const child = arrow.makeData({
          type: type.valueType as Arrow.Int,
          length: values.length,
          nullCount: 0,
          data: values,
        });
        return arrow.makeData({ ...all, type, valueOffsets: offsets, child });
      }
      case 'bool':
        return arrow.makeData({
          ...all,
          type: type as Arrow.Bool,
          data: packBits(column.values as Uint8Array),
        });
      default:
        return arrow.makeData({ ...all, type: type as Arrow.Int, data: column.values as Uint8Array });
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
    for (let i = 0; i < length; i++) {
      if ((values[i] as number) < dictionary.length || !isSet(present, i)) continue;
      present ??= allSet(length);
      clearBit(present, i);
      values[i] = 0;
    }
    return arrow.makeData({
      type,
      length,
      nullCount: present === undefined ? 0 : -1,
      nullBitmap: present && new Uint8Array(present.buffer, present.byteOffset, present.byteLength),
      // Those that are left lie below 2^31: no table is longer.
      data: new Int32Array(values.buffer, values.byteOffset, length),
      dictionary,
    });
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
