package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.f32;

/**
 * A format whose dot products are taken row by row, with rounded activations (see {@link
 * Rounding}).
 *
 * <p>The Vector API has no prefetch, and the processor's own does not keep up with rows of few
 * bits. So the loops also load a byte here and there of a row that comes later.
 */
interface StreamedFormat extends Format {

  /** How many bytes ahead is touched. */
  int AHEAD = 4096;

  /**
   * The dot product of one row.
   *
   * @param row the weights
   * @param ahead what to touch: as many bytes as a row has
   * @param x as {@link #prepare} returned it
   * @param columns values per row
   * @param scratch the worker's, with room for {@link #scratchFloats}; its first int receives a
   *     number without a meaning, which keeps the touching alive
   */
  float dot(long row, long ahead, long x, int columns, long scratch);

  /** Floats of scratch that {@link #dot} needs, the first int included. */
  int scratchFloats(int columns);

  @Override
  default void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    long room = scratch.floats(scratchFloats(columns));
    long lastRow = weights + (rows - 1) * rowBytes;
    for (int i = 0; i < rows; i++) {
      long row = weights + i * rowBytes;
      long ahead = Math.min(row + AHEAD, lastRow); // nothing behind the rows may be touched
      f32(output + 4L * i, dot(row, Math.max(row, ahead), x, columns, room));
    }
  }
}
