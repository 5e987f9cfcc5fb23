import { describe, expect, test } from 'vitest';
import {
  argumentError,
  noteRecordsWritten,
  rangeError,
  valueCapacityError,
  valueRangeError,
  valueTypeError,
} from '../../dist/errors.js';
import {
  StrandAbortError,
  StrandBusyError,
  StrandCapacityError,
  StrandClosedError,
  StrandError,
  StrandFencedError,
  StrandHeaderError,
  StrandResetError,
} from '../../dist/index.js';

const classes = [
  ['StrandHeaderError', StrandHeaderError, 'ERR_STRAND_HEADER'],
  ['StrandCapacityError', StrandCapacityError, 'ERR_STRAND_CAPACITY'],
  ['StrandAbortError', StrandAbortError, 'ERR_STRAND_ABORTED'],
  ['StrandFencedError', StrandFencedError, 'ERR_STRAND_FENCED'],
  ['StrandBusyError', StrandBusyError, 'ERR_STRAND_BUSY'],
  ['StrandResetError', StrandResetError, 'ERR_STRAND_RESET'],
  ['StrandClosedError', StrandClosedError, 'ERR_STRAND_CLOSED'],
] as const;

describe.each(classes)('%s', (name, ErrorClass, code) => {
  test('is a StrandError with its name and code', () => {
    const error = new ErrorClass('what went wrong');
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error).toBeInstanceOf(StrandError);
    expect(error).toBeInstanceOf(Error);
    expect({ name: error.name, code: error.code, message: error.message }).toEqual({
      name,
      code,
      message: 'what went wrong',
    });
    expect(error.stack).toMatch(new RegExp(`^${name}: what went wrong\\n`));
  });

  test('has the details that it was given and no others', () => {
    expect(Object.keys(new ErrorClass('bare'))).toEqual(['code']);
    const cause = new Error('why');
    const details = { field: 'score', record: 0, recordsWritten: 0, reason: '' };
    const error = new ErrorClass('full', { ...details, cause });
    expect({ ...error }).toEqual({ code, ...details });
    expect(error.cause).toBe(cause);
  });
});

test('no two classes share a code', () => {
  expect(new Set(classes.map(([, , code]) => code)).size).toBe(classes.length);
});

test('a StrandError takes any of the codes', () => {
  const error = new StrandError('ERR_STRAND_REENTRANT', 'nested');
  expect(error).toMatchObject({ name: 'StrandError', code: 'ERR_STRAND_REENTRANT', message: 'nested' });
});

describe('argument errors', () => {
  test.each([
    ['TypeError', argumentError('wrong', { field: 'a' }), TypeError, 'ERR_STRAND_INVALID_ARGUMENT'],
    ['RangeError', rangeError('wrong', { field: 'a' }), RangeError, 'ERR_STRAND_OUT_OF_RANGE'],
  ])('are a %s with a code', (name, error, ErrorClass, code) => {
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error).not.toBeInstanceOf(StrandError);
    expect({ ...error, name: error.name }).toEqual({ code, field: 'a', name });
  });

  test.each([
    ['type', valueTypeError, TypeError],
    ['range', valueRangeError, RangeError],
  ])('of a value name field, record, what is expected and what came (%s)', (_, make, ErrorClass) => {
    const error = make('age', 3, 'an integer from 0 to 255', 300);
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error).toMatchObject({ field: 'age', record: 3 });
    expect(error.message).toBe("field 'age' of record 3 takes an integer from 0 to 255, got 300");
  });

  test('of a value stay short, whatever the name and the value', () => {
    const { message, field } = valueTypeError('n'.repeat(1e6), 0, 'a number', 'v'.repeat(1e6));
    expect(message.length).toBeLessThan(250);
    expect(field).toHaveLength(1e6);
  });

  test('of a length name the limit and the remedy', () => {
    const error = valueCapacityError('label', 7, 70_000, '65535 bytes: use large_utf8');
    expect(error).toBeInstanceOf(StrandCapacityError);
    expect(error).toMatchObject({ field: 'label', record: 7 });
    expect(error.message).toBe(
      "field 'label' of record 7 takes 70000 bytes, the limit is 65535 bytes: use large_utf8",
    );
  });
});

describe('noteRecordsWritten', () => {
  test('adds the count to an error, also to one of user code', () => {
    const error = new Error('from a getter');
    noteRecordsWritten(error, 12);
    expect(error).toMatchObject({ recordsWritten: 12 });
  });

  test.each([
    ['a string', 'thrown'],
    ['null', null],
    ['undefined', undefined],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['a proxy that refuses', new Proxy({}, { set: () => false })],
  ])('leaves %s as it is', (_, thrown) => {
    expect(() => noteRecordsWritten(thrown, 12)).not.toThrow();
    expect(Object.keys(Object(thrown))).not.toContain('recordsWritten');
  });
});
