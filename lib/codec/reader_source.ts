import { CTRL_EPOCH, CTRL_GATE } from '../constants.js';
import { ACCESSOR_NAMES, ACCESSORS, ARRAY_CLASSES, type CursorBase, type CursorClass } from './accessors.js';
import { quote, SourceCache } from './generate.js';
import type { FieldPlan, RecordPlan } from './plan.js';

const cache = new SourceCache<CursorClass>();

const GETTERS: Readonly<Record<string, string>> = {
  u8: 'getUint8',
  u16: 'getUint16',
  u32: 'getUint32',
  u64: 'getBigUint64',
  i8: 'getInt8',
  i16: 'getInt16',
  i32: 'getInt32',
  i64: 'getBigInt64',
  f32: 'getFloat32',
  f64: 'getFloat64',
};

/** Expression that reads a field of a record that is there and present. */
function readPresent(field: FieldPlan): string {
  const { type, offset } = field;
  const at = `s.at + ${offset}`;
  switch (type.kind) {
    case 'bool':
      return `s.dv.getUint8(${at}) !== 0`;
    case 'ref':
      return `(s.internTable?.[s.dv.getUint32(${at}, true)] ?? null)`;
    case 'text':
      return `s.columns[${field.index}].text()`;
    case 'json':
      return `s.columns[${field.index}].json()`;
    case 'fixed':
      return `s.fixed(${at}, ${field.width})`;
    case 'array':
      return `s.array(${at}, ${field.width === 8}, ${type.elementSize}, arrays.${type.name})`;
    default:
      return `s.dv.${GETTERS[type.name]}(${at}, true)`;
  }
}

function readField(field: FieldPlan): string {
  const { nullableBit } = field;
  const present = readPresent(field);
  const valid = `(s.dv.getUint8(s.at + ${nullableBit >> 3}) & ${1 << (nullableBit & 7)}) === 0 ? null : ${present}`;
  // A call that never happens is no value to the engine, so that numbers stay unboxed; a literal null would not be.
  return `s.at < 0 ? s.nothing() : ${nullableBit < 0 ? present : valid}`;
}

function accessor(name: string, fields: readonly FieldPlan[]): string {
  const cases = fields.map((field) => `case ${quote(field.name)}: return ${readField(field)};`);
  return `${name}(name) { const s = this; switch (name) { ${cases.join('\n    ')} } return null; }`;
}

function source(plan: RecordPlan): string {
  const accessors = ACCESSOR_NAMES.map((name) =>
    accessor(
      name,
      plan.fields.filter((field) => ACCESSORS[field.type.name] === name),
    ),
  );
  const getters = plan.fields.map(
    (field) => `get [${quote(field.name)}]() { const s = this.#s; return ${readField(field)}; }`,
  );
  const members = plan.fields.map((field) => `[${quote(field.name)}]: ${readField(field)}`);
  return `'use strict';
// The private name keeps clear of any field's.
class Row {
  #s;
  constructor(s) {
    this.#s = s;
    for (const [name, property] of properties) Object.defineProperty(this, name, property);
  }
  ${getters.join('\n  ')}
}
// Own properties, which a spread, JSON and the console show; and no others, whatever a name is.
const properties = Object.entries(Object.getOwnPropertyDescriptors(Row.prototype))
  .filter(([, { get }]) => get !== undefined)
  .map(([name, { get }]) => [name, { get, enumerable: true }]);
for (const name of Reflect.ownKeys(Row.prototype)) delete Row.prototype[name];
Object.setPrototypeOf(Row.prototype, null);
return class extends Base {
  constructor(window) {
    super(window);
    this.row = new Row(this);
  }
  seek(seq) {
    const w = this.window;
    const words = w.words;
    if (Number.isInteger(seq) && seq >= w.safe && seq < w.committed
      && words[${CTRL_EPOCH}] === w.epoch && words[${CTRL_GATE}] === w.gate) {
      if (this.isCopy) this.useRing();
      this.seq = seq;
      this.at = ${plan.header} + (seq & ${plan.mask}) * ${plan.stride};
      return true;
    }
    return this.seekSlow(seq);
  }
  ${accessors.join('\n  ')}
  ${accessor('get', plan.fields)}
  toObject() { const s = this; return { ${members.join(',\n    ')} }; }
};`;
}

/** Cursor class whose code is made for the schema. */
export function generatedCursor(plan: RecordPlan, base: CursorBase): CursorClass {
  return cache.get(
    plan.key,
    () => new Function('Base', 'arrays', source(plan))(base, ARRAY_CLASSES) as CursorClass,
  );
}
