import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { refusePromise } from './fault.js';
import type { LogFrame } from './frame_reader.js';
import type { AgentFrame, Decoder } from './types.js';

/** A frame on its way. */
export interface PendingFrame<P> {
  readonly frame: AgentFrame<P>;
  readonly from: number;
  readonly to: number;
  /** Of the frame in the log. */
  readonly bytes: number;
}

/** @throws whatever the decoder throws or returns as its error, or what is wrong with what it returns */
export function decode<P>(decoder: Decoder<P>, { bytes, from, to }: LogFrame): PendingFrame<P> {
  const result: unknown = decoder(bytes);
  refusePromise('the decoder', result);
  const { ok, frame, error } = objectOf(result, '{ ok, frame } or { ok, error }') as {
    ok?: unknown;
    frame?: unknown;
    error?: unknown;
  };
  if (ok !== true) throw error ?? argumentError('the decoder said that a frame is not ok, and gave no error');
  const { payload, raw, timestamp } = objectOf(frame, 'a frame { payload, raw, timestamp }') as AgentFrame<P>;
  if (timestamp !== undefined && typeof timestamp !== 'bigint' && !Number.isFinite(timestamp)) {
    throw argumentError(
      `the decoder's timestamp is in milliseconds, a number or a bigint, got ${describeValue(timestamp)}`,
    );
  }
  return {
    frame: { payload, raw: raw ?? bytes, timestamp, cursor: BigInt(from) },
    from,
    to,
    bytes: bytes.length,
  };
}

function objectOf(value: unknown, expected: string): object {
  if (typeof value === 'object' && value !== null) return value;
  throw argumentError(`the decoder returns ${expected}, got ${describeValue(value)}`);
}
