import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { checkNames, checkSignal } from '../options.js';
import type { Schema } from '../schema_types.js';
import { type CommonOptions, checkBlocking } from './modes.js';
import { isRing } from './plain_ring.js';

/** Batches, and chunks of shared memory, that a stream holds unless told otherwise. */
export const FEW_CHUNKS = 2;

/** What a readable, or a writable, is made of. */
export interface Direction {
  /** With its article. */
  readonly stream: string;
  /** Names of what it reads from or writes to, besides a ring of six words. */
  readonly ends: readonly string[];
  /** Names of its options. */
  readonly options: readonly string[];
}

/** Names of the options that both have. */
export const COMMON_OPTIONS = [
  'batch',
  'field',
  'binary',
  'highWaterMark',
  'signal',
  'blocking',
] as const satisfies readonly (keyof CommonOptions)[];

const RING = ['header', 'data', 'capacity'];
const RING_OPTIONS = ['highWaterMark', 'signal', 'blocking'];
/** Options of Node's streams that are settled here, whatever is given: code that makes many streams gives them to all. */
const SETTLED_OPTIONS = ['objectMode', 'decodeStrings', 'emitClose', 'autoDestroy'];

export interface Opening {
  readonly blocking: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What streams of both directions check before they open anything. */
export function checkOpening(options: CommonOptions, { stream, ends, options: names }: Direction): Opening {
  if (typeof options !== 'object' || options === null) {
    const [strand, other] = ends;
    throw argumentError(
      `${stream} takes { ${strand} }, { ${other} } or { ${RING.join(', ')} }, got ${describeValue(options)}`,
    );
  }
  if (isRing(options)) {
    checkNames(options, `${stream} of a ring of six words`, RING_OPTIONS, [...RING, ...SETTLED_OPTIONS]);
  } else {
    checkNames(options, stream, names, [...ends, ...SETTLED_OPTIONS]);
  }
  return { blocking: checkBlocking(options.blocking), signal: checkSignal(options.signal) };
}

/** Refuses a second thing to read from or write to among a factory's options: one of the two would be ignored. */
export function checkNoEnd(options: object, factory: string, ends: readonly string[]): void {
  const end = ends.find((name) => Object.hasOwn(options, name));
  if (end !== undefined) {
    throw argumentError(
      `${factory} takes a strand or what was opened of one as its first argument, not as an option '${end}'`,
    );
  }
}

/** The schema that a writer or a view of the strand is to find, if one was given. */
export function expected({ schema }: { readonly schema?: Schema }): { schema?: Schema } {
  return schema === undefined ? {} : { schema };
}
