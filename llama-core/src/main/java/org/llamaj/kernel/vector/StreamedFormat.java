package org.llamaj.kernel.vector;

/**
 * A format whose dot products are taken two rows at a time, one from each half of what there is to
 * do: see the package's notes on reading from memory.
 */
interface StreamedFormat extends Format {

  /**
   * The dot products of two rows with one row of activations.
   *
   * @param first weights of a row
   * @param second weights of a row
   * @param x as {@link #prepare} returned it
   * @param columns values per row
   * @param scratch the worker's, with room for {@link #scratchFloats}
   * @param firstOutput receives the first row's product
   * @param secondOutput receives the second row's product
   */
  void dots(
      long first,
      long second,
      long x,
      int columns,
      long scratch,
      long firstOutput,
      long secondOutput);

  /** Floats of scratch that {@link #dots} needs. */
  default int scratchFloats(int columns) {
    return 0;
  }

  /** An odd number of rows has one in both halves. */
  @Override
  default void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    long room = scratch.floats(scratchFloats(columns));
    int half = rows / 2;
    for (int i = 0; i < rows - half; i++) {
      long first = weights + i * rowBytes;
      dots(
          first,
          first + half * rowBytes,
          x,
          columns,
          room,
          output + 4L * i,
          output + 4L * (i + half));
    }
  }
}
