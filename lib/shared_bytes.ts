import { types } from 'node:util';
import { describeValue } from './describe_value.js';
import { argumentError } from './errors.js';
import type { Schema } from './schema_types.js';
import type { Strand } from './strand.js';

/** A strand as `createStrand` returns it, or the bare memory. */
export type StrandLike<S extends Schema = Schema> = Strand<S> | SharedArrayBuffer;

/**
 * The whole buffer of a strand as it is now: the length of a growable one is read anew at each call.
 *
 * @throws TypeError what is neither a strand nor a SharedArrayBuffer
 */
export function asBytes(strand: StrandLike): Uint8Array<SharedArrayBuffer>;
export function asBytes(strand: unknown): Uint8Array<SharedArrayBuffer> {
  let sab = strand;
  if (typeof strand === 'object' && strand !== null && 'sab' in strand) sab = strand.sab;
  if (!types.isSharedArrayBuffer(sab)) {
    const remedy = types.isAnyArrayBuffer(sab) ? ': an ArrayBuffer is not shared between threads' : '';
    const problem = `a strand is a SharedArrayBuffer or what createStrand returns, got ${describeValue(strand)}`;
    throw argumentError(problem + remedy);
  }
  return new Uint8Array(sab, 0, sab.byteLength);
}
