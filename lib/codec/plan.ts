import { native } from '../native.js';
import type { NativeFieldType, NativeHeader } from '../native_types.js';

/** One field as the codec needs it. */
export interface FieldPlan {
  readonly index: number;
  readonly name: string;
  readonly type: NativeFieldType;
  readonly offset: number;
  readonly width: number;
  /** −1 where the field is not nullable. */
  readonly nullableBit: number;
  /** Bytes that a payload may have; 0 without one. */
  readonly maxPayload: number;
}

/** A schema and the place of its slots as the codec needs them. Equal keys mean equal generated code. */
export interface RecordPlan {
  readonly fields: readonly FieldPlan[];
  readonly stride: number;
  /** Byte offset of the first slot, and capacity − 1. */
  readonly header: number;
  readonly mask: number;
  readonly bitmapBytes: number;
  readonly needsHeap: boolean;
  /** Largest alignment of a payload. */
  readonly alignment: number;
  readonly key: string;
}

const NUMBERS_PER_FIELD = 5;
const NARROW_POINTER_LIMIT = 0xffff;
const WIDE_POINTER_LIMIT = 0xfffffffe;
const WIDE_POINTER_WIDTH = 8;

/** Makes the plan of a header that the core has validated. */
export function planOf(header: NativeHeader): RecordPlan {
  const fields = header.names.map((name, index): FieldPlan => {
    const at = index * NUMBERS_PER_FIELD;
    const [tag = 0, , offset = 0, width = 0, nullableBit = -1] = header.fields.subarray(
      at,
      at + NUMBERS_PER_FIELD,
    );
    const type = native.fieldTypes[tag - 1] as NativeFieldType;
    const pointerLimit = width === WIDE_POINTER_WIDTH ? WIDE_POINTER_LIMIT : NARROW_POINTER_LIMIT;
    return {
      index,
      name,
      type,
      offset,
      width,
      nullableBit,
      maxPayload: type.elementSize > 0 ? pointerLimit : 0,
    };
  });
  const nullable = fields.filter((field) => field.nullableBit >= 0).length;
  const { headerSize, indexCapacity } = header.geometry;
  return {
    fields,
    stride: header.stride,
    header: headerSize,
    mask: indexCapacity - 1,
    bitmapBytes: Math.ceil(nullable / 8),
    needsHeap: fields.some((field) => field.type.elementSize > 0),
    alignment: fields.reduce((most, field) => Math.max(most, field.type.elementSize), 1),
    key: JSON.stringify([
      headerSize,
      indexCapacity,
      header.stride,
      fields.map((f) => [f.name, f.type.tag, f.offset, f.width, f.nullableBit]),
    ]),
  };
}
