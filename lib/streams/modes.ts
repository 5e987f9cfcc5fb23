import { addAbortSignal, type Stream } from 'node:stream';
import { isMainThread } from 'node:worker_threads';
import { describeValue } from '../describe_value.js';
import { argumentError, rangeError } from '../errors.js';
import { checkFlag } from '../options.js';
import { isPosition } from '../position.js';
import type { SchemaField } from '../schema_types.js';

/** Records of a batch at most, unless told otherwise. */
const USUAL_BATCH = 1024;

/** What a chunk is. One of the three, or none for a record. */
export interface ModeOptions {
  /** A chunk is an array of records. */
  readonly batch?: boolean | undefined;
  /** A chunk is the value of this field. */
  readonly field?: string | undefined;
  /** Chunks are bytes, without boundaries, in a strand whose only field is `large_bytes` or `bytes`. */
  readonly binary?: boolean | undefined;
}

/** Options that readables and writables have in common. */
export interface CommonOptions extends ModeOptions {
  /** Chunks, or with `binary` bytes, that the stream itself holds before it says that it has enough. */
  readonly highWaterMark?: number | undefined;
  /** Destroys the stream with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Waits block the thread: for workers that have nothing else to do. */
  readonly blocking?: boolean | undefined;
}

export type Mode =
  | { readonly kind: 'record' | 'batch' }
  | { readonly kind: 'field' | 'binary'; readonly name: string };

/** The mode that the options name, for a strand of these fields. */
export function modeOf(options: ModeOptions, fields: readonly SchemaField[]): Mode {
  const { field } = options;
  const batch = checkFlag('batch', options.batch);
  const binary = checkFlag('binary', options.binary);
  const given = [batch && 'batch', field !== undefined && 'field', binary && 'binary'].filter(Boolean);
  if (given.length > 1) throw argumentError(`a stream has one mode, got ${given.join(' and ')}: choose one`);
  if (batch) return { kind: 'batch' };
  if (binary) return { kind: 'binary', name: byteFieldOf(fields) };
  if (field === undefined) return { kind: 'record' };
  if (!fields.some(({ name }) => name === field)) {
    const names = fields.map(({ name }) => `'${name}'`).join(', ');
    throw argumentError(`the schema has no field ${describeValue(field)}; it has ${names}`);
  }
  return { kind: 'field', name: field };
}

function byteFieldOf(fields: readonly SchemaField[]): string {
  const [only, more] = fields;
  if (only === undefined || more !== undefined || !(only.type === 'large_bytes' || only.type === 'bytes')) {
    throw argumentError(
      `binary: true needs a strand whose only field is large_bytes or bytes, this one has ` +
        fields.map(({ name, type }) => `'${name}' ${type}`).join(', '),
    );
  }
  return only.name;
}

/** What every stream is created with, checked. */
export function streamOptionsOf(
  options: CommonOptions,
  objectMode: boolean,
  usualMark: number | undefined,
): { objectMode: boolean; highWaterMark?: number } {
  const { highWaterMark = usualMark } = options;
  return { objectMode, ...checkMark(highWaterMark) };
}

/** What a stream of Node's is told of its mark, if anything is. */
export function checkMark(highWaterMark: unknown): { highWaterMark?: number } {
  if (highWaterMark === undefined) return {};
  if (!isPosition(highWaterMark)) {
    throw rangeError(`highWaterMark is a whole number from 0, got ${describeValue(highWaterMark)}`);
  }
  return { highWaterMark };
}

/** How many records are given together at most. */
export function checkMaxRecords(maxRecords: unknown): number {
  if (maxRecords === undefined) return USUAL_BATCH;
  if (!isPosition(maxRecords) || maxRecords === 0) {
    throw rangeError(`maxRecords is a whole number of records from 1, got ${describeValue(maxRecords)}`);
  }
  return maxRecords;
}

/** An encoding, which only bytes have. */
export function checkEncoding<N extends string>(
  name: N,
  encoding: unknown,
  mode: Mode,
): { [K in N]?: BufferEncoding } {
  if (encoding === undefined) return {};
  if (typeof encoding !== 'string' || !Buffer.isEncoding(encoding)) {
    throw argumentError(`${name} is an encoding of buffers like 'utf8', got ${describeValue(encoding)}`);
  }
  if (mode.kind !== 'binary') {
    throw argumentError(`${name} is of bytes: it needs binary: true`);
  }
  return { [name]: encoding } as { [K in N]?: BufferEncoding };
}

/** Destroys a stream when the signal aborts. Behind its construction: the signal may have aborted before. */
export function heed(signal: AbortSignal | undefined, stream: Stream): void {
  if (signal !== undefined) addAbortSignal(signal, stream);
}

/** Whether waits block. */
export function checkBlocking(blocking: unknown): boolean {
  const blocks = checkFlag('blocking', blocking);
  if (blocks && isMainThread) {
    throw argumentError(
      'blocking: true would stop the main thread, and with it everything: use it in workers',
    );
  }
  return blocks;
}
