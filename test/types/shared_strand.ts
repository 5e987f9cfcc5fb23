// Compiled, never run: what a strand in a file takes and gives.

import { buildSchema, type RecordOf, StrandView, StrandWriter } from '../../dist/index.js';
import { openSharedStrand, type SharedStrand, type SharedStrandOptions } from '../../dist/log.js';
import { expectTrue, type Same } from './expect_type.js';

const schema = buildSchema([
  { name: 'id', type: 'u32' },
  { name: 'label', type: 'utf8', nullable: true },
]);
const strand = openSharedStrand('/dev/shm/labels', { schema, indexCapacity: 64 });
expectTrue<Same<typeof strand, SharedStrand<typeof schema>>>();
const fromFields = openSharedStrand(new URL('file:///dev/shm/n'), { schema: [{ name: 'n', type: 'f64' }] });
const loose: SharedStrand = openSharedStrand('labels');

const writer = new StrandWriter(strand);
writer.write({ id: 1, label: null });
// @ts-expect-error: no such field
writer.write({ id: 1, name: 'one' });
new StrandWriter(fromFields).write({ n: 1 });
const view = new StrandView(strand);
const cursor = view.allocateCursor();
export const label: string | null = cursor.getString('label');
// @ts-expect-error: a number's accessor for a text
cursor.getU32('label');
export const typed = new StrandView(loose, { schema }).allocateCursor().getString('label');

const options: SharedStrandOptions = {
  schema,
  meta: { made: 'here' },
  internTable: ['a'],
  estimatedRecords: 3,
};
openSharedStrand('labels', options);
// @ts-expect-error: not an option of a strand
openSharedStrand('labels', { schema, capacityBytes: 5 });
export type Labelled = RecordOf<typeof schema>;
