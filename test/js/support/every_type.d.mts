import type { FieldDescriptor, RecordCursor } from '../../../dist/index.js';

/** A schema with every field type, nullable and not, and records for it. */
export const everyType: {
  /** @param widths `FIELD_BYTE_WIDTHS` */
  fields(widths: Readonly<Record<string, number>>): FieldDescriptor[];
  record(n: number): Record<string, unknown>;
  /** Reads everything of the record that a cursor stands on, each field by every accessor, its own or not. */
  readAll(cursor: RecordCursor, names: readonly string[], accessors: readonly string[]): void;
  accessorsOf(cursor: RecordCursor): string[];
};
