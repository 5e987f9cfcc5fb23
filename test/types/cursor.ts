// Compiled, never run: accessors take the names of the fields that they read.

import {
  type AccessorName,
  buildSchema,
  type CursorAccessors,
  type RecordCursor,
  type Strand,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import { expectTrue, type Same } from './expect_type.js';

const schema = buildSchema([
  { name: 'id', type: 'u32', sorted: 'asc' },
  { name: 'score', type: 'f32', nullable: true },
  { name: 'label', type: 'utf8' },
  { name: 'body', type: 'large_utf8' },
  { name: 'hash', type: 'fixed_bytes', length: 32 },
  { name: 'data', type: 'large_bytes' },
  { name: 'seek', type: 'u8' },
]);
type S = typeof schema;

// Every accessor of the type table is there, and no other.
expectTrue<Same<keyof CursorAccessors, AccessorName>>();

declare const cursor: CursorAccessors<S>;
export const id: number = cursor.getU32('id');
export const score: number | null = cursor.getF32('score');
export const label: string = cursor.getString('label');
export const body: string = cursor.getString('body');
export const hash: Uint8Array = cursor.getBytes('hash');
export const data: Uint8Array | null = cursor.getBytes('data');
export const clash: number = cursor.getU8('seek');
declare const either: 'label' | 'body';
export const chosen: string = cursor.getString(either);

// @ts-expect-error a utf8 field is no u32
cursor.getU32('label');
// @ts-expect-error a u32 field is no f32
cursor.getF32('id');
// @ts-expect-error no such field
cursor.getString('lable');
// @ts-expect-error no field of this type
cursor.getI64('id');
// @ts-expect-error the field is nullable
export const notNull: number = cursor.getF32('score');
// @ts-expect-error large_bytes reads null where it was left out
export const present: Uint8Array = cursor.getBytes('data');
declare const someName: string;
// @ts-expect-error any string is no field's name
cursor.getU32(someName);

// A schema known only at run time: any name, and null for a wrong one.
declare const looseCursor: CursorAccessors;
const looseNumber = looseCursor.getU32(someName);
expectTrue<Same<typeof looseNumber, number | null>>();
const looseBytes = looseCursor.getBytes('anything');
expectTrue<Same<typeof looseBytes, Uint8Array | null>>();
// @ts-expect-error a name is a string
looseCursor.getU32(1);

// The ring's classes: what a worker states of a buffer's schema is what it then knows.
declare const sab: SharedArrayBuffer;
declare const posted: Strand;
declare const workerData: { readonly strand: Strand<S> };
for (const memory of [sab, posted, workerData.strand]) {
  const writer = new StrandWriter(memory, { schema });
  writer.writeRecordBatch([{ id: 1, score: 2 }, { label: 'x' }]);
  // @ts-expect-error a string is no number
  writer.writeRecordBatch([{ id: '1' }]);
  // @ts-expect-error a string is no number
  writer.write({ id: '1' });
  // @ts-expect-error a string is no number
  writer.tryWriteRecordBatch([{ id: '1' }]);
  // @ts-expect-error a string is no number
  void writer.writeRecordBatchAsync([{ id: '1' }]);
}
new StrandWriter(workerData.strand).write({ id: 1 });
// @ts-expect-error a string is no number
new StrandWriter(workerData.strand).write({ id: '1' });
new StrandWriter(sab).writeRecordBatch([{ anything: 1 }]);
new StrandWriter(posted).writeRecordBatch([{ anything: 1 }]);

for (const view of [
  new StrandView(sab, { schema }),
  new StrandView(posted, { schema }),
  new StrandView(posted, { schema, internTable: ['a'] }),
  new StrandView(workerData.strand),
  new StrandView(workerData.strand, ['a']),
]) {
  view.findFirst('score', 1);
  // @ts-expect-error text has no order
  view.findFirst('label', 1);
  const typed = view.allocateCursor();
  const byAccessor: number = typed.getU32('id');
  const byProperty: string = typed.row.label;
  const byName: string = typed.get('label');
  const copy: { id: number; score: number | null } = typed.toObject();
  void [byAccessor, byProperty, byName, copy];
  // @ts-expect-error a utf8 field is no u32
  typed.getU32('label');
  // @ts-expect-error no such field
  typed.row.lable;
  // @ts-expect-error a row is read only
  typed.row.id = 1;
  // @ts-expect-error no such field
  typed.get('lable');
  // What knows its fields goes where any cursor and any view do.
  const anyCursor: RecordCursor = typed;
  const anyView: StrandView = view;
  void [anyCursor, anyView];
}

const looseView = new StrandView(sab);
looseView.findFirst(someName, 1n);
export const unknownValue: unknown = looseView.allocateCursor().row.anything;
export const maybeNumber: number | null = looseView.allocateCursor().getU32(someName);
