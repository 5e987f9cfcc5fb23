import type * as Arrow from 'apache-arrow';
import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { checkSignal, optionsOf } from '../options.js';
import type { NamesOf, Schema } from '../schema_types.js';
import { StrandView } from '../view.js';
import { BatchSource } from './batch_source.js';
import { arrow } from './peer.js';
import { ReaderSource } from './reader_source.js';
import type { ArrowColumns, ReadRecordBatchOptions, RecordBatchReaderOptions } from './types.js';

/**
 * The records from <= seq < to as an Arrow record batch, a native gather for each column. The batch is a copy:
 * acknowledge the records and keep it. Batches of one view have one schema, dictionaries included, and go into one table.
 *
 * @param options.fields the columns, in their order; all fields unless given
 * @throws RangeError records that are not committed, or may have been overwritten; more than 2^31 - 1 bytes of payload
 *   in one column
 * @throws TypeError an unknown field; a `utf8_ref` field while the view has no intern table
 * @throws StrandResetError the stream was reset
 * @throws StrandClosedError the view was closed
 */
export function readRecordBatch<S extends Schema, const N extends NamesOf<S> = NamesOf<S>>(
  view: StrandView<S>,
  from: number,
  to: number,
  options?: ReadRecordBatchOptions<N>,
): Arrow.RecordBatch<ArrowColumns<S, N>> {
  const { fields } = optionsOf(options, 'readRecordBatch', '{ fields }');
  return sourceOf(view, fields, 'readRecordBatch').read(from, to) as Arrow.RecordBatch<ArrowColumns<S, N>>;
}

/**
 * A `RecordBatchReader` of Arrow over a view, for `for await`, `tableFromIPC`, `RecordBatchStreamWriter.writeAll` and
 * whatever else takes one. It waits for records, acknowledges a batch when the next one is asked for, registers itself
 * where other consumers are registered, and ends at the end of the stream; a stream without records gives one batch
 * without rows, which tells the schema. What was committed before an error is delivered before the error is thrown. A
 * reader that is left or cancelled does not acknowledge the batch at hand.
 *
 * @throws TypeError as {@link readRecordBatch}
 * @throws RangeError `maxRecords` that is no whole number from 1
 */
export function recordBatchReader<S extends Schema, const N extends NamesOf<S> = NamesOf<S>>(
  view: StrandView<S>,
  options?: RecordBatchReaderOptions<N>,
): Arrow.AsyncRecordBatchStreamReader<ArrowColumns<S, N>> {
  const { fields, signal, maxRecords } = optionsOf(
    options,
    'recordBatchReader',
    '{ fields, signal, maxRecords }',
  );
  const batches = sourceOf(view, fields, 'recordBatchReader');
  const source = new ReaderSource(view as unknown as StrandView, batches, checkSignal(signal), maxRecords);
  // The class takes any source of this shape; its typings name only Arrow's own.
  return new arrow.AsyncRecordBatchStreamReader<ArrowColumns<S, N>>(source as never);
}

function sourceOf(view: unknown, fields: unknown, call: string): BatchSource {
  if (!(view instanceof StrandView)) {
    throw argumentError(`${call} takes a StrandView, got ${describeValue(view)}`);
  }
  return BatchSource.of(view, fields);
}
