package org.llamaj.kernel;

import java.lang.foreign.MemorySegment;
import org.llamaj.tensor.FloatMatrix;

/** Neighbouring columns of a matrix, of equally many of which it is made. */
final class Columns {
  private Columns() {}

  /** Views of the first row, which is in one piece. */
  static FloatMatrix[] ofFirstRow(FloatMatrix whole, int parts) {
    FloatMatrix[] views = new FloatMatrix[parts];
    int width = whole.columns() / parts;
    for (int i = 0; i < parts; i++) {
      views[i] = new FloatMatrix(whole.row(0).asSlice(bytes(i, width), bytes(1, width)), 1, width);
    }
    return views;
  }

  /** Copies a part's columns out of a matrix. */
  static void split(FloatMatrix whole, int index, FloatMatrix part, int rows) {
    int width = part.columns();
    for (int row = 0; row < rows; row++) {
      long from = bytes(row, whole.columns()) + bytes(index, width);
      MemorySegment.copy(whole.data(), from, part.data(), bytes(row, width), bytes(1, width));
    }
  }

  /** Copies a part's columns into a matrix. */
  static void join(FloatMatrix part, int index, FloatMatrix whole, int rows) {
    int width = part.columns();
    for (int row = 0; row < rows; row++) {
      long to = bytes(row, whole.columns()) + bytes(index, width);
      MemorySegment.copy(part.data(), bytes(row, width), whole.data(), to, bytes(1, width));
    }
  }

  private static long bytes(int count, int width) {
    return (long) Float.BYTES * count * width;
  }
}
