/**
 * Numbers of the layout, for diagnostics. Their values come from the core; see `src/layout/strand_layout.h` for the
 * drawing and `docs/protocol.md` for what each word means.
 *
 * @module
 */
import type { FieldType } from './field_types.js';
import { native } from './native.js';

function constant(name: string): number {
  const value = native.constants[name];
  if (value === undefined) throw new Error(`the native addon has no constant ${name}: npm run build`);
  return value;
}

/** First word of a strand. */
export const STRAND_MAGIC = constant('STRAND_MAGIC');
/** Version of the layout. */
export const STRAND_VERSION = constant('STRAND_VERSION');

/** Bytes of a header whose schema and metadata need no more. */
export const HEADER_SIZE = constant('HEADER_SIZE');
/** Most bytes that a header may take. */
export const MAX_HEADER_SIZE = constant('MAX_HEADER_SIZE');
/** Most bytes of a record's slot. */
export const MAX_RECORD_STRIDE = constant('MAX_RECORD_STRIDE');
/** Most records of a ring. */
export const MAX_INDEX_CAPACITY = constant('MAX_INDEX_CAPACITY');
/** Positions end here: 2^53. */
export const MAX_POSITION = constant('MAX_POSITION');
/** Longest reason of an error or an abort, in bytes of UTF-8. */
export const MAX_REASON_BYTES = constant('MAX_REASON_BYTES');
/** Heap offset in the pointer of an absent value. */
export const HEAP_ABSENT_OFFSET = constant('HEAP_ABSENT_OFFSET');

/** Byte offsets of the header's static u32 words. The CRC covers the bytes before it. */
export const OFFSET_MAGIC = constant('OFFSET_MAGIC');
export const OFFSET_VERSION = constant('OFFSET_VERSION');
export const OFFSET_FINGERPRINT = constant('OFFSET_FINGERPRINT');
export const OFFSET_RECORD_STRIDE = constant('OFFSET_RECORD_STRIDE');
export const OFFSET_INDEX_CAPACITY = constant('OFFSET_INDEX_CAPACITY');
export const OFFSET_HEAP_CAPACITY = constant('OFFSET_HEAP_CAPACITY');
export const OFFSET_HEADER_CRC = constant('OFFSET_HEADER_CRC');
export const OFFSET_HEADER_SIZE = constant('OFFSET_HEADER_SIZE');
export const OFFSET_SCHEMA_BYTE_LEN = constant('OFFSET_SCHEMA_BYTE_LEN');
export const OFFSET_META_BYTE_LEN = constant('OFFSET_META_BYTE_LEN');
/** Byte offset of the binary schema; the metadata follows it. */
export const OFFSET_SCHEMA = constant('OFFSET_SCHEMA');

/** Control words as indices into an `Int32Array` over the strand: of a u64 the low half, the high half follows. */
export const CTRL_EPOCH = constant('CTRL_EPOCH');
export const CTRL_BASE = constant('CTRL_BASE');
export const CTRL_WRITE_SEQ = constant('CTRL_WRITE_SEQ');
export const CTRL_HEAP_WRITE = constant('CTRL_HEAP_WRITE');
export const CTRL_WINDOW_FLOOR = constant('CTRL_WINDOW_FLOOR');
export const CTRL_HEAP_FLOOR = constant('CTRL_HEAP_FLOOR');
export const CTRL_WAIT_TARGET = constant('CTRL_WAIT_TARGET');
export const CTRL_PAYLOAD_BYTES = constant('CTRL_PAYLOAD_BYTES');
export const CTRL_PAST_RECORDS = constant('CTRL_PAST_RECORDS');
export const CTRL_STALLS = constant('CTRL_STALLS');
export const CTRL_STALL_NANOS = constant('CTRL_STALL_NANOS');
export const CTRL_COMMIT_SEQ = constant('CTRL_COMMIT_SEQ');
export const CTRL_HEAP_COMMIT = constant('CTRL_HEAP_COMMIT');
export const CTRL_STATUS = constant('CTRL_STATUS');
export const CTRL_OWNER = constant('CTRL_OWNER');
export const CTRL_READ_CURSOR = constant('CTRL_READ_CURSOR');
export const CTRL_GATE = constant('CTRL_GATE');
export const CTRL_ACTIVE = constant('CTRL_ACTIVE');
export const CTRL_CONSUMER_WAITS = constant('CTRL_CONSUMER_WAITS');
export const CTRL_DATA_EVENT = constant('CTRL_DATA_EVENT');
export const CTRL_SPACE_EVENT = constant('CTRL_SPACE_EVENT');
export const CTRL_ABORT = constant('CTRL_ABORT');
/** The first consumer slot's cursor; the next one is {@link CONSUMER_SLOT_STRIDE} further. */
export const CTRL_CONSUMER_SLOTS = constant('CTRL_CONSUMER_SLOTS');

/** `Int32` words from one consumer slot to the next. */
export const CONSUMER_SLOT_STRIDE = constant('CONSUMER_SLOT_STRIDE');
/** Consumers that can be registered at a time. */
export const MAX_CONSUMERS = constant('MAX_CONSUMERS');
/** Low word of a vacant slot's cursor, as an `Int32Array` shows it. */
export const CONSUMER_SLOT_VACANT = constant('CONSUMER_SLOT_VACANT');

/** Values of the status word. */
export const STATUS_INITIALIZING = constant('STATUS_INITIALIZING');
export const STATUS_STREAMING = constant('STATUS_STREAMING');
export const STATUS_EOS = constant('STATUS_EOS');
export const STATUS_ERROR = constant('STATUS_ERROR');

/** Bits of a field's `flags`. */
export const FIELD_FLAG_NULLABLE = constant('FIELD_FLAG_NULLABLE');
export const FIELD_FLAG_SORTED_ASC = constant('FIELD_FLAG_SORTED_ASC');
export const FIELD_FLAG_SORTED_DESC = constant('FIELD_FLAG_SORTED_DESC');

/** Bytes that a field of each type takes in a slot; 0 for `fixed_bytes`, whose field says its length. */
export const FIELD_BYTE_WIDTHS: Readonly<Record<FieldType, number>> = Object.freeze(
  Object.fromEntries(native.fieldTypes.map(({ name, width }) => [name, width])) as Record<FieldType, number>,
);
