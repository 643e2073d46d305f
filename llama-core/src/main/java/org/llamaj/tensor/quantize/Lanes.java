package org.llamaj.tensor.quantize;

import java.util.Arrays;

/**
 * Groups of values side by side: value i of group l is {@code x[i][l]}. A loop over l does the same
 * to all groups and has no sum that runs across it, so the JIT vectorises it.
 */
final class Lanes {
  /** Below this a group counts as zeros: no half-precision scale is that small. */
  static final float TINY = 1e-20f;

  final int size;
  final float[][] x;
  final float[][] weight;
  int count;

  /**
   * Memory for groups.
   *
   * @param size values of a group
   * @param capacity the most groups
   */
  Lanes(int size, int capacity) {
    this.size = size;
    x = new float[size][capacity];
    weight = new float[size][capacity];
  }

  /** Takes over values that lie group after group. */
  void load(float[] values, int from, int valueCount, float[] weights) {
    count = valueCount / size;
    for (int i = 0; i < size; i++) {
      float[] xi = x[i];
      float[] wi = weight[i];
      for (int lane = 0; lane < count; lane++) {
        xi[lane] = values[from + lane * size + i];
        wi[lane] = weights[lane * size + i];
      }
    }
  }

  /** The largest magnitude of each group. */
  void largest(float[] out) {
    Arrays.fill(out, 0, count, 0);
    for (float[] xi : x) larger(xi, out, count);
  }

  private static void larger(float[] x, float[] out, int count) {
    for (int lane = 0; lane < count; lane++) out[lane] = Math.max(out[lane], Math.abs(x[lane]));
  }

  /** The smallest and the largest value of each group. */
  void range(float[] low, float[] high) {
    System.arraycopy(x[0], 0, low, 0, count);
    System.arraycopy(x[0], 0, high, 0, count);
    for (int i = 1; i < size; i++) widen(x[i], low, high, count);
  }

  private static void widen(float[] x, float[] low, float[] high, int count) {
    for (int lane = 0; lane < count; lane++) low[lane] = Math.min(low[lane], x[lane]);
    for (int lane = 0; lane < count; lane++) high[lane] = Math.max(high[lane], x[lane]);
  }

  /** 1 / scale, and 0 where there is none. */
  static void invert(float[] scale, float[] inverse, int count) {
    for (int lane = 0; lane < count; lane++) {
      inverse[lane] = Math.abs(scale[lane]) < TINY ? 0 : 1 / scale[lane];
    }
  }
}
