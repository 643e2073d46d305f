package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.f32;

/**
 * A format whose dot products are taken of four neighbouring rows at a time: they share the loads
 * of the activations, and their sums do not wait for each other.
 *
 * <p>The Vector API has no prefetch, and the processor's own does not keep up with rows of nibbles.
 * So the loops also load a byte here and there of the four rows that come next.
 */
interface FourRowFormat extends Format {

  /** Rows at a time. */
  int ROWS = 4;

  /**
   * Dot products of four rows.
   *
   * @param row the first
   * @param rowBytes from a row to the next
   * @param next what to touch: as many bytes as four rows have
   * @param x as {@link #prepare} returned it
   * @param columns values per row
   * @param output receives four floats, and behind them an int without a meaning, which keeps the
   *     touching alive
   */
  void multiplyFour(long row, long rowBytes, long next, long x, int columns, long output);

  @Override
  default void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    long sums = scratch.floats(rowBytes + ROWS + 1);
    int i = 0;
    for (; i <= rows - ROWS; i += ROWS) {
      long row = weights + i * rowBytes;
      long next = i <= rows - 2 * ROWS ? row + ROWS * rowBytes : row;
      multiplyFour(row, rowBytes, next, x, columns, sums);
      for (int k = 0; k < ROWS; k++) {
        f32(output + 4L * (i + k), f32(sums + 4L * k));
      }
    }
    for (; i < rows; i++) { // alone, four times the same; nothing behind it may be touched
      multiplyFour(weights + i * rowBytes, 0, sums, x, columns, sums);
      f32(output + 4L * i, f32(sums));
    }
  }
}
