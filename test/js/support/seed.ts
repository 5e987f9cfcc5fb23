/** Seed of the random tests of a file: from the environment, so that a failure can be repeated, or a new one. */
export const seed = Number(process.env.STRAND_SEED ?? Date.now() % 2 ** 31);

console.info(`STRAND_SEED=${seed}`);
