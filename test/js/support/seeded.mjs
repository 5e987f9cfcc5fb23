/** Marsaglia's xorshift (2003), 32 bits: the numbers of a seed, the same everywhere. */
export function seeded(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  for (let i = 0; i < 8; i++) next();
  return {
    next,
    below: (limit) => next() % limit,
    between: (from, to) => from + (next() % (to - from + 1)),
    pick: (list) => list[next() % list.length],
  };
}
