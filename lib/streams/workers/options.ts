import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkerOptions } from 'node:worker_threads';
import { describeValue } from '../../describe_value.js';
import { argumentError, rangeError } from '../../errors.js';
import { isPosition } from '../../position.js';
import { buildSchema } from '../../schema.js';
import type { FieldDescriptor, Schema } from '../../schema_types.js';

/** Fields, or a schema of them. */
export type SchemaLike = readonly FieldDescriptor[] | Schema;

/** The rings of a worker, unless told otherwise: few enough bytes to stay in a processor's cache. */
const USUAL_RECORDS = 4096;
const USUAL_HEAP_BYTES = 2 * 1024 * 1024;

/** Options of a worker stream besides its file. */
export interface WorkerStreamOptions<
  In extends SchemaLike = SchemaLike,
  Out extends SchemaLike = SchemaLike,
> {
  /** What is written: records of these fields; bytes unless given. */
  readonly schemaIn?: In | undefined;
  /** What the worker gives: records of these fields; bytes unless given. */
  readonly schemaOut?: Out | undefined;
  /** Chunks written and read are arrays of records. */
  readonly batch?: boolean | undefined;
  /** Records of one array at most, for the worker's function and, with `batch`, for the reader; 1,024 unless given. */
  readonly maxRecords?: number | undefined;
  /** Threads that run the same file. Each write goes to the one with the least to do. */
  readonly workers?: number | undefined;
  /** Whether the results of several workers keep the order of the writes. True unless given. */
  readonly ordered?: boolean | undefined;
  /** Records that each ring holds, a power of two; 4,096 unless given. */
  readonly indexCapacity?: number | undefined;
  /** Bytes that each ring holds for values of variable length; 2 MiB unless given. */
  readonly heapCapacity?: number | undefined;
  /** Strings of the `utf8_ref` fields of both rings, by handle. */
  readonly internTable?: readonly string[] | undefined;
  /** Of both sides: chunks, or bytes, that the stream itself holds before it says that it has enough. */
  readonly highWaterMark?: number | undefined;
  /** Destroys the stream with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** What the worker's file finds as `workerData`. */
  readonly workerData?: unknown;
  /** Further options of `new Worker`: `env`, `execArgv`, `resourceLimits`, `name`… */
  readonly worker?: Omit<WorkerOptions, 'eval' | 'workerData'> | undefined;
}

const OPTIONS: readonly string[] = [
  'schemaIn',
  'schemaOut',
  'batch',
  'maxRecords',
  'workers',
  'ordered',
  'indexCapacity',
  'heapCapacity',
  'internTable',
  'highWaterMark',
  'signal',
  'workerData',
  'worker',
] satisfies (keyof WorkerStreamOptions)[];

/** @throws TypeError, RangeError options that do not exist or have no meaning */
export function checkWorkerOptions(options: WorkerStreamOptions): WorkerStreamOptions {
  if (typeof options !== 'object' || options === null) {
    throw argumentError(`createWorkerStream takes an object of options, got ${describeValue(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw argumentError(`createWorkerStream has no option '${unknown}'; it takes ${OPTIONS.join(', ')}`);
  }
  const { workers = 1, maxRecords = 1 } = options;
  if (!isPosition(workers) || workers === 0) {
    throw rangeError(`workers is a whole number of threads from 1, got ${describeValue(workers)}`);
  }
  if (!isPosition(maxRecords) || maxRecords === 0) {
    throw rangeError(`maxRecords is a whole number of records from 1, got ${describeValue(maxRecords)}`);
  }
  return options;
}

/** The fields and sizes of a ring. */
export function ringOf(
  fields: SchemaLike | undefined,
  { indexCapacity = USUAL_RECORDS, heapCapacity = USUAL_HEAP_BYTES, internTable }: WorkerStreamOptions,
) {
  const schema =
    fields === undefined ? buildSchema([{ name: 'bytes', type: 'large_bytes' }]) : schemaOf(fields);
  const refers = schema.fields.some(({ type }) => type === 'utf8_ref');
  return { schema, options: { indexCapacity, heapCapacity, ...(refers && internTable && { internTable }) } };
}

function schemaOf(fields: SchemaLike): Schema {
  const isBuilt = typeof fields === 'object' && fields !== null && 'fields' in fields;
  return isBuilt ? fields : buildSchema(fields);
}

/** A worker's file as a URL: paths count from the current folder, as for `new Worker`. */
export function urlOf(file: string | URL): string {
  if (file instanceof URL) return file.href;
  if (typeof file !== 'string')
    throw argumentError(`a worker's file is a path or URL, got ${describeValue(file)}`);
  return /^(file|data):/.test(file) ? file : pathToFileURL(path.resolve(file)).href;
}
