/** A stretch of small chunks takes few comparisons, and the comparand stays in a second-level cache. */
const LEAST_COMPARAND = 256 * 1024;

/**
 * Compares stretches of any length with the chunks in rotation, by `memcmp`.
 *
 * @param {Uint8Array[]} chunks
 */
export function openComparison(chunks) {
  const rotation = Buffer.concat(chunks);
  const repeated = Math.max(1, Math.floor(LEAST_COMPARAND / rotation.length));
  const sent = Buffer.concat(Array.from({ length: repeated }, () => rotation));
  let at = 0;
  let wrong = 0;
  return {
    /** @param {Uint8Array} stretch */
    compare(stretch) {
      for (let from = 0; from < stretch.length; ) {
        const to = Math.min(stretch.length, from + sent.length - at);
        if (sent.compare(stretch, from, to, at, at + to - from) !== 0) wrong++;
        at = (at + to - from) % sent.length;
        from = to;
      }
    },
    /** Stretches that differed since it was asked last. */
    takeWrong() {
      const count = wrong;
      wrong = 0;
      return count;
    },
  };
}

/**
 * @param {Uint8Array[]} stretches
 * @param {number} chunkBytes
 */
export function chunksOf(stretches, chunkBytes) {
  const text = Buffer.concat(stretches).toString('latin1');
  return Array.from({ length: text.length / chunkBytes }, (_, i) => ({
    chunk: text.slice(i * chunkBytes, (i + 1) * chunkBytes),
  }));
}
