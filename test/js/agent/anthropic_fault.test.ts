import * as sdk from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { anthropicFault, retryAfterMillis } from '../../../dist/agent/anthropic_fault.js';

describe('retryAfterMillis', () => {
  const now = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT');
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after': '-2' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT' }, 60_000],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:49:00 GMT' }, undefined],
    [{ 'retry-after-ms': '350' }, 350],
    [{ 'retry-after-ms': '350', 'retry-after': '2' }, 350],
    [{ 'retry-after-ms': '', 'retry-after': '2' }, 2000],
    [{ 'retry-after-ms': 'soon', 'retry-after': '2' }, 2000],
    [{ 'retry-after-ms': '-1', 'retry-after': '2' }, 2000],
  ])('of %j is %j', (headers, expected) => {
    expect(retryAfterMillis(new Headers(headers), now)).toBe(expected);
  });

  test('of no headers is nothing', () => {
    expect(retryAfterMillis(undefined)).toBeUndefined();
  });
});

describe('anthropicFault', () => {
  const withCode = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });
  const connection = (cause: Error) => new sdk.APIConnectionError({ cause });
  const several = (...errors: Error[]) => Object.assign(new AggregateError(errors), { code: 'ETIMEDOUT' });
  const loop = new Error('its own cause');
  loop.cause = loop;

  test.each<[string, Error, boolean]>([
    ['a name that is not found', withCode('ENOTFOUND'), false],
    ['a connection that took too long', withCode('ETIMEDOUT', { syscall: 'connect' }), false],
    ['an answer that took too long', withCode('ETIMEDOUT', { syscall: 'read' }), true],
    ['a certificate that is out of date', withCode('CERT_HAS_EXPIRED'), false],
    ['the certificate of another', withCode('ERR_TLS_CERT_ALTNAME_INVALID'), false],
    ['a connection that was reset', withCode('ECONNRESET', { syscall: 'read' }), true],
    [
      'several addresses without a connection',
      several(withCode('ETIMEDOUT', { syscall: 'connect' }), withCode('ENETUNREACH')),
      false,
    ],
    [
      'several addresses, one of which had one',
      several(withCode('ENETUNREACH'), withCode('ECONNRESET')),
      true,
    ],
    ['no addresses', several(), true],
    ['an error that causes itself', loop, true],
  ])('%s', (_, cause, inDoubt) => {
    expect(anthropicFault(connection(cause), sdk, false)).toStrictEqual({
      retryable: true,
      inDoubt,
      unsent: !inDoubt,
    });
    const deeper = connection(new TypeError('fetch failed', { cause }));
    expect(anthropicFault(deeper, sdk, false)).toStrictEqual({ retryable: true, inDoubt, unsent: !inDoubt });
  });

  test.each([
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
  ])('%s: nothing was sent', (code) => {
    const error = connection(withCode(code));
    expect(anthropicFault(error, sdk, false)).toStrictEqual({
      retryable: true,
      inDoubt: false,
      unsent: true,
    });
  });

  test('a port that fetch refuses is refused for each prompt', () => {
    const error = connection(new TypeError('fetch failed', { cause: new Error('bad port') }));
    expect(anthropicFault(error, sdk, false)).toStrictEqual({ fatal: true });
  });

  test('whoever has to pay has to for each prompt', () => {
    const billing = [
      { type: 'error', error: { type: 'billing_error', message: 'pay' } },
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'Your credit balance is too low to' },
      },
    ];
    for (const body of billing) {
      const error = sdk.APIError.generate(400, body, undefined, new Headers());
      expect(anthropicFault(error, sdk, true)).toMatchObject({ retryable: false, fatal: true });
    }
  });

  test('what is thrown before anything is sent would be thrown for each prompt', () => {
    expect(anthropicFault(new Error('no key'), sdk, false)).toStrictEqual({ fatal: true });
    expect(anthropicFault(new TypeError('no header'), sdk, false)).toStrictEqual({ fatal: true });
    expect(anthropicFault(new sdk.AnthropicError('no'), sdk, false)).toStrictEqual({ fatal: true });
    expect(anthropicFault(undefined, sdk, false)).toStrictEqual({ fatal: true });
  });

  test('what is thrown behind the headers of an answer is about its body', () => {
    expect(anthropicFault(new TypeError('terminated'), sdk, true)).toStrictEqual({
      retryable: true,
      inDoubt: true,
    });
  });
});
