/** Lowest bit of each of four bytes. */
const LOW_BITS = 0x01010101;

/**
 * Moves the lowest bits of four bytes together, in the four highest bits of the product: byte i has its bit at 8 i, and
 * the factor's terms move it to 28 + i. No two of the sixteen terms meet, so nothing carries.
 */
const GATHER_BITS = 0x10204080;

/** Bytes of 0 and 1 as a bitmap, least significant bit first. */
export function packBits(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8));
  const pairs = bytes.byteOffset % 4 === 0 ? bytes.length >> 3 : 0;
  const words = new Uint32Array(bytes.buffer, pairs === 0 ? 0 : bytes.byteOffset, 2 * pairs);
  for (let i = 0; i < pairs; i++) {
    const low = Math.imul((words[2 * i] as number) & LOW_BITS, GATHER_BITS) >>> 28;
    const high = Math.imul((words[2 * i + 1] as number) & LOW_BITS, GATHER_BITS) >>> 28;
    bits[i] = low | (high << 4);
  }
  for (let i = 8 * pairs; i < bytes.length; i++) {
    bits[i >> 3] = (bits[i >> 3] as number) | (((bytes[i] as number) & 1) << (i & 7));
  }
  return bits;
}

/** `count` bits of a bitmap from bit `offset` on, as bytes of 0 and 1. Bits behind the bitmap's end are 0. */
export function unpackBits(bits: Uint8Array, offset: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = offset + i;
    bytes[i] = ((bits[at >> 3] ?? 0) >>> (at & 7)) & 1;
  }
  return bytes;
}

/** The same bits as words, and moved to begin with the first word's lowest. */
export function bitWords(bits: Uint8Array, offset: number, count: number): Uint32Array {
  const words = new Uint32Array(Math.ceil(count / 32));
  const bytes = new Uint8Array(words.buffer);
  const shift = offset & 7;
  const first = offset >> 3;
  const length = Math.ceil(count / 8);
  if (shift === 0) {
    bytes.set(bits.subarray(first, first + length));
  } else {
    for (let i = 0; i < length; i++) {
      const low = (bits[first + i] ?? 0) >>> shift;
      bytes[i] = low | ((bits[first + i + 1] ?? 0) << (8 - shift));
    }
  }
  return words;
}

export function isSet(words: Uint32Array | undefined, index: number): boolean {
  return words === undefined || ((words[index >> 5] as number) & (1 << (index & 31))) !== 0;
}

export function clearBit(words: Uint32Array, index: number): void {
  words[index >> 5] = (words[index >> 5] as number) & ~(1 << (index & 31));
}

/** Bits that are all 1. */
export function allSet(count: number): Uint32Array {
  return new Uint32Array(Math.ceil(count / 32)).fill(0xffffffff);
}
