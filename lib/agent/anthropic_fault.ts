import type * as Sdk from '@anthropic-ai/sdk';
import type { PromptFault } from './types.js';

const MILLIS = 1000;

/** Another attempt may go better, as with 500 and above. */
const TRANSIENT = new Set([408, 409, 429]);
/** Who asks is not let in, has to pay, or asks for a model that there is not: no other prompt would go better. */
const FATAL = new Set([401, 402, 403, 404]);
/** Somebody on the way has not waited for the answer, or has not understood it; 520 and 524 are Cloudflare's. */
const LOST = new Set([408, 502, 504, 520, 524]);
/** No connection, one to what speaks no TLS, or to a service whose certificate is not trusted: nothing has been sent. */
const UNCONNECTED = new RegExp(
  `^(${[
    'ECONNREFUSED|ENOTFOUND|EAI_\\w+|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT',
    'ERR_SSL_(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|PACKET_LENGTH_TOO_LONG|\\w*(HANDSHAKE|CERTIFICATE|CIPHER|ALERT)\\w*)',
    '(CERT|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT)_\\w+',
    'HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED',
  ].join('|')})$`,
);
const MAX_CAUSES = 10;

/**
 * What an error of the SDK says of another attempt.
 *
 * @param hasHeaders whether the headers of an answer had come: what goes wrong then is its body
 */
export function anthropicFault(
  error: unknown,
  { APIError, APIConnectionError }: typeof Sdk,
  hasHeaders: boolean,
): PromptFault {
  if (error instanceof APIConnectionError) {
    // A port that fetch refuses, and would for each prompt.
    if (isCausedBy(error, ({ message }) => message === 'bad port')) return { fatal: true };
    const unsent = isUnconnected(error);
    return { retryable: true, inDoubt: !unsent, unsent };
  }
  if (error instanceof APIError && typeof error.status === 'number') {
    const { status, headers } = error;
    const retryAfterMs = retryAfterMillis(headers);
    return {
      retryable: TRANSIENT.has(status) || status >= 500,
      inDoubt: LOST.has(status),
      fatal: FATAL.has(status) || isBilling(error),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }
  if (hasHeaders) return { retryable: true, inDoubt: true };
  // The rest is thrown before anything is sent: there is no key.
  return { fatal: true };
}

/** Also told by 400. */
function isBilling({ error, message }: { error?: unknown; message: string }): boolean {
  const { type } = ((error as { error?: unknown } | undefined)?.error ?? {}) as { type?: unknown };
  return type === 'billing_error' || /credit balance is too low/i.test(message);
}

function isCausedBy(error: unknown, holds: (cause: Error) => boolean): boolean {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    if (holds(cause)) return true;
    cause = cause.cause;
  }
  return false;
}

/** Of an error, or of what has caused it. Where several addresses were tried each has its own. */
function isUnconnected(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_CAUSES) return false;
  const { code, syscall, errors, cause } = error as Record<string, unknown>;
  if (UNCONNECTED.test(String(code)) || syscall === 'connect') return true;
  if (Array.isArray(errors) && errors.length > 0)
    return errors.every((each) => isUnconnected(each, depth + 1));
  return isUnconnected(cause, depth + 1);
}

/** Source: RFC 9110, 10.2.3, and the header `retry-after-ms` that the SDK knows besides. */
export function retryAfterMillis(headers: Headers | undefined, now = Date.now()): number | undefined {
  const inMillis = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (inMillis >= 0) return inMillis;
  const text = headers?.get('retry-after') ?? '';
  const seconds = Number(text.trim() === '' ? Number.NaN : text);
  if (seconds >= 0) return seconds * MILLIS;
  // Date.parse() makes a date of nearly everything.
  const until = text.endsWith(' GMT') ? Date.parse(text) - now : Number.NaN;
  return until >= 0 ? until : undefined;
}
