package org.llamaj.moe;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.tensor.FloatMatrix;

/** Gathers rows of a matrix, and adds them back to where they came from. */
final class Rows {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private Rows() {}

  /** The first rows become 0. */
  static void clear(FloatMatrix matrix, int rows) {
    matrix.data().asSlice(0, 4L * rows * matrix.columns()).fill((byte) 0);
  }

  /** target[to] = factor * source[from]. */
  static void copyScaled(FloatMatrix source, int from, float factor, FloatMatrix target, int to) {
    MemorySegment x = row(source, from);
    MemorySegment y = row(target, to);
    for (long offset = 0; offset < 4L * source.columns(); offset += 4) {
      y.set(FLOAT, offset, factor * x.get(FLOAT, offset));
    }
  }

  /** target[to] += factor * source[from]. */
  static void addScaled(FloatMatrix source, int from, float factor, FloatMatrix target, int to) {
    MemorySegment x = row(source, from);
    MemorySegment y = row(target, to);
    for (long offset = 0; offset < 4L * source.columns(); offset += 4) {
      y.set(FLOAT, offset, y.get(FLOAT, offset) + factor * x.get(FLOAT, offset));
    }
  }

  private static MemorySegment row(FloatMatrix matrix, int row) {
    long bytes = 4L * matrix.columns();
    return matrix.data().asSlice(row * bytes, bytes);
  }
}
