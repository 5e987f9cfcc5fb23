import { FIELD_BYTE_WIDTHS, type FieldDescriptor, type RecordCursor } from '../../../dist/index.js';
import { plain } from './records.js';

/** Types whose columns are typed arrays. */
export const isNumeric = ({ type }: FieldDescriptor): boolean =>
  FIELD_BYTE_WIDTHS[type] !== undefined && !/array|bytes|utf8|json/.test(type);

export function hasPayload({ type }: FieldDescriptor): boolean {
  return /array|json/.test(type) || ['utf8', 'large_utf8', 'bytes', 'large_bytes'].includes(type);
}

/** Values of a field in the records from <= seq < to, by the cursor. */
export function valuesByCursor(cursor: RecordCursor, name: string, from: number, to: number): unknown[] {
  return Array.from({ length: to - from }, (_, i) => {
    if (!cursor.seek(from + i)) throw new Error(`record ${from + i} is not there`);
    const value = cursor.get(name);
    return ArrayBuffer.isView(value) ? plain(value) : value;
  });
}

/** What a column must hold where the cursor reads these values: numbers as a column has them. */
export function columnOf(field: FieldDescriptor, values: readonly unknown[]): unknown[] {
  if (!isNumeric(field)) return [...values];
  return values.map((value) =>
    field.type.endsWith('64') && field.type !== 'f64' ? (value ?? 0n) : Number(value ?? 0),
  );
}

/** Numbers of the records whose bit is set. */
export function bitsOf(validity: Uint32Array | undefined, count: number): boolean[] {
  return Array.from({ length: count }, (_, i) =>
    validity === undefined ? true : (((validity[i >> 5] ?? 0) >>> (i & 31)) & 1) === 1,
  );
}
