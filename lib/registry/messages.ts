/** What members tell each other. Arrays, because every name would be sent along. */
export const Kind = {
  /** [kind, key, version, joins, writer, value] */
  VALUE: 0,
  /** [kind, key, version, joins, writer] */
  DELETED: 1,
  /** [kind, to, from, keys or null for all]: answers come through the lane from `to` to `from`. */
  ASK: 2,
  /** [kind, [key, version, value, …]] */
  VALUES: 3,
  /** [kind, from, keys]: what it had of them has been sent. */
  ANSWERED: 4,
  /** [kind, from]: all that was asked for has been sent. */
  END: 5,
  /** [kind, from]: listen to its lane. */
  OPEN: 6,
  /** [kind, to, from]: that is done. */
  OPENED: 7,
} as const;

export type Message =
  | readonly [typeof Kind.VALUE, key: number, version: number, joins: number, writer: number, value: unknown]
  | readonly [typeof Kind.DELETED, key: number, version: number, joins: number, writer: number]
  | readonly [typeof Kind.ASK, to: number, from: number, keys: readonly number[] | null]
  | readonly [typeof Kind.VALUES, entries: readonly unknown[]]
  | readonly [typeof Kind.ANSWERED, from: number, keys: readonly number[]]
  | readonly [typeof Kind.END, from: number]
  | readonly [typeof Kind.OPEN, from: number]
  | readonly [typeof Kind.OPENED, to: number, from: number];

/** In place of writer and joins: the version was published when it was sent. */
export const PUBLISHED = 0;
