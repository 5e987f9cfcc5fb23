import { optionsOf } from '../options.js';
import type { NamesOf, RowOf, Schema, ValueOf } from '../schema_types.js';
import type { StrandLike } from '../shared_bytes.js';
import { StrandView } from '../view.js';
import { checkNoEnd } from './opening.js';
import { SABReadable } from './sab_readable.js';
import type { ReadStreamOptions } from './source_options.js';

type Source<S extends Schema> = StrandLike<S> | StrandView<S>;
type Without<M extends keyof ReadStreamOptions> = ReadStreamOptions & {
  readonly [K in M]?: undefined | false;
};

/**
 * A `Readable` of bytes without boundaries, from a strand whose only field is `large_bytes` or `bytes`.
 *
 * @param source a strand (in memory or in a file), its bare memory, or a view, which stays open
 * @throws TypeError, RangeError, StrandHeaderError as {@link SABReadable}
 */
export function createReadStream(
  source: Source<Schema>,
  options: Without<'batch' | 'field'> & { readonly binary: true },
): SABReadable<Buffer>;
/**
 * A `Readable` of arrays of records: of those that are there together, at most `maxRecords`.
 *
 * @param source a strand (in memory or in a file), its bare memory, or a view, which stays open
 * @throws TypeError, RangeError, StrandHeaderError as {@link SABReadable}
 */
export function createReadStream<S extends Schema>(
  source: Source<S>,
  options: Without<'binary' | 'field'> & { readonly batch: true },
): SABReadable<RowOf<S>[]>;
/**
 * A `Readable` of one field's values. Where there is none it gives `undefined`, since `null` ends a stream.
 *
 * @param source a strand (in memory or in a file), its bare memory, or a view, which stays open
 * @throws TypeError, RangeError, StrandHeaderError as {@link SABReadable}
 */
export function createReadStream<S extends Schema, const N extends NamesOf<S>>(
  source: Source<S>,
  options: Without<'batch' | 'binary'> & { readonly field: N },
): SABReadable<Exclude<ValueOf<S, N>, null> | (null extends ValueOf<S, N> ? undefined : never)>;
/**
 * A `Readable` of a strand's records, each an object of its own.
 *
 * @param source a strand (in memory or in a file), its bare memory, or a view, which stays open
 * @throws TypeError, RangeError, StrandHeaderError as {@link SABReadable}
 */
export function createReadStream<S extends Schema>(
  source: Source<S>,
  options?: Without<'batch' | 'binary' | 'field'>,
): SABReadable<RowOf<S>>;
export function createReadStream(source: Source<Schema>, options?: ReadStreamOptions): SABReadable {
  const given = optionsOf(options, 'createReadStream', '{ batch, field, binary, … }');
  checkNoEnd(given, 'createReadStream', ['strand', 'view']);
  return new SABReadable(
    source instanceof StrandView ? { ...given, view: source } : { ...given, strand: source },
  );
}
