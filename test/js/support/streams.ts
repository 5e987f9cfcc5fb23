import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createStrand, type Strand } from '../../../dist/index.js';

/** A strand for bytes alone. */
export function byteStrand(indexCapacity = 8, heapCapacity = 1024): Strand {
  return createStrand([{ name: 'bytes', type: 'large_bytes' }], { indexCapacity, heapCapacity });
}

/** Everything that a readable gives, in order. */
export async function collect<T>(readable: AsyncIterable<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  return chunks;
}

/** What a readable gives before it fails, and the error. */
export async function collectUntilError(readable: AsyncIterable<unknown>) {
  const chunks: unknown[] = [];
  try {
    for await (const chunk of readable) chunks.push(chunk);
  } catch (error) {
    return { chunks, error: error as Error & { readonly code?: string; readonly reason?: string } };
  }
  throw new Error(`the stream ended well, with ${chunks.length} chunks`);
}

/** Writes chunks and ends, minding `write`'s answer. */
export async function feed(writable: Writable, chunks: Iterable<unknown>): Promise<void> {
  for (const chunk of chunks) {
    if (!writable.write(chunk)) await once(writable, 'drain');
  }
  writable.end();
  await finished(writable);
}

/** A write as a promise of its callback. */
export function written(
  writable: Writable,
  chunk: unknown,
  encoding: BufferEncoding = 'utf8',
): Promise<void> {
  return new Promise((resolve, reject) => {
    writable.write(chunk, encoding, (error) => (error ? reject(error) : resolve()));
  });
}

type Ended = Error & { readonly code?: string; readonly reason?: string };

/** The error that a stream ends with; undefined where there is none. */
export async function fate(stream: Readable | Writable): Promise<Ended | undefined> {
  // Listened to here, so that the error is nobody's uncaught one.
  stream.on('error', () => {});
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  return (stream.errored ?? undefined) as Ended | undefined;
}
