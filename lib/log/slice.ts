type BufferClass = new (memory: ArrayBufferLike, at: number, length: number) => Buffer;

/** The class that Buffer makes its own slices of, by its species. */
const species = (Buffer as unknown as { readonly [Symbol.species]?: BufferClass })[Symbol.species];

/**
 * A Buffer over a part of an ArrayBuffer. As `Buffer.from(memory, at, length)`, which takes twice as long to find out what it
 * was given; `subarray` three times.
 */
export const slice: (memory: ArrayBufferLike, at: number, length: number) => Buffer =
  species !== undefined && species.prototype === Buffer.prototype
    ? (memory, at, length) => new species(memory, at, length)
    : (memory, at, length) => Buffer.from(memory as ArrayBuffer, at, length);
