/**
 * Results of a number: none up to `most`.
 *
 * @param {number} n
 * @param {number} most
 */
export function resultsOf(n, most) {
  return Array.from({ length: (n * 7919) % (most + 1) }, (_, i) => ({ n, i }));
}

/**
 * How often a byte is given.
 *
 * @param {number} byte
 */
export function timesOf(byte) {
  return byte % 4;
}
