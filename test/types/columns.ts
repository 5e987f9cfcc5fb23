// Compiled, never run: columns have the types that their fields give them.

import {
  type Column,
  type ColumnsOf,
  type ColumnTypes,
  createStrand,
  type FieldType,
  type LoosePackedColumn,
  type NumberArray,
  type PackedColumn,
  type Schema,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import { expectTrue, type Same } from './expect_type.js';

// Every field type has its column, and there is no other.
expectTrue<Same<keyof ColumnTypes, FieldType>>();

const strand = createStrand([
  { name: 'id', type: 'u32' },
  { name: 'big', type: 'i64', nullable: true },
  { name: 'label', type: 'utf8' },
  { name: 'note', type: 'utf8', nullable: true },
  { name: 'kind', type: 'utf8_ref' },
  { name: 'extra', type: 'json' },
  { name: 'data', type: 'f64_array' },
  { name: 'uuid', type: 'fixed_bytes', length: 16 },
]);
const view = new StrandView(strand);
const writer = new StrandWriter(strand);

const id = view.readColumn('id', 0, 1);
expectTrue<Same<typeof id, Uint32Array>>();
const big = view.readColumn('big', 0, 1, new BigInt64Array(1));
expectTrue<Same<typeof big, BigInt64Array>>();
const label = view.readColumn('label', 0, 1);
expectTrue<Same<typeof label, string[]>>();
const note = view.readColumn('note', 0, 1);
expectTrue<Same<typeof note, (string | null)[]>>();
const kind = view.readColumn('kind', 0, 1);
expectTrue<Same<typeof kind, (string | null)[]>>();
const data = view.readColumn('data', 0, 1);
expectTrue<Same<typeof data, (Float64Array | null)[]>>();
const uuid = view.readColumn('uuid', 0, 1, { validity: new Uint32Array(1) });
expectTrue<Same<typeof uuid, Uint8Array[]>>();

const some = view.readColumns(['id', 'note'], 0, 1);
expectTrue<Same<typeof some.id, Column<Uint32Array>>>();
expectTrue<Same<typeof some.note, Column<(string | null)[]>>>();
const all = view.readColumns(undefined, 0, 1);
expectTrue<Same<typeof all.extra, Column<unknown[]>>>();
const packed = view.readColumns(['id', 'label', 'kind', 'data', 'uuid'], 0, 1, { packed: true });
expectTrue<Same<typeof packed.id, Column<Uint32Array>>>();
expectTrue<Same<typeof packed.label, PackedColumn<Uint8Array>>>();
expectTrue<Same<typeof packed.kind, Column<Uint32Array>>>();
expectTrue<Same<typeof packed.data, PackedColumn<Float64Array>>>();
expectTrue<Same<typeof packed.uuid, Column<Uint8Array>>>();

writer.writeColumns(all);
writer.writeColumns(packed);
writer.writeColumns({ id: [1, 2n, true, null], note: ['a', null, undefined], kind: ['x', 3] });
writer.writeColumns({ label: { offsets: new Int32Array(1), bytes: new Uint8Array(0) } });
writer.writeColumns({ data: [[1, 2], new Float64Array(1), null], uuid: new Uint8Array(32) });
writer.writeColumns({ big: { values: [1, 2n], validity: new Uint32Array(1) } });
writer.writeColumns({}, 3);

// @ts-expect-error no such field
view.readColumn('idd', 0, 1);
// @ts-expect-error another class
view.readColumn('id', 0, 1, new Int32Array(1));
// @ts-expect-error texts go into an array
view.readColumn('label', 0, 1, new Uint8Array(1));
// @ts-expect-error no such field
view.readColumns(['id', 'idd'], 0, 1);
// @ts-expect-error that field was not asked for
some.label;
// @ts-expect-error a number's column has no offsets
packed.id.offsets;
// @ts-expect-error another class
writer.writeColumns({ id: new Float32Array(1) });
// @ts-expect-error no such column
writer.writeColumns({ idd: [1] });
// @ts-expect-error texts are no numbers
writer.writeColumns({ label: [1] });
// @ts-expect-error elements of an i64 are no strings
writer.writeColumns({ big: ['1'] });
// @ts-expect-error bare bytes are not packed
writer.writeColumns({ label: new Uint8Array(1) });
// @ts-expect-error only bytes may be named so
writer.writeColumns({ data: { offsets: new Int32Array(1), bytes: new Uint8Array(0) } });

const looseView = new StrandView(strand.sab);
export const looseValues: NumberArray | unknown[] = looseView.readColumn('anything', 0, 1);
export const looseColumn: Column<unknown> | undefined = looseView.readColumns(['a'], 0, 1).a;
export const loosePacked: LoosePackedColumn | undefined = looseView.readColumns(['a'], 0, 1, {
  packed: true,
}).a;
new StrandWriter(strand.sab).writeColumns({ anything: 1 });
expectTrue<Same<ColumnsOf<Schema>, object>>();
// What knows its fields goes where any view and writer do.
export const anyView: StrandView = view;
