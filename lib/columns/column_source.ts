import type { NumberArray } from './types.js';

/** Forms in which the core takes a column, and the bit that says of a column that validity bits come with it. */
export const Form = { LEFT_OUT: 0, VALUES: 1, PACKED: 2, LIST: 3, HAS_VALIDITY: 4 } as const;

/** One column as the core takes it. What it refers to is private, or measured again by the core before it is used. */
export interface ColumnSource {
  readonly form: number;
  /** What `form` says: a typed array, or a list of them. Of texts undefined: their bytes lie with all others'. */
  readonly values?: NumberArray | readonly (ArrayBufferView | undefined)[] | undefined;
  readonly offsets?: Int32Array | undefined;
  readonly validity?: Uint32Array | undefined;
  /** Records, as it is now: a typed array may shrink until all user code has run. */
  length(): number;
}

/** Bits that are 1 where a value is present, made with the first one that is not. */
export class ValidityBuilder {
  readonly #length: number;
  #bits: Uint32Array | undefined;

  /** @param given bits that say so already, and are changed; values behind them are left out */
  constructor(length: number, given: Uint32Array | undefined) {
    this.#length = length;
    this.#bits = given;
  }

  get bits(): Uint32Array | undefined {
    return this.#bits;
  }

  isAbsent(index: number): boolean {
    return this.#bits !== undefined && ((this.#bits[index >> 5] ?? 0) & (1 << (index & 31))) === 0;
  }

  remove(index: number): void {
    this.#bits ??= new Uint32Array(Math.ceil(this.#length / 32)).fill(0xffffffff);
    this.#bits[index >> 5] = (this.#bits[index >> 5] as number) & ~(1 << (index & 31));
  }
}
