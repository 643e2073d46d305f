package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.f32;

/**
 * A format whose dot products are taken row by row, in the order of memory: see the package's notes
 * on reading from memory.
 */
interface StreamedFormat extends Format {

  /**
   * The dot product of one row.
   *
   * @param row the weights
   * @param x as {@link #prepare} returned it
   * @param columns values per row
   * @param scratch the worker's, with room for {@link #scratchFloats}
   */
  float dot(long row, long x, int columns, long scratch);

  /** Floats of scratch that {@link #dot} needs. */
  default int scratchFloats(int columns) {
    return 0;
  }

  @Override
  default void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    long room = scratch.floats(scratchFloats(columns));
    for (int i = 0; i < rows; i++) {
      f32(output + 4L * i, dot(weights + i * rowBytes, x, columns, room));
    }
  }
}
