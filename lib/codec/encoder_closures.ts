import { HEAP_ABSENT_OFFSET } from '../constants.js';
import type { Stored } from './converters.js';
import type { Encoder, EncoderHelpers, Stash } from './encoder_helpers.js';
import { isInherited } from './inherited.js';
import type { FieldPlan } from './plan.js';
import { NO_ROOM, type Sink } from './sink.js';

/** Stores a scalar at a byte offset. */
type Put = (dv: DataView, at: number, value: Stored) => void;

function putWide(dv: DataView, at: number, value: Stored): void {
  dv.setBigUint64(at, BigInt.asUintN(64, BigInt(value as number | bigint)), true);
}

const PUTS: Readonly<Record<string, Put>> = {
  u8: (dv, at, v) => dv.setUint8(at, v as number),
  u16: (dv, at, v) => dv.setUint16(at, v as number, true),
  u32: (dv, at, v) => dv.setUint32(at, v as number, true),
  utf8_ref: (dv, at, v) => dv.setUint32(at, v as number, true),
  i8: (dv, at, v) => dv.setInt8(at, v as number),
  i16: (dv, at, v) => dv.setInt16(at, v as number, true),
  i32: (dv, at, v) => dv.setInt32(at, v as number, true),
  f32: (dv, at, v) => dv.setFloat32(at, v as number, true),
  f64: (dv, at, v) => dv.setFloat64(at, v as number, true),
  bool8: (dv, at, v) => dv.setUint8(at, v ? 1 : 0),
  u64: putWide,
  i64: putWide,
};

function putFixed(field: FieldPlan): Put {
  return (dv, at, value) => {
    const bytes = value as Uint8Array | 0;
    for (let i = 0; i < field.width; i++) dv.setUint8(at + i, bytes === 0 ? 0 : (bytes[i] ?? 0));
  };
}

/** Encoder made of closures: the same work, slower, for runtimes that do not generate code and for very wide schemas. */
export function closureEncoder(helpers: EncoderHelpers): Encoder {
  const { plan, convert } = helpers;
  const scalars = plan.fields.map((field) =>
    field.type.kind === 'fixed' ? putFixed(field) : PUTS[field.type.name],
  );

  const read = (record: unknown, index: number, stash: Stash): void => {
    if (typeof record !== 'object' || record === null) helpers.notARecord(record, index);
    stash.length = 0;
    plan.fields.forEach((field, i) => {
      const given = !isInherited(field.name) || Object.hasOwn(record, field.name);
      const value = given ? (record as Record<string, unknown>)[field.name] : undefined;
      stash.push(convert[i]?.(value, index) ?? null);
    });
  };

  const pointer = (sink: Sink, field: FieldPlan, offset: number, length: number): void => {
    const at = sink.slot + field.offset;
    sink.dv.setUint32(at, offset, true);
    if (field.width === 8) sink.dv.setUint32(at + 4, length, true);
    else sink.dv.setUint16(at + 4, length, true);
  };

  const payload = (sink: Sink, field: FieldPlan, value: Stored, at: number, index: number): number => {
    if (value === null) {
      pointer(sink, field, HEAP_ABSENT_OFFSET, 0);
      return at;
    }
    const { elementSize } = field.type;
    const start = Math.ceil(at / elementSize) * elementSize;
    const end =
      typeof value === 'string' ? sink.text(value, start) : sink.bytes(value as ArrayBufferView, start);
    if (end === NO_ROOM) return NO_ROOM;
    if (sink.length > field.maxPayload) helpers.tooLong(field.index, sink.length, index);
    pointer(sink, field, start - sink.heapStart, sink.length);
    return end;
  };

  const stashed = (sink: Sink, stash: Stash, index: number): boolean => {
    const { dv, slot } = sink;
    for (let byte = 0; byte < plan.bitmapBytes; byte++) dv.setUint8(slot + byte, 0);
    let heap = sink.heap;
    for (const field of plan.fields) {
      const value = stash[field.index] ?? null;
      if (value !== null && field.nullableBit >= 0) {
        const at = slot + (field.nullableBit >> 3);
        dv.setUint8(at, dv.getUint8(at) | (1 << (field.nullableBit & 7)));
      }
      if (field.type.elementSize > 0) {
        heap = payload(sink, field, value, heap, index);
        if (heap === NO_ROOM) return false;
      } else {
        scalars[field.index]?.(dv, slot + field.offset, value ?? 0);
      }
    }
    sink.heap = heap;
    return true;
  };

  const one = (sink: Sink, record: unknown, index: number, stash: Stash): boolean => {
    read(record, index, stash);
    return stashed(sink, stash, index);
  };

  const run: Encoder['run'] = (sink, records, from, count, ends, base, stash) => {
    for (let i = 0; i < count; i++) {
      if (!one(sink, records[from + i], from + i, stash)) return i;
      if (plan.needsHeap) ends[i] = sink.heap - base;
      sink.slot += plan.stride;
    }
    return count;
  };

  return { run, one, stashed };
}
