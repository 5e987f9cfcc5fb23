import { types } from 'node:util';

const MAX_TEXT = 48;
/** Printing a bigint takes time quadratic in its length; past this only its size class is told. */
const MAX_BIGINT = 1n << 128n;

function shorten(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}

function describeString(value: string): string {
  const quoted = JSON.stringify(shorten(value));
  return value.length <= MAX_TEXT ? quoted : `${quoted} (${value.length} characters)`;
}

function describeBigint(value: bigint): string {
  return value < MAX_BIGINT && value > -MAX_BIGINT ? `${value}n` : 'a bigint of more than 128 bits';
}

/** Name of the class that made an object, read without running a getter or a proxy's trap. */
function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== 'object' || prototype === null || types.isProxy(prototype)) return undefined;
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof made !== 'function' || types.isProxy(made)) return undefined;
  const name: unknown = Object.getOwnPropertyDescriptor(made, 'name')?.value;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? shorten(name) : undefined;
}

function describeObject(value: object): string {
  if (types.isProxy(value)) return 'a proxy';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name = className(value);
  return name === undefined ? 'an object' : `an object of class ${name}`;
}

/**
 * A value as an error message shows it: short, whatever its size, and without running any code of the value's
 * (getters, `toString`, `inspect`, proxy traps), so that it never throws.
 */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return describeString(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : `${value}`;
    case 'bigint':
      return describeBigint(value);
    case 'symbol':
      return shorten(Symbol.prototype.toString.call(value));
    case 'object':
      return value === null ? 'null' : describeObject(value);
    case 'function':
      return describeObject(value);
    default:
      return `${value}`;
  }
}
