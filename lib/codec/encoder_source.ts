import { HEAP_ABSENT_OFFSET } from '../constants.js';
import type { Encoder, EncoderHelpers } from './encoder_helpers.js';
import { quote, SourceCache } from './generate.js';
import { isInherited } from './inherited.js';
import type { FieldPlan, RecordPlan } from './plan.js';

type MakeEncoder = (helpers: EncoderHelpers, absent: number) => Encoder;

const cache = new SourceCache<MakeEncoder>();

/** Test that a number is stored as it is, for integer types up to 32 bits. */
const INTEGER_TEST: Readonly<Record<string, (v: string) => string>> = {
  u8: (v) => `(${v} & 0xff) === ${v}`,
  u16: (v) => `(${v} & 0xffff) === ${v}`,
  u32: (v) => `(${v} >>> 0) === ${v}`,
  utf8_ref: (v) => `(${v} >>> 0) === ${v}`,
  i8: (v) => `(${v} << 24 >> 24) === ${v}`,
  i16: (v) => `(${v} << 16 >> 16) === ${v}`,
  i32: (v) => `(${v} | 0) === ${v}`,
  u64: (v) => `Number.isSafeInteger(${v}) && ${v} >= 0`,
  i64: (v) => `Number.isSafeInteger(${v})`,
};

const SETTERS: Readonly<Record<string, string>> = {
  u8: 'setUint8',
  u16: 'setUint16',
  u32: 'setUint32',
  utf8_ref: 'setUint32',
  i8: 'setInt8',
  i16: 'setInt16',
  i32: 'setInt32',
  f32: 'setFloat32',
  f64: 'setFloat64',
};

/** Condition under which a value needs no conversion; undefined where it always does. */
function fastTest({ type }: FieldPlan, v: string): string | undefined {
  switch (type.kind) {
    case 'unsigned':
    case 'signed':
    case 'ref':
      return `typeof ${v} === 'number' && ${INTEGER_TEST[type.name]?.(v)}`;
    case 'float':
      return `typeof ${v} === 'number'`;
    case 'bool':
      return `typeof ${v} === 'boolean'`;
    case 'text':
      return `typeof ${v} === 'string'`;
    default:
      return undefined;
  }
}

function readField(field: FieldPlan): string {
  const v = `v${field.index}`;
  const fast = fastTest(field, v);
  const convert = `${v} = c${field.index}(${v}, index);`;
  const name = quote(field.name);
  const value = isInherited(field.name) ? `Object.hasOwn(r, ${name}) ? r[${name}] : undefined` : `r[${name}]`;
  return `let ${v} = ${value}; ${fast === undefined ? convert : `if (!(${fast})) ${convert}`}`;
}

function at(field: FieldPlan, more = 0): string {
  return `o + ${field.offset + more}`;
}

function putScalar(field: FieldPlan): string {
  const v = `v${field.index}`;
  const value = field.nullableBit >= 0 ? `(${v} === null ? 0 : ${v})` : v;
  if (field.type.kind === 'bool') return `dv.setUint8(${at(field)}, ${v} ? 1 : 0);`;
  const setter = SETTERS[field.type.name];
  if (setter !== undefined) return `dv.${setter}(${at(field)}, ${value}, true);`;
  const big = field.type.kind === 'signed' ? 'setBigInt64' : 'setBigUint64';
  return `if (typeof ${v} === 'bigint') dv.${big}(${at(field)}, ${v}, true);
    else { dv.setUint32(${at(field)}, ${value} >>> 0, true); dv.setInt32(${at(field, 4)}, Math.floor(${value} / 4294967296), true); }`;
}

function putFixed(field: FieldPlan): string {
  const v = `v${field.index}`;
  return `for (let i = 0; i < ${field.width}; i++) dv.setUint8(${at(field)} + i, ${v} === null ? 0 : ${v}[i]);`;
}

function putPointer(field: FieldPlan, offset: string, length: string): string {
  const setter = field.width === 8 ? 'setUint32' : 'setUint16';
  return `dv.setUint32(${at(field)}, ${offset}, true); dv.${setter}(${at(field, 4)}, ${length}, true);`;
}

function putPayload(field: FieldPlan): string {
  const v = `v${field.index}`;
  const align = field.type.elementSize > 1 ? `p += -p & ${field.type.elementSize - 1};` : '';
  const put = field.type.kind === 'array' ? 'bytes' : 'text';
  return `if (${v} === null) { ${putPointer(field, 'ABSENT', '0')} }
    else {
      ${align}
      const e = s.${put}(${v}, p);
      if (e < 0) return false;
      if (s.length > ${field.maxPayload}) h.tooLong(${field.index}, s.length, index);
      ${putPointer(field, 'p - s.heapStart', 's.length')}
      p = e;
    }`;
}

function putField(field: FieldPlan): string {
  if (field.type.elementSize > 0) return putPayload(field);
  return field.type.kind === 'fixed' ? putFixed(field) : putScalar(field);
}

function putBitmap(plan: RecordPlan): string {
  const bytes: string[] = [];
  for (let byte = 0; byte < plan.bitmapBytes; byte++) {
    const bits = plan.fields
      .filter((field) => field.nullableBit >> 3 === byte)
      .map((field) => `(v${field.index} === null ? 0 : ${1 << (field.nullableBit & 7)})`);
    bytes.push(`dv.setUint8(o + ${byte}, ${bits.join(' | ')});`);
  }
  return bytes.join('\n    ');
}

function source(plan: RecordPlan): string {
  const values = plan.fields.map((field) => `v${field.index}`).join(', ');
  const read = plan.fields.map(readField).join('\n    ');
  const converters = plan.fields
    .map((field) => `const c${field.index} = h.convert[${field.index}];`)
    .join('\n');
  return `'use strict';
${converters}
function put(s, index, ${values}) {
    const dv = s.dv, o = s.slot;
    ${plan.needsHeap ? 'let p = s.heap;' : ''}
    ${putBitmap(plan)}
    ${plan.fields.map(putField).join('\n    ')}
    ${plan.needsHeap ? 's.heap = p;' : ''}
    return true;
}
function one(s, r, index, stash) {
    if (typeof r !== 'object' || r === null) h.notARecord(r, index);
    ${read}
    if (put(s, index, ${values})) return true;
    stash.length = 0;
    stash.push(${values});
    return false;
}
function run(s, records, from, count, ends, base, stash) {
  for (let i = 0; i < count; i++) {
    const index = from + i, r = records[index];
    if (typeof r !== 'object' || r === null) h.notARecord(r, index);
    ${read}
    if (!put(s, index, ${values})) {
      stash.length = 0;
      stash.push(${values});
      return i;
    }
    ${plan.needsHeap ? 'ends[i] = s.heap - base;' : ''}
    s.slot += ${plan.stride};
  }
  return count;
}
function stashed(s, stash, index) {
  const [${values}] = stash;
  return put(s, index, ${values});
}
return { run, one, stashed };`;
}

/** Encoder whose code is made for the schema. */
export function generatedEncoder(helpers: EncoderHelpers): Encoder {
  const make = cache.get(
    helpers.plan.key,
    () => new Function('h', 'ABSENT', source(helpers.plan)) as MakeEncoder,
  );
  return make(helpers, HEAP_ABSENT_OFFSET);
}
