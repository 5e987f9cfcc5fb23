import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { readStrandHeader } from '../header.js';
import type { Schema } from '../schema_types.js';
import type { StrandLike } from '../shared_bytes.js';
import type { StrandMap } from '../strand_map.js';
import { StrandWriter } from '../writer.js';
import {
  batchLayout,
  byteLayout,
  type ChunkLayout,
  fieldLayout,
  mostBytes,
  recordLayout,
} from './chunk_layout.js';
import type { ChunkSink } from './chunk_sink.js';
import { type CommonOptions, checkEncoding, type Mode, modeOf, streamOptionsOf } from './modes.js';
import { COMMON_OPTIONS, checkOpening, type Direction, expected, FEW_CHUNKS } from './opening.js';
import { isRing, type PlainRing } from './plain_ring.js';
import { PlainRingSink } from './plain_ring_sink.js';
import { StrandSink } from './strand_sink.js';

/** Options of a writable besides what it writes to. */
export interface WriteStreamOptions extends CommonOptions {
  /** How strings become bytes, with `binary`. */
  readonly defaultEncoding?: BufferEncoding | undefined;
}

/** What a writable puts its chunks into: a strand, a writer of one, or a ring of six header words. */
export type SABWritableOptions<S extends Schema = Schema> =
  | ({ readonly strand: StrandLike<S>; readonly schema?: S } & WriteStreamOptions)
  | ({ readonly writer: StrandWriter<S> } & WriteStreamOptions)
  | (PlainRing & Pick<WriteStreamOptions, 'highWaterMark' | 'signal' | 'blocking'>);

const WRITABLE: Direction = {
  stream: 'a writable',
  ends: ['strand', 'writer', 'schema'],
  options: [...COMMON_OPTIONS, 'defaultEncoding'] satisfies (keyof WriteStreamOptions)[],
};

export interface OpenSink<T> {
  readonly sink: ChunkSink<T>;
  readonly signal: AbortSignal | undefined;
  readonly stream: ReturnType<typeof streamOptionsOf> & { defaultEncoding?: BufferEncoding };
}

/** Checks the options of a writable and opens what it writes to. */
export function openSink<T>(options: SABWritableOptions): OpenSink<T> {
  const { blocking, signal } = checkOpening(options, WRITABLE);
  if (isRing(options)) {
    const stream = streamOptionsOf(options, true, undefined);
    const sink = new PlainRingSink(options, blocking) as ChunkSink<unknown> as ChunkSink<T>;
    return { sink, signal, stream };
  }
  // All that can be refused comes before the strand is taken over from an older writer.
  const ownsWriter = !('writer' in options);
  const map = ownsWriter ? readStrandHeader(options.strand) : checkWriter(options.writer).map;
  const mode = modeOf(options, map.schema.fields);
  const stream = streamOptionsOf(
    options,
    mode.kind !== 'binary',
    mode.kind === 'batch' ? FEW_CHUNKS : undefined,
  );
  const coded = checkEncoding('defaultEncoding', options.defaultEncoding, mode);
  const layout = layoutOf(mode, map) as ChunkLayout<T>;
  const writer = ownsWriter ? new StrandWriter(options.strand, expected(options)) : options.writer;
  try {
    const sink = new StrandSink({ writer, layout, ownsWriter, blocking });
    return { sink, signal, stream: { ...stream, ...coded } };
  } catch (error) {
    // A stream that has ended, or that its readers have stopped.
    if (ownsWriter) writer.close();
    throw error;
  }
}

function checkWriter(writer: unknown): StrandWriter {
  if (writer instanceof StrandWriter) return writer;
  throw argumentError(`writer is a StrandWriter, got ${describeValue(writer)}`);
}

function layoutOf(mode: Mode, map: StrandMap): ChunkLayout<never> {
  switch (mode.kind) {
    case 'record':
      return recordLayout as ChunkLayout<never>;
    case 'batch':
      return batchLayout as ChunkLayout<never>;
    case 'field':
      return fieldLayout(mode.name) as ChunkLayout<never>;
    case 'binary':
      return byteLayout(mode.name, mostBytes(map)) as ChunkLayout<never>;
  }
}
