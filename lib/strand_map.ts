import { HEADER_SIZE } from './constants.js';
import { describeValue } from './describe_value.js';
import { argumentError, rangeError, StrandHeaderError } from './errors.js';
import {
  checkEstimatedRecords,
  checkQuery,
  type Metadata,
  metadataBytes,
  type StrandMeta,
  type StrandQuery,
} from './metadata.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import type { NativeGeometry } from './native_types.js';
import { layoutOf } from './schema_layout.js';
import type { Schema } from './schema_types.js';

const U32_MAX = 0xffff_ffff;

/**
 * Geometry of a strand and what travels in its header. Plain data, so that it goes through `postMessage` as it is;
 * what a map says of a buffer counts for nothing beside the buffer's own header.
 */
export interface StrandMap<S extends Schema = Schema> {
  /** Bytes of the whole strand. */
  readonly total_bytes: number;
  /** Records in the ring, a power of two. */
  readonly index_capacity: number;
  /** Bytes in the heap ring. */
  readonly heap_capacity: number;
  /** Bytes from one record's slot to the next. */
  readonly record_stride: number;
  /** Bytes before the first slot. */
  readonly header_size: number;
  readonly schema: S;
  readonly query?: StrandQuery;
  /** Number of records that the producer expects to write. */
  readonly estimated_records?: number;
  /** As given to `initStrandHeader`. */
  readonly meta?: StrandMeta;
}

/** What {@link computeStrandMap} takes. */
export interface StrandMapOptions<S extends Schema = Schema> {
  readonly schema: S;
  /** Records in the ring: a power of two. */
  readonly index_capacity: number;
  /** Bytes for values of variable length; 0 where the schema has none. */
  readonly heap_capacity?: number | undefined;
  readonly query?: StrandQuery | undefined;
  readonly estimated_records?: number | undefined;
  /** Bytes of JSON that `meta` will take. Without it a header has what its 4,096 bytes leave. */
  readonly meta_capacity?: number | undefined;
}

/** A capacity for the core, which checks the rest. What is no whole number must not become one on the way. */
function capacity(name: string, value: unknown): number {
  if (typeof value !== 'number') {
    throw argumentError(`${name} must be a number, got ${describeValue(value)}`);
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new StrandHeaderError(`${name} must be a whole number, got ${describeValue(value)}`);
  }
  return value;
}

/** The map of a geometry that the core has checked. */
export function mapFromGeometry<S extends Schema>(
  geometry: NativeGeometry,
  schema: S,
  { query, estimated_records, meta }: Metadata,
): StrandMap<S> {
  return {
    total_bytes: geometry.totalBytes,
    index_capacity: geometry.indexCapacity,
    heap_capacity: geometry.heapCapacity,
    record_stride: geometry.recordStride,
    header_size: geometry.headerSize,
    schema,
    ...(query === undefined ? {} : { query }),
    ...(estimated_records === undefined ? {} : { estimated_records }),
    ...(meta === undefined ? {} : { meta }),
  };
}

/**
 * Computes how much memory a strand needs and how it is divided. The header is as large as the schema, the names,
 * `query` and `meta_capacity` make it, at least 4,096 bytes.
 *
 * @throws StrandHeaderError a capacity that is no power of two or out of its limits, no heap where a field needs one,
 *   a schema made by hand whose fields do not fit it
 * @throws RangeError a reversed `query`, a negative `estimated_records`
 * @throws TypeError arguments of other kinds
 */
export function computeStrandMap<S extends Schema>(options: StrandMapOptions<S>): StrandMap<S> {
  if (typeof options !== 'object' || options === null) {
    throw argumentError(`computeStrandMap takes an object of options, got ${describeValue(options)}`);
  }
  const { schema, index_capacity, heap_capacity = 0, query, estimated_records, meta_capacity } = options;
  const { names, bytes, stride } = layoutOf(schema);
  const metadata: Metadata = {
    ...(query === undefined ? {} : { query: checkQuery(query) }),
    ...(estimated_records === undefined
      ? {}
      : { estimated_records: checkEstimatedRecords(estimated_records) }),
  };
  const reserved = meta_capacity === undefined ? 0 : capacity('meta_capacity', meta_capacity);
  const geometry = native.computeGeometry(
    names,
    bytes,
    stride,
    capacity('index_capacity', index_capacity),
    capacity('heap_capacity', heap_capacity),
    metadataBytes(names, metadata) + (reserved === 0 ? 0 : ',"meta":'.length + reserved),
  );
  return mapFromGeometry(unwrap(geometry), schema, metadata);
}

/** An argument of the size formulas: they compute and do not judge, so anything that fits 32 bits will do. */
function size(name: string, value: unknown): number {
  if (typeof value !== 'number') throw argumentError(`${name} must be a number, got ${describeValue(value)}`);
  if (!Number.isInteger(value) || value < 0 || value > U32_MAX) {
    throw rangeError(`${name} must be an integer from 0 to ${U32_MAX}, got ${describeValue(value)}`);
  }
  return value;
}

/**
 * First byte of the heap ring.
 *
 * @throws RangeError what is no integer of 32 bits
 */
export function heapStart(index_capacity: number, record_stride: number, header_size = HEADER_SIZE): number {
  return native.heapStart(
    size('index_capacity', index_capacity),
    size('record_stride', record_stride),
    size('header_size', header_size),
  );
}

/**
 * Bytes of a whole strand: header, index, heap, and where there is a heap eight bytes a record behind it.
 *
 * @throws RangeError what is no integer of 32 bits
 */
export function computeTotalBytes(
  index_capacity: number,
  record_stride: number,
  heap_capacity: number,
  header_size = HEADER_SIZE,
): number {
  return native.computeTotalBytes(
    size('index_capacity', index_capacity),
    size('record_stride', record_stride),
    size('heap_capacity', heap_capacity),
    size('header_size', header_size),
  );
}
