import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkerOptions } from 'node:worker_threads';
import { describeValue } from '../../describe_value.js';
import { argumentError, rangeError } from '../../errors.js';
import { checkFlag, checkNames, checkSignal } from '../../options.js';
import { isPosition } from '../../position.js';
import { buildSchema } from '../../schema.js';
import type { FieldDescriptor, Schema } from '../../schema_types.js';
import { checkMark, checkMaxRecords } from '../modes.js';

/** Fields, or a schema of them. */
export type SchemaLike = readonly FieldDescriptor[] | Schema;

/** The rings of a worker, unless told otherwise: few enough bytes to stay in a processor's cache. */
const USUAL_RECORDS = 4096;
const USUAL_HEAP_BYTES = 2 * 1024 * 1024;
/** Far more than there are processors: a number of something else would take all memory before it fails. */
const MOST_WORKERS = 1024;

/** Options of a worker stream besides its file. */
export interface WorkerStreamOptions<
  In extends SchemaLike = SchemaLike,
  Out extends SchemaLike = SchemaLike,
> {
  /** What is written: records of these fields; bytes unless given. */
  readonly schemaIn?: In | undefined;
  /** What the worker gives: records of these fields; bytes unless given. */
  readonly schemaOut?: Out | undefined;
  /** Chunks written and read are arrays of records, on the sides that have a schema. */
  readonly batch?: boolean | undefined;
  /** Records of one array at most, for the worker's function and, with `batch`, for the reader; 1,024 unless given. */
  readonly maxRecords?: number | undefined;
  /** Threads that run the same file, 1,024 at most. Each write goes to the one with the least to do. */
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

/** Options of the stream itself, checked. */
export interface CheckedOptions {
  readonly workers: number;
  readonly batch: boolean;
  readonly ordered: boolean;
  readonly maxRecords: number;
  readonly mark: ReturnType<typeof checkMark>;
  readonly signal: AbortSignal | undefined;
}

/** @throws TypeError, RangeError options that do not exist or have no meaning */
export function checkWorkerOptions(options: WorkerStreamOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) {
    throw argumentError(`createWorkerStream takes an object of options, got ${describeValue(options)}`);
  }
  checkNames(options, 'createWorkerStream', OPTIONS);
  const { schemaIn, schemaOut, workers = 1 } = options;
  if (!isPosition(workers) || workers === 0 || workers > MOST_WORKERS) {
    throw rangeError(
      `workers is a whole number of threads from 1 to ${MOST_WORKERS}, got ${describeValue(workers)}: more than there are ` +
        'processors gain nothing',
    );
  }
  const batch = checkFlag('batch', options.batch);
  if (batch && schemaIn === undefined && schemaOut === undefined) {
    throw argumentError(
      'batch: true is of records: it needs schemaIn or schemaOut; bytes have no boundaries',
    );
  }
  checkThreadOptions(options.worker);
  return {
    workers,
    batch,
    ordered: checkFlag('ordered', options.ordered, true),
    maxRecords: checkMaxRecords(options.maxRecords),
    mark: checkMark(options.highWaterMark),
    signal: checkSignal(options.signal),
  };
}

/** Options of `new Worker`. What is wrong with the others Node.js says. */
function checkThreadOptions(worker: unknown): void {
  if (worker === undefined) return;
  if (typeof worker !== 'object' || worker === null || Array.isArray(worker)) {
    throw argumentError(`worker is an object of options of new Worker, got ${describeValue(worker)}`);
  }
  if ('workerData' in worker) {
    throw argumentError(
      'worker has workerData, which is an option beside it: createWorkerStream(file, { workerData })',
    );
  }
  if ('eval' in worker) {
    throw argumentError(
      'worker has eval, but a worker runs a file: give text as a URL, data:text/javascript,…',
    );
  }
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
