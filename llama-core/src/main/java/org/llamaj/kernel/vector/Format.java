package org.llamaj.kernel.vector;

/**
 * The arithmetic on one element type. Addresses are raw; columns are whole blocks.
 *
 * <p>For a single activation row the products are taken on weights decoded in registers, with the
 * activations arranged beforehand as the loop wants them; for more rows, weights are decoded to
 * floats once.
 */
interface Format {

  /**
   * Turns stored values into floats.
   *
   * @param weights first block
   * @param columns number of values
   * @param target receives the floats
   * @param scratch the worker's
   */
  void decode(long weights, int columns, long target, Scratch scratch);

  /**
   * Floats needed by {@link #prepare}.
   *
   * @param columns values per row
   * @return 0 if activations are used as they are
   */
  default int preparedFloats(int columns) {
    return 0;
  }

  /**
   * Arranges one activation row for {@link #multiply}.
   *
   * @param x the row
   * @param columns its length
   * @param target room for {@link #preparedFloats} floats
   * @return where the arranged row is: {@code target} or {@code x}
   */
  default long prepare(long x, int columns, long target) {
    return x;
  }

  /**
   * Dot products of consecutive weight rows with one activation row.
   *
   * @param weights first row
   * @param rowBytes bytes of a row
   * @param rows how many
   * @param x as {@link #prepare} returned it
   * @param columns values per row
   * @param output receives one float per row
   * @param scratch the worker's
   */
  default void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    long row = scratch.floats(columns);
    for (int i = 0; i < rows; i++) {
      decode(weights + i * rowBytes, columns, row, scratch);
      Lanes.f32(output + 4L * i, Dot.one(row, x, columns));
    }
  }
}
