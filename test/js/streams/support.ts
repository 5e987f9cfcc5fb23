import { type Duplex, Readable } from 'node:stream';
import type { WorkerStream } from '../../../dist/streams.js';

/** Fields of streams whose records only have to be told apart. */
export const NUMBER = [{ name: 'n', type: 'u32' }] as const;

export interface Numbered {
  readonly n: number;
}

/** A file with a worker's function. */
export function workerFile(name: string): URL {
  return new URL(`workers/${name}.mjs`, import.meta.url);
}

/** A worker's file with this text. */
export function inlineFile(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

/** Records that bear the numbers from `from` to before `to`. */
export function numbers(from: number, to: number): Numbered[] {
  return Array.from({ length: to - from }, (_, i) => ({ n: from + i }));
}

/** Pipes the chunks through a stream. → what comes out */
export async function through<In, Out>(
  stream: WorkerStream<In, Out>,
  chunks: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<Out[]> {
  const source = Readable.from(chunks);
  source.pipe(stream);
  source.once('error', (error) => stream.destroy(error));
  return collect(stream);
}

export async function collect<Out>(
  stream: WorkerStream<never, Out> | WorkerStream<unknown, Out>,
): Promise<Out[]> {
  const all: Out[] = [];
  for await (const each of stream as AsyncIterable<Out>) all.push(each);
  return all;
}

/** Settles when a stream is closed, with or without an error, which counts as handled. */
export function isClosed(stream: Duplex): Promise<void> {
  stream.on('error', () => {});
  // `once` of node:events rejects with the error, and misses the close that follows it at once.
  return stream.closed ? Promise.resolve() : new Promise((resolve) => stream.once('close', resolve));
}

/** The error that a stream ends with, once it is closed. It must have one. */
export async function failureOf(stream: Duplex): Promise<Error & { code?: unknown }> {
  await isClosed(stream);
  if (stream.errored === null) throw new Error('the stream ended without an error');
  return stream.errored;
}

/** Settles when all threads of a stream have ended, which is when it is closed. */
export async function isGone(stream: WorkerStream<never> | WorkerStream): Promise<void> {
  await isClosed(stream);
  const left = stream.workers.filter(({ threadId }) => threadId !== -1);
  if (left.length > 0) throw new Error(`${left.length} workers are left`);
}
