import { expect } from 'vitest';
import {
  createStrand,
  type FieldDescriptor,
  type RecordCursor,
  type SchemaOf,
  type Strand,
  type StrandOptions,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';

/** Both ends of a strand, in this thread. */
export interface Ends<D extends readonly FieldDescriptor[]> {
  readonly strand: Strand<SchemaOf<D>>;
  readonly writer: StrandWriter<SchemaOf<D>>;
  readonly view: StrandView<SchemaOf<D>>;
  readonly cursor: RecordCursor<SchemaOf<D>>;
}

/** A strand of few records, its writer, a view and a cursor. */
export function open<const D extends readonly FieldDescriptor[]>(
  fields: D,
  options: StrandOptions = {},
): Ends<D> {
  const strand = createStrand(fields, { indexCapacity: 8, ...options });
  const writer = new StrandWriter(strand);
  const view = new StrandView(strand);
  return { strand, writer, view, cursor: view.allocateCursor() };
}

/** Fields of strands whose records only have to be told apart. */
export const NUMBERED = [{ name: 'n', type: 'u32' }] as const;

export type Numbered = Ends<typeof NUMBERED>;

export function openNumbered(indexCapacity = 8): Numbered {
  return open(NUMBERED, { indexCapacity });
}

/** Records from `from` to `to` that bear their numbers. */
export function numbered(from: number, to: number): { n: number }[] {
  return Array.from({ length: to - from }, (_, i) => ({ n: from + i }));
}

interface NumberedReader {
  readonly view: { readonly committedCount: number };
  readonly cursor: { seek(seq: number): boolean; getU32(name: 'n'): number | null };
}

/** Numbers of the records from `from` to what is committed. */
export function numbersOf({ view, cursor }: NumberedReader, from = 0): unknown[] {
  return Array.from({ length: view.committedCount - from }, (_, i) => {
    expect(cursor.seek(from + i)).toBe(true);
    return cursor.getU32('n');
  });
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** What a call throws, which must be of this class and say this. */
export function expectThrown(run: () => unknown, type: ErrorClass, details: object = {}): Error {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject(details);
    return error as Error;
  }
  return expect.fail(`nothing was thrown, expected was a ${type.name}`);
}

/** The same of a promise. */
export async function expectRejected(promise: Promise<unknown>, type: ErrorClass, details: object = {}) {
  const error = await promise.then(
    () => expect.fail(`the promise was fulfilled, expected was a ${type.name}`),
    (reason: unknown) => reason,
  );
  expectThrown(
    () => {
      throw error;
    },
    type,
    details,
  );
}

/** Lets everything happen that only waits for its turn on this thread's loop. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The control words of a strand, by the `CTRL_*` indices. */
export class ControlWords {
  readonly #words: BigUint64Array;

  constructor({ sab }: { readonly sab: SharedArrayBuffer }) {
    this.#words = new BigUint64Array(sab);
  }

  /** A position. */
  get(index: number): number {
    return Number(this.#words[index / 2]);
  }

  set(index: number, value: number): void {
    this.#words[index / 2] = BigInt(value);
  }
}
