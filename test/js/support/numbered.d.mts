import type { ColumnsRead, RecordCursor, SchemaOf, StrandView } from '../../../dist/index.js';

declare const fields: readonly [
  { readonly name: 'n'; readonly type: 'f64' },
  { readonly name: 'hash'; readonly type: 'u32' },
  { readonly name: 'text'; readonly type: 'utf8' },
  { readonly name: 'bytes'; readonly type: 'bytes' },
];

export type NumberedSchema = SchemaOf<typeof fields>;

export interface NumberedRecord {
  readonly n: number;
  readonly hash: number;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface DrainOptions {
  readonly from?: number;
  readonly token?: number;
}

/** Records whose content follows from their number, so that a reader knows what each must hold. */
export const numbered: {
  readonly fields: typeof fields;
  record(n: number): NumberedRecord;
  records(from: number, count: number): NumberedRecord[];
  /** The same as columns of lists. */
  columns(from: number, count: number): { [K in keyof NumberedRecord]: NumberedRecord[K][] };
  /** What is wrong with the record that a cursor stands on, where it ought to be the n-th; '' if nothing is. */
  fault(cursor: RecordCursor<NumberedSchema>, n: number): string;
  /** Throws at the first record that is not the one that belongs there; `shift` is added to positions. */
  check(cursor: RecordCursor<NumberedSchema>, from: number, to: number, shift?: number): void;
  /** The same for all columns of records from `from` on. */
  checkColumns(columns: ColumnsRead<NumberedSchema>, from: number): void;
  /** Reads a stream to its end, acknowledging. → how many records there were */
  drain(view: StrandView<NumberedSchema>, options?: DrainOptions): Promise<number>;
  drainSync(view: StrandView<NumberedSchema>, options?: DrainOptions): number;
};
