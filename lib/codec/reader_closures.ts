import { CTRL_EPOCH, CTRL_GATE } from '../constants.js';
import { ACCESSOR_NAMES, ACCESSORS, ARRAY_CLASSES, type CursorBase, type CursorClass } from './accessors.js';
import type { FieldPlan, RecordPlan } from './plan.js';
import type { ReadWindow } from './read_window.js';
import type { RecordSource } from './record_source.js';

type Read = () => unknown;

type CursorConstructor = new (
  window: unknown,
) => RecordSource & {
  readonly window: ReadWindow;
  seekSlow(seq: number): boolean;
};

function readPresent(field: FieldPlan, s: RecordSource): Read {
  const { offset, width, type } = field;
  switch (type.name) {
    case 'u8':
      return () => s.dv.getUint8(s.at + offset);
    case 'u16':
      return () => s.dv.getUint16(s.at + offset, true);
    case 'u32':
      return () => s.dv.getUint32(s.at + offset, true);
    case 'u64':
      return () => s.dv.getBigUint64(s.at + offset, true);
    case 'i8':
      return () => s.dv.getInt8(s.at + offset);
    case 'i16':
      return () => s.dv.getInt16(s.at + offset, true);
    case 'i32':
      return () => s.dv.getInt32(s.at + offset, true);
    case 'i64':
      return () => s.dv.getBigInt64(s.at + offset, true);
    case 'f32':
      return () => s.dv.getFloat32(s.at + offset, true);
    case 'f64':
      return () => s.dv.getFloat64(s.at + offset, true);
    case 'bool8':
      return () => s.dv.getUint8(s.at + offset) !== 0;
    case 'utf8_ref':
      return () => s.internTable?.[s.dv.getUint32(s.at + offset, true)] ?? null;
    case 'fixed_bytes':
      return () => s.fixed(s.at + offset, width);
  }
  const column = s.columns[field.index];
  if (column !== undefined) return type.kind === 'json' ? () => column.json() : () => column.text();
  const make = ARRAY_CLASSES[type.name as keyof typeof ARRAY_CLASSES];
  return () => s.array<unknown>(s.at + offset, width === 8, type.elementSize, make);
}

function readField(field: FieldPlan, s: RecordSource): Read {
  const read = readPresent(field, s);
  const { nullableBit } = field;
  if (nullableBit < 0) return () => (s.at < 0 ? null : read());
  const byte = nullableBit >> 3;
  const bit = 1 << (nullableBit & 7);
  return () => (s.at < 0 || (s.dv.getUint8(s.at + byte) & bit) === 0 ? null : read());
}

/** What reads the record of one source, by field names. */
function readers(plan: RecordPlan, source: RecordSource): object {
  const reads = new Map(plan.fields.map((field) => [field.name, { field, read: readField(field, source) }]));
  const row = Object.create(null) as object;
  for (const [name, { read }] of reads) Object.defineProperty(row, name, { get: read, enumerable: true });
  const accessors = ACCESSOR_NAMES.map((accessor) => [
    accessor,
    (name: string) => {
      const entry = reads.get(name);
      return entry !== undefined && ACCESSORS[entry.field.type.name] === accessor ? entry.read() : null;
    },
  ]);
  return {
    ...Object.fromEntries(accessors),
    row,
    get: (name: string) => reads.get(name)?.read() ?? null,
    toObject: () => {
      const object: Record<string, unknown> = {};
      for (const [name, { read }] of reads) {
        Object.defineProperty(object, name, {
          value: read(),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return object;
    },
  };
}

/** Cursor class made of closures: the same work, slower, where no code is generated, and for very wide schemas. */
export function closureCursor(plan: RecordPlan, base: CursorBase): CursorClass {
  return class extends (base as CursorConstructor) {
    constructor(window: unknown) {
      super(window);
      Object.assign(this, readers(plan, this));
    }

    seek(seq: number): boolean {
      const { window } = this;
      if (
        Number.isInteger(seq) &&
        seq >= window.safe &&
        seq < window.committed &&
        window.words[CTRL_EPOCH] === window.epoch &&
        window.words[CTRL_GATE] === window.gate
      ) {
        if (this.isCopy) this.useRing();
        this.seq = seq;
        this.at = plan.header + (seq & plan.mask) * plan.stride;
        return true;
      }
      return this.seekSlow(seq);
    }
  };
}
