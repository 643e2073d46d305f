package org.llamaj.grammar;

import java.util.Arrays;

/**
 * A set of tokens. Not to be changed.
 *
 * @param bits one per token id, 64 in each word
 * @param count how many are set
 */
record TokenMask(long[] bits, int count) {
  static TokenMask of(long[] bits) {
    return new TokenMask(bits, Arrays.stream(bits).mapToInt(Long::bitCount).sum());
  }

  boolean contains(int id) {
    return (bits[id >>> 6] >>> id & 1) != 0;
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
