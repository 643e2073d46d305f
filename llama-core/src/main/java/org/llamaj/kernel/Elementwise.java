package org.llamaj.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.tensor.FloatMatrix;

/** Plain Java for the operations that kernels need not have of their own. */
final class Elementwise {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private Elementwise() {}

  /** Subtracts each row's mean. */
  static void centre(FloatMatrix input, int rows, FloatMatrix output) {
    int columns = input.columns();
    for (int row = 0; row < rows; row++) {
      MemorySegment x = input.row(row);
      MemorySegment y = output.row(row);
      double sum = 0;
      for (int i = 0; i < columns; i++) {
        sum += x.get(FLOAT, 4L * i);
      }
      float mean = (float) (sum / columns);
      for (int i = 0; i < columns; i++) {
        y.set(FLOAT, 4L * i, x.get(FLOAT, 4L * i) - mean);
      }
    }
  }

  /** Inserts each value into the sorted list of the best, which few reach. */
  static void best(
      MemorySegment x, int columns, int count, int from, int[] indices, float[] values) {
    int size = 0;
    for (int i = 0; i < columns; i++) {
      float value = x.get(FLOAT, 4L * i);
      if (size == count && !(value > values[from + size - 1])) {
        continue;
      }
      int at = from + Math.min(size, count - 1);
      size = Math.min(count, size + 1);
      while (at > from && values[at - 1] < value) {
        values[at] = values[at - 1];
        indices[at] = indices[at - 1];
        at--;
      }
      values[at] = value;
      indices[at] = i;
    }
  }

  static void gelu(FloatMatrix x, int rows) {
    for (int row = 0; row < rows; row++) {
      MemorySegment values = x.row(row);
      for (int i = 0; i < x.columns(); i++) {
        values.set(FLOAT, 4L * i, (float) gelu(values.get(FLOAT, 4L * i)));
      }
    }
  }

  static void scale(FloatMatrix x, int rows, float factor) {
    for (int row = 0; row < rows; row++) {
      MemorySegment values = x.row(row);
      for (int i = 0; i < x.columns(); i++) {
        values.set(FLOAT, 4L * i, values.get(FLOAT, 4L * i) * factor);
      }
    }
  }

  /**
   * With the rational approximation 7.1.26 of erf in Abramowitz and Stegun, Handbook of
   * Mathematical Functions (1964), whose error is below 1.5e-7.
   */
  private static double gelu(double x) {
    double z = Math.abs(x) * Math.sqrt(0.5);
    double t = 1 / (1 + 0.3275911 * z);
    double polynomial =
        t
            * (0.254829592
                + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    double tail = 0.5 * Math.abs(x) * polynomial * Math.exp(-z * z);
    return Math.max(x, 0) - tail;
  }
}
