export { createReadStream } from './streams/create_read_stream.js';
export { createWriteStream } from './streams/create_write_stream.js';
export type { PlainRing } from './streams/plain_ring.js';
export { SABReadable } from './streams/sab_readable.js';
export { SABWritable } from './streams/sab_writable.js';
export type { SABWritableOptions, WriteStreamOptions } from './streams/sink_options.js';
export type { ReadStreamOptions, SABReadableOptions } from './streams/source_options.js';
export type { StreamStats } from './streams/stream_stats.js';
