/** Distinct chunks in rotation. Together they stay in a second-level cache, so that reading them costs no one much. */
export const DISTINCT_CHUNKS = 4;

/**
 * Chunks of printable ASCII, the one content that all contenders carry: one of them takes bytes for UTF-8.
 *
 * @param {number} bytes
 * @returns {Buffer[]}
 */
export function makeChunks(bytes) {
  return Array.from({ length: DISTINCT_CHUNKS }, (_, chunk) => {
    const content = Buffer.alloc(bytes);
    for (let i = 0; i < bytes; i++) content[i] = 0x20 + ((i * 31 + (i >> 8) + chunk * 7) % 95);
    return content;
  });
}
