import { optionsOf } from '../options.js';
import type { NamesOf, RecordOf, Schema } from '../schema_types.js';
import type { StrandLike } from '../shared_bytes.js';
import { StrandWriter } from '../writer.js';
import { checkNoEnd } from './opening.js';
import { SABWritable } from './sab_writable.js';
import type { WriteStreamOptions } from './sink_options.js';

type Target<S extends Schema> = StrandLike<S> | StrandWriter<S>;
type Without<M extends keyof WriteStreamOptions> = WriteStreamOptions & {
  readonly [K in M]?: undefined | false;
};

/**
 * A `Writable` that takes bytes and strings, for a strand whose only field is `large_bytes` or `bytes`.
 *
 * @param target a strand, its bare memory, or a writer, which stays open
 * @throws TypeError, RangeError, StrandHeaderError, StrandBusyError as {@link SABWritable}
 */
export function createWriteStream(
  target: Target<Schema>,
  options: Without<'batch' | 'field'> & { readonly binary: true },
): SABWritable<Uint8Array | string>;
/**
 * A `Writable` that takes arrays of records.
 *
 * @param target a strand, its bare memory, or a writer, which stays open
 * @throws TypeError, RangeError, StrandHeaderError, StrandBusyError as {@link SABWritable}
 */
export function createWriteStream<S extends Schema>(
  target: Target<S>,
  options: Without<'binary' | 'field'> & { readonly batch: true },
): SABWritable<readonly RecordOf<S>[]>;
/**
 * A `Writable` that takes values of one field; the others are left out.
 *
 * @param target a strand, its bare memory, or a writer, which stays open
 * @throws TypeError, RangeError, StrandHeaderError, StrandBusyError as {@link SABWritable}
 */
export function createWriteStream<S extends Schema, const N extends NamesOf<S>>(
  target: Target<S>,
  options: Without<'batch' | 'binary'> & { readonly field: N },
): SABWritable<RecordOf<S> extends { readonly [K in N]?: infer V } ? V : unknown>;
/**
 * A `Writable` that takes records.
 *
 * @param target a strand, its bare memory, or a writer, which stays open
 * @throws TypeError, RangeError, StrandHeaderError, StrandBusyError as {@link SABWritable}
 */
export function createWriteStream<S extends Schema>(
  target: Target<S>,
  options?: Without<'batch' | 'binary' | 'field'>,
): SABWritable<RecordOf<S>>;
export function createWriteStream(target: Target<Schema>, options?: WriteStreamOptions): SABWritable {
  const given = optionsOf(options, 'createWriteStream', '{ batch, field, binary, … }');
  checkNoEnd(given, 'createWriteStream', ['strand', 'writer']);
  return new SABWritable(
    target instanceof StrandWriter ? { ...given, writer: target } : { ...given, strand: target },
  );
}
