export interface Random {
  /** An unsigned 32-bit number. */
  next(): number;
  /** An integer from 0 to `limit` − 1. */
  below(limit: number): number;
  /** An integer, both ends included. */
  between(from: number, to: number): number;
  pick<T>(list: readonly T[]): T;
}

export function seeded(seed: number): Random;
