import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

export const PIECE_BYTES = 64 * 1024;
const LEVEL = 6;
/** More than deflate looks back at, so that repeating them changes nothing. */
const DISTINCT_PIECES = 16;

const WORDS =
  'the of and to in a is that for it was on are as with his they at be this from have or by one had not but'
    .concat(
      ' what all were when we there can an your which their said if do will each about how up out them then she',
    )
    .concat(
      ' many some so these would other into has more her two like him see time could no make than first been its',
    )
    .split(' ');

/**
 * Text-like bytes: words, the frequent ones first, and numbers, in lines.
 *
 * @returns {Buffer[]}
 */
export function textPieces() {
  let state = 1;
  // The linear congruential generator of the C standard's example, with 31 bits.
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) / 0x800000;
  };
  return Array.from({ length: DISTINCT_PIECES }, () => {
    let text = '';
    while (text.length < PIECE_BYTES) {
      const word = WORDS[Math.floor(random() ** 2 * WORDS.length)];
      const rest = random();
      text += word + (rest < 0.05 ? `\n${Math.floor(rest * 1e6)} ` : ' ');
    }
    return Buffer.from(text.slice(0, PIECE_BYTES), 'latin1');
  });
}

/** @param {Uint8Array} piece */
export function gzipPiece(piece) {
  return gzipSync(piece, { level: LEVEL });
}

/**
 * Gzips that many pieces on this thread, and gives others their turn behind each.
 *
 * @param {Uint8Array[]} pieces in rotation
 * @param {number} count
 */
export async function gzipHere(pieces, count) {
  for (let i = 0; i < count; i++) {
    gzipPiece(pieces[i % pieces.length]);
    await nextTurn();
  }
}
