import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { checkSignal } from '../options.js';
import type { Schema } from '../schema_types.js';
import { type CommonOptions, checkBlocking } from './modes.js';

/** Batches, and chunks of shared memory, that a stream holds unless told otherwise. */
export const FEW_CHUNKS = 2;

export interface Opening {
  readonly blocking: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What streams of both directions check before they open anything. @param takes what the stream is made of, for the message */
export function checkOpening(options: CommonOptions, takes: string): Opening {
  if (typeof options !== 'object' || options === null) {
    throw argumentError(`${takes}, got ${describeValue(options)}`);
  }
  return { blocking: checkBlocking(options.blocking), signal: checkSignal(options.signal) };
}

/** The schema that a writer or a view of the strand is to find, if one was given. */
export function expected({ schema }: { readonly schema?: Schema }): { schema?: Schema } {
  return schema === undefined ? {} : { schema };
}
