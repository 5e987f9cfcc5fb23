// Compiled, never run: predicates follow from the schema.

import { type Bitset, buildSchema, createBitset, StrandView } from '../../dist/index.js';
import { expectTrue, type Same } from './expect_type.js';

const schema = buildSchema([
  { name: 'id', type: 'u32' },
  { name: 'big', type: 'u64', nullable: true },
  { name: 'score', type: 'f32', nullable: true },
  { name: 'ok', type: 'bool8' },
  { name: 'chrom', type: 'utf8_ref' },
  { name: 'label', type: 'utf8' },
]);

declare const sab: SharedArrayBuffer;
const view = new StrandView(sab, { schema });

const bits: Bitset = view.getFilterBitset('id', { kind: 'between', lo: 1, hi: 2 });
const extent: [number, number] = [bits.start, bits.count];
void extent;
view.getFilterBitset('big', { kind: 'between', lo: 1n, hi: 2 });
view.getFilterBitset('ok', { kind: 'eq', value: true });
view.getFilterBitset('chrom', { kind: 'eq', value: 'X' });
view.getFilterBitset('chrom', { kind: 'in', handles: new Set([1, 2]) });
view.getFilterBitset('chrom', { kind: 'in', handles: new Set(['X']) });
view.getFilterBitset({ score: { kind: 'eq', value: 1 }, chrom: { kind: 'in', handles: new Set([1]) } });
view.getFilterBitset({ score: undefined });

// @ts-expect-error text is not filtered
view.getFilterBitset('label', { kind: 'eq', value: 'a' });
// @ts-expect-error no such field
view.getFilterBitset('other', { kind: 'eq', value: 1 });
// @ts-expect-error a u32 field takes numbers
view.getFilterBitset('id', { kind: 'eq', value: 1n });
// @ts-expect-error a number is in no set of handles
view.getFilterBitset('id', { kind: 'in', handles: new Set([1]) });
// @ts-expect-error handles have no order
view.getFilterBitset('chrom', { kind: 'between', lo: 1, hi: 2 });
// @ts-expect-error the upper bound is missing
view.getFilterBitset('id', { kind: 'between', lo: 1 });
// @ts-expect-error text is not filtered
view.getFilterBitset({ label: { kind: 'eq', value: 'a' } });
// @ts-expect-error a bitset says what it stands for, and keeps to it
bits.start = 1;

const ranges = view.getConstrainedRanges(createBitset(1));
expectTrue<Same<keyof typeof ranges, 'id' | 'big' | 'score'>>();
export const least: number | undefined = ranges.id?.min;
export const most: bigint | undefined = ranges.big?.max;
// @ts-expect-error a field may have no values
export const certain: number = ranges.score.min;

const loose = new StrandView(sab);
declare const someName: string;
loose.getFilterBitset(someName, { kind: 'eq', value: 'x' });
loose.getFilterBitset({ [someName]: { kind: 'between', lo: 1n, hi: 2 } });
export const either: number | bigint | undefined = loose.getConstrainedRanges(bits)[someName]?.min;
// What knows its fields goes where any view does.
export const anyView: StrandView = view;
