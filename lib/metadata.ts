import { describeValue } from './describe_value.js';
import {
  argumentError,
  rangeError,
  StrandHeaderError,
  type StrandRangeError,
  type StrandTypeError,
} from './errors.js';

/** What the strand's records were asked for. Any members that JSON can carry; `start` and `end` are ordered. */
export type StrandQuery = {
  readonly start?: number;
  readonly end?: number;
  readonly [member: string]: unknown;
};

/** The user's own members of a header. */
export type StrandMeta = {
  /** Serves every view that is given no table of its own, if it is a list of strings. */
  readonly internTable?: readonly string[];
  readonly [member: string]: unknown;
};

/** The members of the metadata that are not the core's. Absent means absent: no member is ever undefined. */
export interface Metadata {
  readonly query?: StrandQuery;
  readonly estimated_records?: number;
  readonly meta?: StrandMeta;
}

type Json = { readonly [member: string]: unknown };

/** Whether a value is an object as a literal makes it, in this realm or another. */
function isPlainObject(value: unknown): value is Json {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A value as it will come back from the header. */
function throughJson(name: string, value: Json): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : describeValue(cause);
    throw argumentError(`${name} cannot be written as JSON: ${reason}`, { cause });
  }
  return text === undefined ? undefined : JSON.parse(text);
}

/** Why an object is no query; undefined for one that is. */
function queryFault(query: Json): StrandTypeError | StrandRangeError | undefined {
  for (const key of ['start', 'end']) {
    const value = query[key];
    if (value !== undefined && !Number.isFinite(value)) {
      return argumentError(`query.${key} must be a finite number, got ${describeValue(value)}`);
    }
  }
  const { start, end } = query as StrandQuery;
  if (start === undefined || end === undefined || start <= end) return undefined;
  return rangeError(`the query is reversed: it starts at ${start} and ends at ${end}`);
}

function checkedQuery(query: unknown): Json {
  if (!isPlainObject(query)) throw argumentError(`query must be a plain object, got ${describeValue(query)}`);
  const fault = queryFault(query);
  if (fault) throw fault;
  return query;
}

/**
 * The query as the header carries it.
 *
 * @throws TypeError what is no plain object, or no JSON; `start` or `end` that is no finite number
 * @throws RangeError `start` behind `end`
 */
export function checkQuery(query: unknown): StrandQuery {
  // Checked before JSON, which turns NaN into null, and behind it, where a toJSON may have been at work.
  return checkedQuery(throughJson('query', checkedQuery(query)));
}

/**
 * The number of records expected, for progress.
 *
 * @throws TypeError no number
 * @throws RangeError below 0, infinite, NaN
 */
export function checkEstimatedRecords(estimated: unknown): number {
  if (typeof estimated !== 'number') {
    throw argumentError(`estimated_records must be a number, got ${describeValue(estimated)}`);
  }
  if (!Number.isFinite(estimated) || estimated < 0) {
    throw rangeError(`estimated_records must be 0 or more, got ${describeValue(estimated)}`);
  }
  return estimated;
}

/**
 * Meta as the header carries it; undefined for what is no plain object.
 *
 * @throws TypeError what JSON cannot carry: cycles, bigints
 */
export function normalizeMeta(meta: unknown): StrandMeta | undefined {
  if (!isPlainObject(meta)) return undefined;
  const carried = throughJson('meta', meta);
  return isPlainObject(carried) ? carried : undefined;
}

/** Members of a JSON object, as its text without braces. */
export function membersText(metadata: Metadata): string {
  return JSON.stringify(metadata).slice(1, -1);
}

/** Bytes that names and members take in the header's metadata. */
export function metadataBytes(names: readonly string[], metadata: Metadata): number {
  const text = JSON.stringify({ columns: names, ...metadata });
  // The core writes every control character in a name in six bytes, JSON.stringify some of them in two.
  const short = names.reduce((count, name) => count + (name.match(/[\b\t\n\f\r]/g)?.length ?? 0), 0);
  return Buffer.byteLength(text) + short * 4;
}

/**
 * Reads the metadata of a header, in which anything may stand: the header's checksum does not cover it.
 *
 * @throws StrandHeaderError members that are not what their names promise
 */
export function parseMetadata(text: string): Metadata {
  const refuse = (problem: string, options?: ErrorOptions) =>
    new StrandHeaderError(`the header's metadata ${problem}`, options);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse('is no JSON', { cause });
  }
  if (!isPlainObject(json)) throw refuse('is no object');
  const { query, estimated_records, meta } = json;
  if (query !== undefined) {
    if (!isPlainObject(query)) throw refuse('has a query that is no object');
    const fault = queryFault(query);
    if (fault) throw refuse(`has a wrong query: ${fault.message}`);
  }
  if (
    estimated_records !== undefined &&
    !(typeof estimated_records === 'number' && Number.isFinite(estimated_records) && estimated_records >= 0)
  ) {
    throw refuse(`has the estimated_records ${describeValue(estimated_records)}`);
  }
  if (meta !== undefined && !isPlainObject(meta)) throw refuse('has a meta that is no object');
  return {
    ...(query === undefined ? {} : { query }),
    ...(estimated_records === undefined ? {} : { estimated_records }),
    ...(meta === undefined ? {} : { meta: meta as StrandMeta }),
  };
}

/** The intern table that a header carries, if it carries a list of strings as one. */
export function internTableOf({ meta }: Metadata): readonly string[] | undefined {
  const table: unknown = meta?.internTable;
  return Array.isArray(table) && table.every((entry) => typeof entry === 'string') ? table : undefined;
}
