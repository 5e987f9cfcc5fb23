import { HEADER_SIZE } from './constants.js';
import { describeValue } from './describe_value.js';
import { argumentError, StrandHeaderError } from './errors.js';
import {
  checkEstimatedRecords,
  checkQuery,
  type Metadata,
  membersText,
  normalizeMeta,
  parseMetadata,
} from './metadata.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import type { NativeGeometry, NativeHeader } from './native_types.js';
import { type FieldLayout, fieldLayouts, layoutOf, schemaFromLayout } from './schema_layout.js';
import type { Schema } from './schema_types.js';
import { asBytes, asOwnBytes, type StrandLike } from './shared_bytes.js';
import type { Strand } from './strand.js';
import { mapFromGeometry, type StrandMap } from './strand_map.js';

const U32_MAX = 0xffff_ffff;

function geometryNumber(map: StrandMap, key: keyof StrandMap, fallback?: number): number {
  const value: unknown = map[key] ?? fallback;
  if (typeof value !== 'number') {
    throw argumentError(`the map needs a number as ${key}, got ${describeValue(value)}`);
  }
  if (!Number.isInteger(value) || value < 0 || value > U32_MAX) {
    const got = describeValue(value);
    throw new StrandHeaderError(`${key} must be an integer from 0 to ${U32_MAX}, got ${got}`);
  }
  return value;
}

/** The geometry that a map states; what can be computed is computed, not believed. */
function statedGeometry(map: StrandMap, stride: number): NativeGeometry {
  const indexCapacity = geometryNumber(map, 'index_capacity');
  const heapCapacity = geometryNumber(map, 'heap_capacity');
  const recordStride = geometryNumber(map, 'record_stride');
  const headerSize = geometryNumber(map, 'header_size', HEADER_SIZE);
  if (recordStride !== stride) {
    throw new StrandHeaderError(
      `the map's record_stride ${recordStride} is not its schema's, which is ${stride}: computeStrandMap makes a map`,
    );
  }
  return {
    indexCapacity,
    heapCapacity,
    recordStride,
    headerSize,
    heapStart: native.heapStart(indexCapacity, recordStride, headerSize),
    totalBytes: native.computeTotalBytes(indexCapacity, recordStride, heapCapacity, headerSize),
  };
}

/**
 * Writes the header of an empty strand, whatever the buffer held before. Nobody else may be using the buffer.
 *
 * @param map as {@link computeStrandMap} returns it; one made by hand is checked like the header of a buffer
 * @param meta a plain object that JSON can carry; it comes back as `map.meta`. Anything else is ignored
 * @throws StrandHeaderError a buffer too small, a geometry or a schema that is none, a `meta` too large for the header
 * @throws TypeError what is no SharedArrayBuffer, a `meta` that JSON cannot carry
 */
export function initStrandHeader(sab: Strand | SharedArrayBuffer, map: StrandMap, meta?: unknown): void {
  const buffer = asOwnBytes(sab);
  if (typeof map !== 'object' || map === null) {
    throw argumentError(`initStrandHeader takes what computeStrandMap returns, got ${describeValue(map)}`);
  }
  unwrap(native.writeHeader(buffer, ...headerOf(map, meta)));
}

/** What the header of a strand is to say, as the core takes it. Errors as of {@link initStrandHeader}. */
export function headerOf(
  map: StrandMap,
  meta: unknown,
): [names: string[], schemaBytes: Uint8Array, geometry: NativeGeometry, members: string] {
  const { names, bytes, stride } = layoutOf(map.schema);
  const { query, estimated_records } = map;
  const carried = normalizeMeta(meta);
  const metadata: Metadata = {
    ...(query === undefined ? {} : { query: checkQuery(query) }),
    ...(estimated_records === undefined
      ? {}
      : { estimated_records: checkEstimatedRecords(estimated_records) }),
    ...(carried === undefined ? {} : { meta: carried }),
  };
  return [names, bytes, statedGeometry(map, stride), membersText(metadata)];
}

/**
 * Validates all that a buffer's header says, the checksum first, and returns it. Whatever bytes a buffer holds, no
 * later call reads or writes outside it.
 *
 * @throws StrandHeaderError naming what is wrong
 * @throws StrandError `ERR_STRAND_FILE` a file that the system does not give
 * @throws TypeError what is no strand
 */
export function readStrandHeader(sab: StrandLike): StrandMap {
  return mapOf(unwrap(native.readHeader(asBytes(sab))));
}

/**
 * The public form of a header that the core has read.
 *
 * @throws StrandHeaderError metadata whose members are not what their names promise
 */
export function mapOf(header: NativeHeader): StrandMap {
  return mapFromGeometry(header.geometry, schemaFromLayout(header), parseMetadata(header.metadata));
}

function describeField(name: string | undefined, field: FieldLayout | undefined): string {
  if (name === undefined || field === undefined) return 'missing';
  const { type, flags, byteOffset, width } = field;
  const length = type.kind === 'fixed' ? `[${width}]` : '';
  return `${describeValue(name)} ${type.name}${length} at byte ${byteOffset} with flags ${flags}`;
}

/**
 * Makes sure that a buffer's schema is the one that its user expects: names, types, flags, places and lengths.
 *
 * @throws StrandHeaderError naming the first difference
 * @throws TypeError an `expected` that is no schema
 */
export function expectSchema(header: NativeHeader, expected: Schema): void {
  const wanted = layoutOf(expected);
  const wantedFields = fieldLayouts(wanted);
  const foundFields = fieldLayouts(header);
  const count = Math.max(wantedFields.length, foundFields.length);
  for (let index = 0; index < count; index++) {
    const found = describeField(header.names[index], foundFields[index]);
    const want = describeField(wanted.names[index], wantedFields[index]);
    if (found !== want) {
      const name = wanted.names[index] ?? header.names[index];
      throw new StrandHeaderError(
        `the strand has another schema than expected: field ${index} is ${found}, expected was ${want}`,
        name === undefined ? {} : { field: name },
      );
    }
  }
  if (header.stride !== wanted.stride) {
    throw new StrandHeaderError(
      `the strand has another schema than expected: its record_stride is ${header.stride}, expected was ${wanted.stride}`,
    );
  }
}
