import { describeValue } from '../describe_value.js';

/** What the other side of a ring is told of anything that was thrown. */
export function reasonOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  // User code may give its errors a message of any kind.
  const message: unknown = thrown instanceof Error ? thrown.message : undefined;
  return typeof message === 'string' ? message : describeValue(thrown);
}
