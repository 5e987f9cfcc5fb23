// Compiled, never run: what is written to a worker stream, and what comes out, follows its schemas.

import type { Readable, Writable } from 'node:stream';
import { buildSchema } from '../../dist/index.js';
import {
  type BatchFunction,
  createWorkerStream,
  type GeneratorFunction,
  type TransformFactory,
  type WorkerSource,
  type WorkerStream,
} from '../../dist/streams.js';
import { expectTrue, type Same } from './expect_type.js';

const schema = buildSchema([
  { name: 'id', type: 'u32' },
  { name: 'label', type: 'utf8', nullable: true },
]);
const fields = [{ name: 'score', type: 'f64' }] as const;

type Chunk<S> = S extends AsyncIterable<infer T> ? T : never;

const both = createWorkerStream('file.mjs', {
  schemaIn: schema,
  schemaOut: fields,
  workers: 4,
  ordered: false,
});
expectTrue<Same<Chunk<typeof both>, { score: number }>>();
const batches = createWorkerStream('file.mjs', { schemaIn: schema, schemaOut: fields, batch: true });
expectTrue<Same<Chunk<typeof batches>, { score: number }[]>>();
const toBytes = createWorkerStream(new URL('file:///file.mjs'), { schemaIn: fields });
expectTrue<Same<Chunk<typeof toBytes>, Buffer>>();
const toRecords = createWorkerStream('file.mjs', { schemaOut: schema });
expectTrue<Same<Chunk<typeof toRecords>, { id: number; label: string | null }>>();
const bytes = createWorkerStream('file.mjs');
expectTrue<Same<typeof bytes, WorkerStream<Uint8Array | string, Buffer>>>();
createWorkerStream('file.mjs', { highWaterMark: 1, worker: { name: 'baker' }, workerData: 1, maxRecords: 5 });
const produced: number = both.stats().workers[0]?.output.produced ?? 0;

// A stream among Node's.
declare const source: Readable;
declare const sink: Writable;
source.pipe(both).pipe(batches).pipe(sink);
void (async () => {
  for await (const { score } of both) expectTrue<Same<typeof score, number>>();
});

// @ts-expect-error no such option
createWorkerStream('file.mjs', { threads: 4 });
// @ts-expect-error bytes come in no arrays
createWorkerStream('file.mjs', { batch: true });
// @ts-expect-error a file is a path or a URL
createWorkerStream(5);
// @ts-expect-error no such type
createWorkerStream('file.mjs', { schemaIn: [{ name: 'n', type: 'u33' }] });
// @ts-expect-error workerData has a place of its own
createWorkerStream('file.mjs', { worker: { workerData: 1 } });

// What a worker's file exports.
export const generator: GeneratorFunction<{ id: number }, { score: number }> = async function* (source) {
  expectTrue<Same<typeof source, WorkerSource<{ id: number }>>>();
  for await (const { id } of source) yield { score: id };
  for await (const batch of source.batches()) yield batch.map(({ id }) => ({ score: id }));
};
export const batch: BatchFunction<{ id: number }, { score: number }> = (all) =>
  all.map(({ id }) => ({ score: id }));
export const none: BatchFunction<{ id: number }, { score: number }> = async () => undefined;
export const ofBytes: BatchFunction<Buffer, Buffer> = (chunk) => chunk.subarray(1);
// @ts-expect-error a string is no score
export const wrong: BatchFunction<{ id: number }, { score: number }> = () => ({ score: '1' });
// @ts-expect-error a Transform is made without parameters
export const parameters: TransformFactory = (_batch: unknown) => bytes;
void produced;
