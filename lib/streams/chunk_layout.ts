import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import type { StrandMap } from '../strand_map.js';

/** How chunks become records. */
export interface ChunkLayout<T> {
  /** The records of several chunks, in order. Throws for a chunk of the wrong kind, with its first record's index. */
  recordsOf(chunks: readonly T[]): readonly object[];
  /** The record that a chunk is, good until `forget`; undefined where it is none, several, or of the wrong kind. */
  recordOf(chunk: T): object | undefined;
  /** Lets go of the chunk that `recordOf` was given: it would live as long as the stream is idle. */
  forget(): void;
  /** How many records a chunk is. */
  lengthOf(chunk: T): number;
}

/** Each chunk is a record. */
export const recordLayout: ChunkLayout<object> = {
  recordsOf(chunks) {
    const record = chunks.findIndex((chunk) => Array.isArray(chunk));
    if (record >= 0) {
      throw argumentError('this stream takes one record a write, got an array: create it with batch: true', {
        record,
      });
    }
    return chunks;
  },
  recordOf: (chunk) => (Array.isArray(chunk) ? undefined : chunk),
  forget: () => {},
  lengthOf: () => 1,
};

/** Each chunk is an array of records. */
export const batchLayout: ChunkLayout<readonly object[]> = {
  recordsOf(chunks) {
    const [first] = chunks;
    if (chunks.length === 1 && Array.isArray(first)) return first;
    const wrong = chunks.findIndex((chunk) => !Array.isArray(chunk));
    if (wrong >= 0) {
      throw argumentError(
        `this stream takes arrays of records (batch: true), got ${describeValue(chunks[wrong])}`,
        {
          record: chunks.slice(0, wrong).reduce((sum, chunk) => sum + chunk.length, 0),
        },
      );
    }
    return chunks.flat();
  },
  recordOf: () => undefined,
  forget: () => {},
  lengthOf: (chunk) => (Array.isArray(chunk) ? chunk.length : 1),
};

/** Each chunk is the value of one field; the others are left out. */
export function fieldLayout(name: string): ChunkLayout<unknown> {
  const only: Record<string, unknown> = { [name]: undefined };
  return {
    recordsOf: (chunks) => chunks.map((value) => ({ [name]: value })),
    recordOf(value) {
      only[name] = value;
      return only;
    },
    forget() {
      only[name] = undefined;
    },
    lengthOf: () => 1,
  };
}

/** A chunk of bytes takes this part of the heap at most, so that both sides work at once. */
const HEAP_PARTS = 4;
const MOST_IN_BYTES = 65_535;

/** Bytes that one record of a stream of bytes holds at most. */
export function mostBytes({ schema, heap_capacity }: StrandMap): number {
  const narrow = schema.fields[0]?.type === 'bytes' ? MOST_IN_BYTES : heap_capacity;
  return Math.max(1, Math.min(narrow, Math.floor(heap_capacity / HEAP_PARTS)));
}

/** Each chunk is bytes for the only field, in as many records as they need. @param most bytes of one record */
export function byteLayout(name: string, most: number): ChunkLayout<Uint8Array> {
  const only: Record<string, unknown> = { [name]: undefined };
  return {
    recordOf(chunk) {
      if (chunk.length === 0 || chunk.length > most) return undefined;
      only[name] = chunk;
      return only;
    },
    forget() {
      only[name] = undefined;
    },
    recordsOf(chunks) {
      const records: object[] = [];
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length; at += most) {
          records.push({ [name]: chunk.length <= most ? chunk : chunk.subarray(at, at + most) });
        }
      }
      return records;
    },
    lengthOf: (chunk) => Math.ceil(chunk.length / most),
  };
}
