// @ts-check

import { isUtf8 } from 'node:buffer';

const REPLACEMENT = '\uFFFD';
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * How many bytes at the end of `bytes` begin a character that goes on.
 *
 * @param {Buffer} bytes
 */
function incompleteBytes(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const needed = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return needed > back ? back : 0;
  }
  return 0;
}

/** Decodes UTF-8 whose chunks end anywhere. A byte-order mark is dropped; what is no UTF-8 becomes U+FFFD. */
export class Utf8Decoder {
  /**
   * Position of the first byte that is no UTF-8.
   *
   * @type {number | undefined}
   */
  invalidAt;
  #carry = Buffer.alloc(0);
  #decoded = 0;

  /**
   * @param {Buffer} chunk
   * @returns {string}
   */
  decode(chunk) {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const whole = bytes.length - incompleteBytes(bytes);
    // A copy: the chunk's memory may be used again.
    this.#carry = Buffer.from(bytes.subarray(whole));
    return this.#text(bytes.subarray(0, whole));
  }

  /** @returns {string} what is left at the end of the stream */
  end() {
    return this.#text(this.#carry);
  }

  /** @param {Buffer} bytes */
  #text(bytes) {
    const text = bytes.toString('utf8');
    if (this.invalidAt === undefined && !isUtf8(bytes)) {
      this.invalidAt = this.#decoded + Buffer.byteLength(text.slice(0, text.indexOf(REPLACEMENT)));
    }
    const hasMark = this.#decoded === 0 && text.startsWith(BYTE_ORDER_MARK);
    this.#decoded += bytes.length;
    return hasMark ? text.slice(1) : text;
  }
}
