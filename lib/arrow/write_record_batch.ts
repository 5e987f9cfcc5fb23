import type * as Arrow from 'apache-arrow';
import type { ColumnsOf } from '../columns/types.js';
import { describeValue } from '../describe_value.js';
import { argumentError, fieldLabel } from '../errors.js';
import { optionsOf } from '../options.js';
import type { Schema } from '../schema_types.js';
import { StrandWriter } from '../writer.js';
import { columnOf } from './column_input.js';
import { InternHandles } from './intern_handles.js';
import type { WriteRecordBatchOptions } from './types.js';

/**
 * Writes a record batch, its columns into the fields of the same names. Every field has a column and every column a
 * field; all of them, their types and their values are checked before anything is written. Visibility, waiting and
 * errors of values are those of `writeColumns`.
 *
 * A number goes into any field that holds it, rounded only by `f32`; dates, times, timestamps and durations are the
 * integers that they are in their units. Strings and dictionaries of strings go into texts, and into `utf8_ref` as the
 * handles of their strings. Lists, also of fixed size, go into arrays of the same element; JSON fields take the texts as
 * JSON. Nulls stay nulls.
 *
 * @param options.internTable the strings of the `utf8_ref` fields where the strand carries none
 * @throws TypeError columns that lack or that the schema does not have; a column of another type; a null in a field that
 *   cannot be null
 * @throws RangeError a value outside its field's limits; a string that the intern table does not have
 * @throws StrandCapacityError a value too long for its field, or a record for the heap
 * @throws StrandAbortError a consumer has signalled an abort
 */
export function writeRecordBatch<S extends Schema>(
  writer: StrandWriter<S>,
  batch: Arrow.RecordBatch,
  options?: WriteRecordBatchOptions,
): void {
  const { internTable } = optionsOf(options, 'writeRecordBatch', '{ internTable }');
  if (!(writer instanceof StrandWriter)) {
    throw argumentError(`writeRecordBatch takes a StrandWriter, got ${describeValue(writer)}`);
  }
  const columns = columnsByName(batch);
  const { fields } = writer.map.schema;
  const handles = new InternHandles(writer.map, internTable);
  const missing = fields.find(({ name }) => !columns.has(name));
  if (missing !== undefined) {
    throw argumentError(
      `the batch has no column for ${fieldLabel(missing.name)}: add one, of nulls if you like`,
      {
        field: missing.name,
      },
    );
  }
  const known = new Set(fields.map(({ name }) => name));
  for (const name of columns.keys()) {
    if (known.has(name)) continue;
    throw argumentError(
      `the schema has no ${fieldLabel(name)}: write batch.select([…]) of the columns that it has`,
      { field: name },
    );
  }
  const given = fields.map((field) => [
    field.name,
    columnOf(field, columns.get(field.name) as Arrow.Data, handles),
  ]);
  writer.writeColumns(Object.fromEntries(given) as ColumnsOf<S>, batch.numRows);
}

function columnsByName(batch: unknown): Map<string, Arrow.Data> {
  const { schema, data, batches } = (batch ?? {}) as Partial<Arrow.RecordBatch & Arrow.Table>;
  if (Array.isArray(batches)) {
    throw argumentError('writeRecordBatch takes a RecordBatch, got a table: write each of table.batches');
  }
  const { fields } = schema ?? {};
  const { children } = data ?? {};
  if (!Array.isArray(fields) || !Array.isArray(children)) {
    throw argumentError(`writeRecordBatch takes a RecordBatch, got ${describeValue(batch)}`);
  }
  const columns = new Map<string, Arrow.Data>();
  (fields as Arrow.Field[]).forEach(({ name }, i) => {
    if (columns.has(name)) {
      throw argumentError(`the batch has two columns named ${describeValue(name)}`, { field: name });
    }
    columns.set(name, children[i] as Arrow.Data);
  });
  return columns;
}
