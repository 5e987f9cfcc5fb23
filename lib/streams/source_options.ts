import { describeValue } from '../describe_value.js';
import type { ConsumerStart } from '../drain.js';
import { argumentError } from '../errors.js';
import { checkFlag } from '../options.js';
import type { Schema } from '../schema_types.js';
import type { StrandLike } from '../shared_bytes.js';
import { StrandView } from '../view.js';
import { BatchTaker } from './batch_taker.js';
import { ByteTaker } from './byte_taker.js';
import type { ChunkSource } from './chunk_source.js';
import { FieldTaker } from './field_taker.js';
import {
  type CommonOptions,
  checkEncoding,
  checkMaxRecords,
  type Mode,
  modeOf,
  streamOptionsOf,
} from './modes.js';
import { COMMON_OPTIONS, checkOpening, type Direction, expected, FEW_CHUNKS } from './opening.js';
import { PayloadTaker } from './payload_taker.js';
import { isRing, type PlainRing } from './plain_ring.js';
import { PlainRingSource } from './plain_ring_source.js';
import { RecordTaker } from './record_taker.js';
import { StrandSource } from './strand_source.js';
import type { Taker } from './taker.js';

/** Options of a readable besides what it reads from. */
export interface ReadStreamOptions extends CommonOptions {
  /** Records of one array at most, with `batch`; 1,024 unless given. */
  readonly maxRecords?: number | undefined;
  /**
   * Bytes and arrays are views of the shared memory, good until the next chunk is asked for: for loops that finish with one
   * before that, and not for `pipe`.
   */
  readonly zeroCopy?: boolean | undefined;
  /** Registers a consumer that starts there; the producer then waits for it as for other registered ones. */
  readonly from?: ConsumerStart | undefined;
  /** Characters that bytes are decoded to, with `binary`. */
  readonly encoding?: BufferEncoding | undefined;
}

/** Where a readable takes its chunks from: a strand, a view of one, or a ring of six header words. */
export type SABReadableOptions<S extends Schema = Schema> =
  | ({ readonly strand: StrandLike<S>; readonly schema?: S } & ReadStreamOptions)
  | ({ readonly view: StrandView<S> } & ReadStreamOptions)
  | (PlainRing & Pick<ReadStreamOptions, 'highWaterMark' | 'signal' | 'blocking'>);

const READABLE: Direction = {
  stream: 'a readable',
  ends: ['strand', 'view', 'schema'],
  options: [
    ...COMMON_OPTIONS,
    'maxRecords',
    'zeroCopy',
    'from',
    'encoding',
  ] satisfies (keyof ReadStreamOptions)[],
};

export interface OpenSource<T> {
  readonly source: ChunkSource<T>;
  readonly zeroCopy: boolean;
  readonly blocking: boolean;
  readonly signal: AbortSignal | undefined;
  readonly stream: ReturnType<typeof streamOptionsOf> & { encoding?: BufferEncoding };
}

/** Checks the options of a readable and opens what it reads from. */
export function openSource<T>(options: SABReadableOptions): OpenSource<T> {
  const { blocking, signal } = checkOpening(options, READABLE);
  if (isRing(options)) {
    const stream = streamOptionsOf(options, true, undefined);
    const source = new PlainRingSource(options) as ChunkSource<T>;
    return { source, zeroCopy: false, blocking, signal, stream };
  }
  const { encoding, from } = options;
  const zeroCopy = checkFlag('zeroCopy', options.zeroCopy);
  const maxRecords = checkMaxRecords(options.maxRecords);
  const ownsView = !('view' in options);
  const view = ownsView ? new StrandView(options.strand, expected(options)) : checkView(options.view);
  try {
    const mode = modeOf(options, view.map.schema.fields);
    // Views are counted one by one: put together they would be copies.
    const objectMode = mode.kind !== 'binary' || zeroCopy;
    const stream = streamOptionsOf(
      options,
      objectMode,
      mode.kind === 'batch' || zeroCopy ? FEW_CHUNKS : undefined,
    );
    const coded = checkEncoding('encoding', encoding, mode);
    const taker = takerOf(view, mode, maxRecords, zeroCopy) as Taker<T>;
    const drain = view.drain(from);
    return {
      source: new StrandSource({ view, drain, taker, zeroCopy, ownsView }),
      zeroCopy,
      blocking,
      signal,
      stream: { ...stream, ...coded },
    };
  } catch (error) {
    if (ownsView) view.close();
    throw error;
  }
}

function checkView(view: unknown): StrandView {
  if (view instanceof StrandView) return view;
  throw argumentError(`view is a StrandView, got ${describeValue(view)}`);
}

function takerOf(view: StrandView, mode: Mode, maxRecords: number, zeroCopy: boolean): Taker<unknown> {
  switch (mode.kind) {
    case 'record':
      return new RecordTaker(view, zeroCopy);
    case 'batch':
      return new BatchTaker(view, maxRecords, zeroCopy);
    case 'field':
      return new FieldTaker(view, mode.name, zeroCopy);
    case 'binary':
      return zeroCopy ? new PayloadTaker(view, mode.name) : new ByteTaker(view);
  }
}
