import type { FieldDescriptor, RecordOf, RowOf, Schema, SchemaOf } from '../../schema_types.js';
import type { SchemaLike, WorkerStreamOptions } from './options.js';
import { WorkerStream } from './worker_stream.js';

type SchemaFrom<S extends SchemaLike> = S extends Schema
  ? S
  : S extends readonly FieldDescriptor[]
    ? SchemaOf<S>
    : Schema;

/**
 * A `Duplex` that runs a file in a worker, or in several: `source.pipe(createWorkerStream(file)).pipe(sink)`. With both
 * schemas it takes and gives records, with `batch` arrays of them.
 *
 * The file exports a function by default: an async generator function of its source; a function from a batch (an array of
 * records, or a `Buffer`) to a batch or a promise of one; or a function without parameters that returns a Node `Transform`.
 * Several workers keep the order of the writes, which only functions from batch to batch can do, unless `ordered` is false.
 *
 * A worker that throws or ends early is an error on the stream. Destroying the stream ends the workers; it is closed when
 * they are gone.
 *
 * @param file path, from the current folder, or URL of an ES module
 * @throws TypeError, RangeError options without a meaning
 */
export function createWorkerStream<
  const In extends SchemaLike,
  const Out extends SchemaLike,
  const B extends boolean = false,
>(
  file: string | URL,
  options: WorkerStreamOptions<In, Out> & {
    readonly schemaIn: In;
    readonly schemaOut: Out;
    readonly batch?: B;
  },
): WorkerStream<
  B extends true ? readonly RecordOf<SchemaFrom<In>>[] : RecordOf<SchemaFrom<In>>,
  B extends true ? RowOf<SchemaFrom<Out>>[] : RowOf<SchemaFrom<Out>>
>;
/**
 * A `Duplex` that takes records of `schemaIn`, with `batch` arrays of them, and gives the bytes that the file's function
 * makes of them in a worker.
 *
 * @param file path, from the current folder, or URL of an ES module that exports the function by default
 * @throws TypeError, RangeError options without a meaning
 */
export function createWorkerStream<const In extends SchemaLike, const B extends boolean = false>(
  file: string | URL,
  options: WorkerStreamOptions<In> & {
    readonly schemaIn: In;
    readonly schemaOut?: undefined;
    readonly batch?: B;
  },
): WorkerStream<B extends true ? readonly RecordOf<SchemaFrom<In>>[] : RecordOf<SchemaFrom<In>>, Buffer>;
/**
 * A `Duplex` that takes bytes and gives the records of `schemaOut`, with `batch` arrays of them, that the file's function
 * makes of them in a worker.
 *
 * @param file path, from the current folder, or URL of an ES module that exports the function by default
 * @throws TypeError, RangeError options without a meaning
 */
export function createWorkerStream<const Out extends SchemaLike, const B extends boolean = false>(
  file: string | URL,
  options: WorkerStreamOptions<SchemaLike, Out> & {
    readonly schemaIn?: undefined;
    readonly schemaOut: Out;
    readonly batch?: B;
  },
): WorkerStream<Uint8Array | string, B extends true ? RowOf<SchemaFrom<Out>>[] : RowOf<SchemaFrom<Out>>>;
/**
 * A `Duplex` that takes bytes and gives those that the file's function makes of them in a worker.
 *
 * @param file path, from the current folder, or URL of an ES module that exports the function by default
 * @throws TypeError, RangeError options without a meaning
 */
export function createWorkerStream(
  file: string | URL,
  options?: WorkerStreamOptions & {
    readonly schemaIn?: undefined;
    readonly schemaOut?: undefined;
    readonly batch?: false | undefined;
  },
): WorkerStream<Uint8Array | string, Buffer>;
export function createWorkerStream(file: string | URL, options: WorkerStreamOptions = {}): WorkerStream {
  return new WorkerStream(file, options);
}
