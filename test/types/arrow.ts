// Compiled, never run: columns of record batches have the Arrow types of their fields.

import type {
  Schema as ArrowSchema,
  AsyncRecordBatchStreamReader,
  Binary,
  Bool,
  Dictionary,
  FixedSizeBinary,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  RecordBatch,
  TypeMap,
  Utf8,
} from 'apache-arrow';
import {
  type ArrowColumns,
  type ArrowTypes,
  arrowSchema,
  readRecordBatch,
  recordBatchReader,
  strandFields,
  writeRecordBatch,
} from '../../dist/arrow.js';
import {
  createStrand,
  type FieldDescriptor,
  type FieldType,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import { expectTrue, type Same } from './expect_type.js';

// Every field type has its Arrow type, and there is no other.
expectTrue<Same<keyof ArrowTypes, FieldType>>();

const strand = createStrand([
  { name: 'x', type: 'f32', nullable: true },
  { name: 'big', type: 'i64' },
  { name: 'on', type: 'bool8' },
  { name: 'label', type: 'utf8' },
  { name: 'note', type: 'json' },
  { name: 'kind', type: 'utf8_ref' },
  { name: 'data', type: 'f64_array' },
  { name: 'raw', type: 'bytes' },
  { name: 'uuid', type: 'fixed_bytes', length: 16 },
]);
const view = new StrandView(strand);

type All = {
  x: Float32;
  big: Int64;
  on: Bool;
  label: Utf8;
  note: Utf8;
  kind: Dictionary<Utf8, Int32>;
  data: List<Float64>;
  raw: Binary;
  uuid: FixedSizeBinary;
};

const batch = readRecordBatch(view, 0, 1);
expectTrue<Same<typeof batch, RecordBatch<All>>>();
const some = readRecordBatch(view, 0, 1, { fields: ['x', 'label'] });
expectTrue<Same<typeof some, RecordBatch<{ x: Float32; label: Utf8 }>>>();
export const value: number | null | undefined = some.getChild('x')?.get(0);
// @ts-expect-error: no such field
readRecordBatch(view, 0, 1, { fields: ['y'] });

const reader = recordBatchReader(view, { fields: ['big'], maxRecords: 10, signal: AbortSignal.timeout(1) });
expectTrue<Same<typeof reader, AsyncRecordBatchStreamReader<{ big: Int64 }>>>();
for await (const { schema } of recordBatchReader(view)) expectTrue<Same<typeof schema, ArrowSchema<All>>>();

const schema = arrowSchema(strand.map.schema);
expectTrue<Same<typeof schema, ArrowSchema<All>>>();
const fields = strandFields(schema);
expectTrue<Same<typeof fields, FieldDescriptor[]>>();

writeRecordBatch(new StrandWriter(strand), batch, { internTable: ['a'] });
// @ts-expect-error: columns are no record batch
writeRecordBatch(new StrandWriter(strand), { x: [1] });

// A schema known only at run time.
const loose = readRecordBatch(new StrandView(strand.sab), 0, 1, { fields: ['anything'] });
expectTrue<Same<typeof loose, RecordBatch<TypeMap>>>();
expectTrue<Same<ArrowColumns<typeof strand.map.schema, 'x'>, { x: Float32 }>>();
