import { resolve } from 'node:path';
import { describeValue } from './describe_value.js';
import { argumentError } from './errors.js';
import { filePathOf } from './file_path.js';
import { expectSchema, headerOf, mapOf } from './header.js';
import { native } from './native.js';
import { unwrap } from './native_fault.js';
import { checkNames, optionsOf } from './options.js';
import type { FieldDescriptor, Schema, SchemaOf } from './schema_types.js';
import { asBytes } from './shared_bytes.js';
import { planStrand, STRAND_OPTIONS, type StrandOptions } from './strand.js';
import type { StrandMap } from './strand_map.js';

/**
 * A strand in a file, as it travels between threads and processes: plain data that goes through `workerData`,
 * `postMessage` and `process.send`. Every writer and view that is made of it maps the file for itself.
 */
export interface SharedStrand<S extends Schema = Schema> {
  /** Absolute. */
  readonly path: string;
  readonly map: StrandMap<S>;
}

/** What {@link openSharedStrand} takes: the schema, and for a file that does not exist yet what `createStrand` takes. */
export interface SharedStrandOptions extends StrandOptions {
  /** Fields as `buildSchema` takes them, or a schema. Without it the strand must be there. */
  readonly schema?: readonly FieldDescriptor[] | Schema | undefined;
}

const OPTIONS: readonly string[] = ['schema', ...STRAND_OPTIONS];

/**
 * Opens a strand in a memory-mapped file, which other processes may have open too, or makes it where there is none.
 *
 * @param path of the file; on Linux one under `/dev/shm` stays in memory
 * @param options of a strand that is there only the schema counts: it keeps its capacities and its meta
 * @throws StrandHeaderError a strand of another schema, or a file that holds something else (it stays as it is)
 * @throws StrandError `ERR_STRAND_FILE` where the system refuses
 * @throws StrandBusyError another process has been opening the file for a second
 * @throws TypeError, RangeError, StrandHeaderError as `createStrand`
 */
export function openSharedStrand<const D extends readonly FieldDescriptor[]>(
  path: string | URL,
  options: StrandOptions & { readonly schema: D },
): SharedStrand<SchemaOf<D>>;
export function openSharedStrand<S extends Schema>(
  path: string | URL,
  options: StrandOptions & { readonly schema: S },
): SharedStrand<S>;
export function openSharedStrand(path: string | URL, options?: SharedStrandOptions): SharedStrand;
export function openSharedStrand(path: string | URL, options?: SharedStrandOptions): SharedStrand {
  const given = optionsOf(options, 'openSharedStrand', '{ schema, indexCapacity, … }');
  checkNames(given, 'openSharedStrand', OPTIONS);
  const { schema, ...rest } = given;
  const absolute = resolve(filePathOf(path, "a strand's"));
  if (schema === undefined) {
    const [extra] = Object.keys(rest);
    if (extra !== undefined) {
      throw argumentError(`${extra} is for a strand that is made anew, which takes a schema, too`);
    }
    return { path: absolute, map: mapOf(unwrap(native.readHeader(asBytes({ path: absolute })))) };
  }
  if (typeof schema !== 'object' || schema === null) {
    throw argumentError(`schema is a list of fields or a schema, got ${describeValue(schema)}`);
  }
  const { map, meta } = planStrand(schema, rest);
  const bytes = new Uint8Array(unwrap(native.openStrandFile(absolute, ...headerOf(map, meta))));
  const header = unwrap(native.readHeader(bytes));
  expectSchema(header, map.schema);
  return { path: absolute, map: mapOf(header) };
}
