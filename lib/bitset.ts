import { types } from 'node:util';
import { describeValue } from './describe_value.js';
import { argumentError, rangeError } from './errors.js';
import { native } from './native.js';

const BITS_PER_WORD = 32;

/** From so many words on a native call, 40 ns and 0.13 ns a word, costs less than the loop here, 1.25 ns a word. */
const NATIVE_COUNT_WORDS = 64;

/** Which stream of a buffer the bits belong to. Made by `createBitset` they belong to any. */
const EPOCH = Symbol('epoch');

/**
 * A bit for each of some records: bit `j % 32` of word `j >> 5`, least significant first, is record `start + j`. Bits
 * past `count` are 0.
 */
export interface Bitset extends Uint32Array<ArrayBuffer> {
  /** Position of the first bit's record. */
  readonly start: number;
  /** How many records there are bits for. */
  readonly count: number;
}

interface Extent {
  readonly start: number;
  readonly count: number;
  readonly epoch: number | undefined;
}

/** Makes words a bitset. The properties are not enumerable, so that it compares and prints as its words do. */
export function asBitset(words: Uint32Array<ArrayBuffer>, { start, count, epoch }: Extent): Bitset {
  return Object.defineProperties(words, {
    start: { value: start },
    count: { value: count },
    [EPOCH]: { value: epoch },
  }) as Bitset;
}

/** What a bitset's bits stand for. Plain words, such as came out of a message, begin at record 0. */
export function extentOf(bits: Uint32Array): Extent {
  const all = bits.length * BITS_PER_WORD;
  const { start = 0, count = all, [EPOCH]: epoch } = bits as Partial<Bitset> & { [EPOCH]?: number };
  if (!Number.isSafeInteger(start) || start < 0 || !Number.isSafeInteger(count) || count < 0 || count > all) {
    throw rangeError(
      `a bitset of ${bits.length} words has bits for at most ${all} records from its start, ` +
        `got start ${describeValue(start)} and count ${describeValue(count)}`,
    );
  }
  return { start, count, epoch };
}

export function checkBits(bits: unknown): Uint32Array {
  if (types.isUint32Array(bits)) return bits;
  throw argumentError(`a bitset is a Uint32Array, got ${describeValue(bits)}`);
}

/**
 * A bitset of `count` zeros.
 *
 * @param count records, from 0 to 2^32 − 1
 * @param start position of the first record
 */
export function createBitset(count: number, start = 0): Bitset {
  if (!Number.isInteger(count) || count < 0 || count > 0xffff_ffff) {
    throw rangeError(`a bitset has from 0 to 2^32 - 1 bits, got ${describeValue(count)}`);
  }
  if (!Number.isSafeInteger(start) || start < 0) {
    throw rangeError(`a bitset starts at a record's position, got ${describeValue(start)}`);
  }
  return asBitset(new Uint32Array(Math.ceil(count / BITS_PER_WORD)), { start, count, epoch: undefined });
}

/** What is common to all of a list: start and stream. */
function commonExtent(list: readonly Uint32Array[]): { extents: Extent[]; start: number; epoch?: number } {
  if (!Array.isArray(list)) throw argumentError(`takes a list of bitsets, got ${describeValue(list)}`);
  const extents = list.map((bits) => extentOf(checkBits(bits)));
  const [first] = extents;
  if (first === undefined) throw argumentError('takes a list of at least one bitset, got an empty one');
  let { epoch } = first;
  for (const extent of extents) {
    if (extent.start !== first.start) {
      throw rangeError(
        `bitsets that start at records ${first.start} and ${extent.start} do not go together: ` +
          'take them from the same window',
      );
    }
    if (epoch !== undefined && extent.epoch !== undefined && epoch !== extent.epoch) {
      throw rangeError('bitsets of different streams do not go together: the strand was reset between them');
    }
    epoch ??= extent.epoch;
  }
  return { extents, start: first.start, ...(epoch !== undefined && { epoch }) };
}

/**
 * The records that are in every bitset. Where counts differ the smallest is the result's: what a bitset has no bit for
 * is not in it.
 *
 * @throws RangeError bitsets with different starts
 */
export function computeIntersection(list: readonly Uint32Array[]): Bitset {
  const { extents, start, epoch } = commonExtent(list);
  const count = extents.reduce((least, extent) => Math.min(least, extent.count), Number.POSITIVE_INFINITY);
  const length = Math.ceil(count / BITS_PER_WORD);
  const [first, ...others] = list as [Uint32Array, ...Uint32Array[]];
  const words = new Uint32Array(first.subarray(0, length));
  for (const bits of others) native.intersectBits(words, bits);
  clearPast(words, count);
  return asBitset(words, { start, count, epoch });
}

/**
 * The records that are in any bitset. Where counts differ the largest is the result's.
 *
 * @throws RangeError bitsets with different starts
 */
export function computeUnion(list: readonly Uint32Array[]): Bitset {
  const { extents, start, epoch } = commonExtent(list);
  const count = extents.reduce((most, extent) => Math.max(most, extent.count), 0);
  const words = new Uint32Array(Math.ceil(count / BITS_PER_WORD));
  for (const bits of list) native.uniteBits(words, bits);
  clearPast(words, count);
  return asBitset(words, { start, count, epoch });
}

function clearPast(words: Uint32Array, count: number): void {
  const rest = count % BITS_PER_WORD;
  const last = words.length - 1;
  if (rest !== 0 && last >= 0) words[last] = (words[last] as number) & ((1 << rest) - 1);
}

/** Bits to look at: `limit`, at most what there are. */
function bitsUpTo(bits: Uint32Array, limit: number): number {
  if (typeof limit !== 'number' || !(limit >= 0)) {
    throw rangeError(`a limit is a number of bits, got ${describeValue(limit)}`);
  }
  return Math.min(Math.ceil(limit), bits.length * BITS_PER_WORD);
}

/** Set bits of one word. Source: Warren, Hacker's Delight, section 5-1. */
function countWord(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** How many bits are set. @param limit only the first so many bits count */
export function popcount(bits: Uint32Array, limit: number = Number.POSITIVE_INFINITY): number {
  const end = bitsUpTo(checkBits(bits), limit);
  // Not by a shift: there may be 2^32 bits.
  const whole = Math.floor(end / BITS_PER_WORD);
  const rest = end % BITS_PER_WORD;
  let count = rest === 0 ? 0 : countWord((bits[whole] as number) & ((1 << rest) - 1));
  if (whole >= NATIVE_COUNT_WORDS) {
    return count + native.countBits(whole === bits.length ? bits : bits.subarray(0, whole));
  }
  for (let i = 0; i < whole; i++) count += countWord((bits[i] as number) | 0);
  return count;
}

/**
 * Calls `fn` with the index of every set bit below `limit`, in ascending order. Of a bitset, index `j` is record
 * `bits.start + j`.
 */
export function forEachSet(bits: Uint32Array, limit: number, fn: (index: number) => void): void {
  const end = bitsUpTo(checkBits(bits), limit);
  if (typeof fn !== 'function') throw argumentError(`takes a function, got ${describeValue(fn)}`);
  const words = Math.ceil(end / BITS_PER_WORD);
  for (let i = 0; i < words; i++) {
    const base = i * BITS_PER_WORD;
    // Int32 arithmetic: words above 2^31 would be doubles.
    let word = (bits[i] as number) | 0;
    if (end - base < BITS_PER_WORD) word &= (1 << (end - base)) - 1;
    while (word !== 0) {
      const lowest = word & -word;
      fn(base + 31 - Math.clz32(lowest));
      word ^= lowest;
    }
  }
}
