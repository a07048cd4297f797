/**
 * Whole numbers below a limit, the same ones for the same seed.
 *
 * @see https://prng.di.unimi.it/splitmix64.c (SplitMix, here with 32 bits as in Java's SplittableRandom)
 */
export function random(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below
  }
}
