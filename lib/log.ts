export {
  createSharedLog,
  type Durability,
  type SharedLogOptions,
} from './log/create_shared_log.js';
export type { FrameBatch } from './log/frame_batch.js';
export type { LogHeader } from './log/log_header.js';
export type { LogFormat, SharedLog, TailOptions, WritableSharedLog } from './log/shared_log.js';
export type {
  BatchOptions,
  IteratorOptions,
  LogWaitOptions,
  ShmIterator,
} from './log/shm_iterator.js';
export type { AllocateOptions, ShmWriter } from './log/shm_writer.js';
export { openSharedStrand, type SharedStrand, type SharedStrandOptions } from './shared_strand.js';
