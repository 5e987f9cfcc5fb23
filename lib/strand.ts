import { describeValue } from './describe_value.js';
import { argumentError, StrandCapacityError } from './errors.js';
import { fieldTypeNamed } from './field_types.js';
import { initStrandHeader, readStrandHeader } from './header.js';
import { normalizeMeta, type StrandMeta, type StrandQuery } from './metadata.js';
import { checkNames } from './options.js';
import { buildSchema } from './schema.js';
import type { FieldDescriptor, Schema, SchemaOf } from './schema_types.js';
import { computeStrandMap, type StrandMap } from './strand_map.js';

const DEFAULT_RECORDS = 16_384;
const DEFAULT_INDEX_BYTES = 16 * 1024 * 1024;
const DEFAULT_HEAP_BYTES = 16 * 1024 * 1024;

/** A strand as it travels between threads: plain data that goes through `workerData` and `postMessage`. */
export interface Strand<S extends Schema = Schema> {
  readonly sab: SharedArrayBuffer;
  readonly map: StrandMap<S>;
}

/** What {@link createStrand} takes besides the fields. */
export interface StrandOptions {
  /** Records in the ring, a power of two; unless given 16,384, or fewer where those take more than 16 MiB. */
  readonly indexCapacity?: number | undefined;
  /** Bytes for values of variable length; unless given 16 MiB where the schema has such values, else none. */
  readonly heapCapacity?: number | undefined;
  /** A plain object that JSON can carry; it comes back as `map.meta`. Anything else is ignored. */
  readonly meta?: StrandMeta | undefined;
  /** Strings of the `utf8_ref` fields, by handle. Travels as `meta.internTable`. */
  readonly internTable?: readonly string[] | undefined;
  readonly query?: StrandQuery | undefined;
  /** Number of records that the producer expects to write. */
  readonly estimatedRecords?: number | undefined;
}

export const STRAND_OPTIONS: readonly string[] = [
  'indexCapacity',
  'heapCapacity',
  'meta',
  'internTable',
  'query',
  'estimatedRecords',
] satisfies (keyof StrandOptions)[];

/** As many records as the default allows, a power of two. */
function defaultIndexCapacity({ record_stride }: Schema): number {
  return Math.min(DEFAULT_RECORDS, 2 ** Math.floor(Math.log2(DEFAULT_INDEX_BYTES / record_stride)));
}

function defaultHeapCapacity({ fields }: Schema): number {
  const needsHeap = fields.some(({ type }) => (fieldTypeNamed(type)?.elementSize ?? 0) > 0);
  return needsHeap ? DEFAULT_HEAP_BYTES : 0;
}

function metaWithTable(meta: unknown, internTable: unknown): StrandMeta | undefined {
  const given = normalizeMeta(meta);
  if (internTable === undefined) return given;
  if (!Array.isArray(internTable) || !internTable.every((entry) => typeof entry === 'string')) {
    throw argumentError(`internTable must be a list of strings, got ${describeValue(internTable)}`);
  }
  if (given?.internTable !== undefined) {
    throw argumentError('internTable is given twice, as an option and in meta: choose one');
  }
  return { ...given, internTable };
}

function allocate(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new StrandCapacityError(
      `${bytes} bytes of shared memory are not to be had: use a smaller indexCapacity or heapCapacity`,
      { cause },
    );
  }
}

/**
 * Allocates a strand and writes its header, which is made as large as `meta` and the schema need.
 *
 * @param fields declarations as {@link buildSchema} takes them, or a schema
 * @throws StrandHeaderError as {@link computeStrandMap}
 * @throws StrandCapacityError memory that is not to be had
 * @throws TypeError, RangeError as {@link buildSchema} and {@link computeStrandMap}
 */
export function createStrand<const D extends readonly FieldDescriptor[]>(
  fields: D,
  options?: StrandOptions,
): Strand<SchemaOf<D>>;
export function createStrand<S extends Schema>(schema: S, options?: StrandOptions): Strand<S>;
export function createStrand(
  fields: readonly FieldDescriptor[] | Schema,
  options: StrandOptions = {},
): Strand {
  if (typeof options !== 'object' || options === null) {
    throw argumentError(`createStrand takes an object of options, got ${describeValue(options)}`);
  }
  checkNames(options, 'createStrand', STRAND_OPTIONS);
  const { map, meta } = planStrand(fields, options);
  const sab = allocate(map.total_bytes);
  initStrandHeader(sab, map, meta);
  return { sab, map: readStrandHeader(sab) };
}

/** The geometry of a new strand, with a header as large as `meta` and the schema need. Errors as of {@link createStrand}. */
export function planStrand(
  fields: readonly FieldDescriptor[] | Schema,
  options: StrandOptions,
): { map: StrandMap; meta: StrandMeta | undefined } {
  const schema = isSchema(fields) ? fields : buildSchema(fields);
  const meta = metaWithTable(options.meta, options.internTable);
  const map = computeStrandMap({
    schema,
    index_capacity: options.indexCapacity ?? defaultIndexCapacity(schema),
    heap_capacity: options.heapCapacity ?? defaultHeapCapacity(schema),
    query: options.query,
    estimated_records: options.estimatedRecords,
    meta_capacity: meta === undefined ? 0 : Buffer.byteLength(JSON.stringify(meta)),
  });
  return { map, meta };
}

function isSchema(fields: unknown): fields is Schema {
  return typeof fields === 'object' && fields !== null && 'fields' in fields;
}
