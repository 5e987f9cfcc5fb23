import type { Duplex } from 'node:stream';
import { argumentError } from '../../errors.js';
import type { WorkerSource } from './worker_source.js';

/** What a worker's function may give: a record, several, or nothing; with bytes a `Buffer`, a string, or several. */
export type WorkerResult<Out> = Out | readonly Out[] | null | undefined;

/** Gives for the records that are there together, or for a `Buffer`, what becomes of them. */
export type BatchFunction<In = unknown, Out = unknown> = (
  batch: In extends Uint8Array ? In : readonly In[],
) => WorkerResult<Out> | Promise<WorkerResult<Out>>;

/** Reads its source and yields what comes out. */
export type GeneratorFunction<In = unknown, Out = unknown> = (
  source: WorkerSource<In>,
) => AsyncGenerator<WorkerResult<Out>, void, undefined>;

/** Gives a Node `Transform`, or another `Duplex`, that everything goes through. Takes no arguments. */
export type TransformFactory = () => Duplex;

export type WorkerFunction =
  | { readonly kind: 'batch'; readonly run: BatchFunction }
  | { readonly kind: 'generator'; readonly run: (source: WorkerSource) => AsyncIterable<unknown> }
  | { readonly kind: 'transform'; readonly run: TransformFactory };

/** What kind of function a worker's file exports: generators say so, and only what makes a Transform takes nothing. */
export function classify(exported: unknown, url: string): WorkerFunction {
  if (typeof exported !== 'function' || isClass(exported)) {
    const found = typeof exported === 'function' ? 'a class: export () => new … of it' : typeof exported;
    throw argumentError(
      `${url} must export by default a function: an async generator function of its source, a function from a batch to a ` +
        `batch, or a function without parameters that returns a Transform; its default export is ${found}`,
    );
  }
  const tag = Object.prototype.toString.call(exported);
  if (tag === '[object AsyncGeneratorFunction]' || tag === '[object GeneratorFunction]') {
    return { kind: 'generator', run: exported as GeneratorFunction };
  }
  if (exported.length === 0) return { kind: 'transform', run: exported as TransformFactory };
  return { kind: 'batch', run: exported as BatchFunction };
}

/** Of all functions only classes, which cannot be called, have a prototype that is not writable. */
function isClass(exported: object): boolean {
  return Object.getOwnPropertyDescriptor(exported, 'prototype')?.writable === false;
}

export function isStream(value: unknown): value is Duplex {
  return typeof value === 'object' && value !== null && 'pipe' in value && 'write' in value;
}

/** What a function gives for a batch. */
export async function resultOf(run: BatchFunction, batch: unknown, url: string): Promise<unknown> {
  const result = await run(batch as never);
  if (isStream(result)) {
    throw argumentError(
      `${url} exports a function that takes a batch and returned a stream: one that makes a Transform takes no parameters`,
    );
  }
  return result;
}
