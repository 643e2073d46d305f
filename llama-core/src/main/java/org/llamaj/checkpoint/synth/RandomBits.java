package org.llamaj.checkpoint.synth;

/**
 * SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014),
 * without the cost of an interface: weights take billions of bits.
 */
final class RandomBits {
  private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

  private long state;

  RandomBits(long seed) {
    state = seed;
  }

  /** A generator of its own for the part of this number of what the seed makes. */
  static RandomBits of(long seed, long part) {
    return new RandomBits(mix(mix(seed + GOLDEN_RATIO) + part * GOLDEN_RATIO));
  }

  long nextLong() {
    return mix(state += GOLDEN_RATIO);
  }

  /** From 0.75 to 1.25. */
  float aroundOne() {
    return 0.75f + (nextLong() >>> 40) * 0x1p-25f;
  }

  private static long mix(long z) {
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
