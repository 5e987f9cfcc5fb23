export { readRecordBatch, recordBatchReader } from './arrow/record_batch_reader.js';
export { arrowSchema, strandFields } from './arrow/schema.js';
export type {
  ArrowColumns,
  ArrowTypes,
  ReadRecordBatchOptions,
  RecordBatchReaderOptions,
  WriteRecordBatchOptions,
} from './arrow/types.js';
export { writeRecordBatch } from './arrow/write_record_batch.js';
