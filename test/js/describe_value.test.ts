import { describe, expect, test } from 'vitest';
import { describeValue } from '../../dist/describe_value.js';

/** An object whose every touch runs user code that throws. */
function hostile(): object {
  const refuse = () => {
    throw new Error('user code ran');
  };
  const traps = Object.fromEntries(
    ['get', 'has', 'getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor'].map((trap) => [trap, refuse]),
  );
  return new Proxy({}, traps);
}

function named(name: string): new () => object {
  return Object.defineProperty(class {}, 'name', { value: name });
}

function classWithThrowingName(): object {
  class Odd {}
  Object.defineProperty(Odd, 'name', {
    get() {
      throw new Error('user code ran');
    },
  });
  return new Odd();
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}

const throwing = {
  get [Symbol.toStringTag](): string {
    throw new Error('user code ran');
  },
  toString(): string {
    throw new Error('user code ran');
  },
};

describe('describeValue', () => {
  test.each([
    ['a string', 'a "quoted"\nline', '"a \\"quoted\\"\\nline"'],
    ['an empty string', '', '""'],
    ['a number', 1.5, '1.5'],
    ['negative zero', -0, '-0'],
    ['NaN', Number.NaN, 'NaN'],
    ['a bigint', -5n, '-5n'],
    ['a huge bigint', 1n << 1_000_000n, 'a bigint of more than 128 bits'],
    ['a boolean', false, 'false'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function', () => 0, 'a function'],
    ['an array', [1, 2], 'an array of 2'],
    ['a literal', { a: 1 }, 'an object'],
    ['an object without a prototype', Object.create(null), 'an object'],
    ['a typed array', new Int32Array(2), 'an object of class Int32Array'],
    ['an instance', new Map(), 'an object of class Map'],
    ['a proxy', hostile(), 'a proxy'],
    ['a revoked proxy', revoked(), 'a proxy'],
    ['an object whose prototype is a proxy', Object.create(hostile()), 'an object'],
    ['a class whose name throws', classWithThrowingName(), 'an object'],
    ['an object whose conversions throw', throwing, 'an object'],
  ])('shows %s without running its code', (_, value, shown) => {
    expect(describeValue(value)).toBe(shown);
  });

  test.each([
    ['string', 'x'.repeat(1_000_000)],
    ['symbol', Symbol('x'.repeat(1_000_000))],
    ['class name', new (named('x'.repeat(1_000_000)))()],
  ])('stays short for a long %s', (_, value) => {
    expect(describeValue(value).length).toBeLessThan(100);
  });

  test('tells the length of a string that it cuts', () => {
    expect(describeValue('x'.repeat(70))).toMatch(/^"x+…" \(70 characters\)$/);
  });
});
