package org.llamaj.tensor.quantize;

import java.lang.foreign.MemorySegment;

/** Encodes blocks of one type. Has scratch memory of its own: one for each thread. */
interface BlockEncoder {
  /** The most values of a call: they and their weights fit a second-level cache well. */
  int TILE = 8192;

  /**
   * Encodes some blocks.
   *
   * @param values whole blocks, finite, at most {@link #TILE} values
   * @param from where they start
   * @param count how many values
   * @param weights how much the error of each value counts, from index 0 on, not negative
   * @param target receives the blocks
   * @param offset where in {@code target}
   */
  void encode(
      float[] values, int from, int count, float[] weights, MemorySegment target, long offset);
}
