export {
  type Bitset,
  computeIntersection,
  computeUnion,
  createBitset,
  forEachSet,
  popcount,
} from './bitset.js';
export type {
  Column,
  ColumnOut,
  ColumnsOf,
  ColumnsRead,
  ColumnTypes,
  ColumnValues,
  LooseColumn,
  LoosePackedColumn,
  NumberArray,
  PackedColumn,
  PackedColumnsRead,
  PackedInput,
  ReadColumnsOptions,
} from './columns/types.js';
export * from './constants.js';
export { RecordCursor } from './cursor.js';
export type { ConsumerStart } from './drain.js';
export {
  StrandAbortError,
  StrandBusyError,
  StrandCapacityError,
  StrandClosedError,
  StrandError,
  type StrandErrorCode,
  type StrandErrorDetails,
  type StrandErrorOptions,
  StrandFencedError,
  StrandHeaderError,
  type StrandRangeError,
  StrandResetError,
  type StrandTypeError,
} from './errors.js';
export type { AccessorName, FieldType, OrderableType } from './field_types.js';
export { initStrandHeader, readStrandHeader } from './header.js';
export type { StrandMeta, StrandQuery } from './metadata.js';
export type {
  BetweenPredicate,
  EqualPredicate,
  FilterableType,
  InPredicate,
  Predicate,
  PredicateOf,
  PredicatesOf,
  RangesOf,
  ValueRange,
} from './predicate.js';
export { RecordBatch } from './record_batch.js';
export { buildSchema, decodeSchema, encodeSchema, schemaFingerprint } from './schema.js';
export type {
  CursorAccessors,
  FieldDescriptor,
  NamesOf,
  RecordOf,
  RowOf,
  Schema,
  SchemaField,
  SchemaOf,
  ValueOf,
} from './schema_types.js';
export type { StrandLike } from './shared_bytes.js';
export { createStrand, type Strand, type StrandOptions } from './strand.js';
export {
  computeStrandMap,
  computeTotalBytes,
  heapStart,
  type StrandMap,
  type StrandMapOptions,
} from './strand_map.js';
export {
  type BatchesOptions,
  StrandView,
  type StrandViewOptions,
  type StreamStatus,
  type ViewStats,
} from './view.js';
export type { WaitOptions } from './view_waits.js';
export {
  type HeapClaim,
  type SlotClaim,
  StrandWriter,
  type StrandWriterOptions,
  type WriterStats,
} from './writer.js';
