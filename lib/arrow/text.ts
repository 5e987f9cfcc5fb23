import { isAscii, isUtf8 } from 'node:buffer';
import type { PackedColumn } from '../columns/types.js';

/** Packed texts. */
export interface PackedText {
  readonly offsets: Int32Array;
  readonly values: Uint8Array;
}

const ENCODER = new TextEncoder();
/** Reads what is no UTF-8 as U+FFFD, and a byte-order mark as the character that it is. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The same texts as UTF-8, which Arrow demands of them. Writers encode texts themselves, but take packed ones as the
 * bytes that they are, and another program's producer may write anything: what is no UTF-8 becomes U+FFFD, as it does
 * where a cursor reads it.
 */
export function asUtf8(column: PackedColumn<Uint8Array>): PackedText {
  const { offsets, values } = column;
  if (isAscii(values) || (isUtf8(values) && !cutsCharacters(column))) return column;
  const count = offsets.length - 1;
  const texts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    texts.push(ENCODER.encode(DECODER.decode(values.subarray(offsets[i], offsets[i + 1]))));
  }
  return packTexts(texts);
}

/** Whether any text begins within a character. */
function cutsCharacters({ offsets, values }: PackedColumn<Uint8Array>): boolean {
  for (let i = 0; i < offsets.length; i++) {
    const first = values[offsets[i] as number];
    if (first !== undefined && (first & 0xc0) === 0x80) return true;
  }
  return false;
}

/** Lays byte strings one behind the other; of null there is nothing. */
export function packTexts(texts: readonly (Uint8Array | null)[]): PackedText {
  const offsets = new Int32Array(texts.length + 1);
  let size = 0;
  texts.forEach((text, i) => {
    size += text?.length ?? 0;
    offsets[i + 1] = size;
  });
  const values = new Uint8Array(size);
  texts.forEach((text, i) => {
    if (text !== null) values.set(text, offsets[i]);
  });
  return { offsets, values };
}

export function encodeText(text: string): Uint8Array {
  return ENCODER.encode(text);
}
