export type { ConsumerStart } from './drain.js';
export { createReadStream } from './streams/create_read_stream.js';
export { createWriteStream } from './streams/create_write_stream.js';
export type { CommonOptions, ModeOptions } from './streams/modes.js';
export type { PlainRing } from './streams/plain_ring.js';
export { SABReadable } from './streams/sab_readable.js';
export { SABWritable } from './streams/sab_writable.js';
export type { SABWritableOptions, WriteStreamOptions } from './streams/sink_options.js';
export type { ReadStreamOptions, SABReadableOptions } from './streams/source_options.js';
export type { StreamStats } from './streams/stream_stats.js';
export { createWorkerStream } from './streams/workers/create_worker_stream.js';
export type { SchemaLike, WorkerStreamOptions } from './streams/workers/options.js';
export type {
  BatchFunction,
  GeneratorFunction,
  TransformFactory,
  WorkerResult,
} from './streams/workers/worker_function.js';
export type { WorkerSource } from './streams/workers/worker_source.js';
export { WorkerStream, type WorkerStreamStats } from './streams/workers/worker_stream.js';
