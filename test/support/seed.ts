/**
 * The seed of all random tests of this process: `SEGY_TEST_SEED`, or 1. `npm test` is the same for
 * everybody, so that what is red is red everywhere; `npm run fuzz` gives a new seed each round.
 */
import fc from 'fast-check';

/** A positive number of at most 31 bits. */
export const SEED = Number(process.env.SEGY_TEST_SEED ?? 1);
if (!Number.isInteger(SEED) || SEED < 1 || SEED > 0x7fffffff) {
  throw new Error(`SEGY_TEST_SEED is no positive number of 31 bits: ${process.env.SEGY_TEST_SEED}`);
}

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });

/** Mulberry32: the same numbers from 0 to 1 for the same seed. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
