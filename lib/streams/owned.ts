import type { ARRAY_CLASSES } from '../codec/accessors.js';
import { native } from '../native.js';
import { countOwnedBytes } from '../owned_memory.js';
import type { SchemaField } from '../schema_types.js';

type SharedArray = InstanceType<(typeof ARRAY_CLASSES)[keyof typeof ARRAY_CLASSES]>;

/** A typed array of the same class and values in memory of its own. The core copies at memcpy's speed. */
export function ownedArray<A extends SharedArray>(shared: A): A {
  const own = new (shared.constructor as new (length: number) => A)(shared.length);
  native.copyBytes(own, shared);
  countOwnedBytes(own.byteLength);
  return own;
}

/** A field's value that is no view of shared memory. */
export function ownedValue(value: unknown): unknown {
  return ArrayBuffer.isView(value) ? ownedArray(value as SharedArray) : value;
}

/** Names of the fields whose accessors give views of shared memory. */
export function namesOfViews(fields: readonly SchemaField[]): readonly string[] {
  return fields
    .filter(({ type }) => type.endsWith('bytes') || type.endsWith('_array'))
    .map(({ name }) => name);
}

/** Replaces a record's views of shared memory by copies. */
export function ownRecord<R extends object>(record: R, names: readonly string[]): R {
  for (const name of names) {
    const value = (record as Record<string, unknown>)[name];
    if (value !== null) (record as Record<string, unknown>)[name] = ownedValue(value);
  }
  return record;
}
