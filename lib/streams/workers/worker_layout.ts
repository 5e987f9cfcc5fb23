import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';
import { describeValue } from '../../describe_value.js';
import { argumentError } from '../../errors.js';
import type { StrandWriter } from '../../writer.js';
import { byteLayout, type ChunkLayout, mostBytes } from '../chunk_layout.js';

/** How what a worker's function gives becomes records: records, arrays of them and nothing, or the same of bytes. */
export function resultLayoutOf({ map }: StrandWriter, binary: boolean): ChunkLayout<unknown> {
  const [only] = map.schema.fields;
  return binary && only !== undefined ? byteResultLayout(only.name, mostBytes(map)) : resultLayout;
}

const resultLayout: ChunkLayout<unknown> = {
  recordsOf: (chunks) => chunks.flat().filter((chunk) => chunk !== null && chunk !== undefined) as object[],
  recordOf: (chunk) =>
    typeof chunk === 'object' && chunk !== null && !Array.isArray(chunk) ? chunk : undefined,
  forget: () => {},
  lengthOf: (chunk) => (Array.isArray(chunk) ? chunk.length : 1),
};

function byteResultLayout(name: string, most: number): ChunkLayout<unknown> {
  const layout = byteLayout(name, most);
  const bytesOf = (chunks: readonly unknown[]): Uint8Array[] =>
    chunks
      .flat()
      .filter((chunk) => chunk !== null && chunk !== undefined)
      .map(toBytes);
  return {
    recordsOf: (chunks) => layout.recordsOf(bytesOf(chunks)),
    recordOf: (chunk) => (isUint8Array(chunk) ? layout.recordOf(chunk) : undefined),
    forget: () => layout.forget(),
    lengthOf: () => 1,
  };
}

function toBytes(value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (isUint8Array(value)) return value;
  if (isAnyArrayBuffer(value)) return new Uint8Array(value);
  throw argumentError(`a worker of a stream of bytes gives bytes or strings, got ${describeValue(value)}`);
}
