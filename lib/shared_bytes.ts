import { types } from 'node:util';
import { markAsUntransferable } from 'node:worker_threads';
import { describeValue } from './describe_value.js';
import { argumentError } from './errors.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import type { Schema } from './schema_types.js';
import type { SharedStrand } from './shared_strand.js';
import type { Strand } from './strand.js';

/** A strand as `createStrand` or `openSharedStrand` returns it, or the bare memory. */
export type StrandLike<S extends Schema = Schema> = Strand<S> | SharedStrand<S> | SharedArrayBuffer;

/**
 * The whole buffer of a strand as it is now: the length of a growable one is read anew at each call, and a file is mapped
 * if this process has not done so yet.
 *
 * @throws TypeError what is no strand
 * @throws StrandHeaderError, StrandError a file that holds none, or that the system does not give
 */
export function asBytes(strand: StrandLike | Pick<SharedStrand, 'path'>): Uint8Array {
  return isShared(strand)
    ? mappedBytes(strand.path)
    : asOwnBytes(strand, 'a SharedArrayBuffer or what createStrand or openSharedStrand returns');
}

/** The schema that came with a strand in a file: by now the path may stand for another one. */
export function schemaOfShared(strand: StrandLike): Schema | undefined {
  return isShared(strand) ? (strand as Partial<SharedStrand>).map?.schema : undefined;
}

function isShared(strand: unknown): strand is Pick<SharedStrand, 'path'> {
  return (
    typeof strand === 'object' &&
    strand !== null &&
    !('sab' in strand) &&
    'path' in strand &&
    typeof strand.path === 'string'
  );
}

/** The same of a strand in memory alone. @param accepted what is one, for the message */
export function asOwnBytes(
  strand: unknown,
  accepted = 'a SharedArrayBuffer or what createStrand returns',
): Uint8Array {
  let sab = strand;
  if (typeof strand === 'object' && strand !== null && 'sab' in strand) sab = strand.sab;
  if (!types.isSharedArrayBuffer(sab)) {
    const remedy = types.isAnyArrayBuffer(sab) ? ': an ArrayBuffer is not shared between threads' : '';
    throw argumentError(`a strand is ${accepted}, got ${describeValue(strand)}${remedy}`);
  }
  return new Uint8Array(sab, 0, sab.byteLength);
}

function mappedBytes(path: string): Uint8Array {
  const buffer = unwrap(native.openStrandFile(path));
  // Whoever gave it away would take it from the strand's cursors, too.
  markAsUntransferable(buffer);
  return new Uint8Array(buffer);
}
