package org.llamaj.tensor.quantize;

import java.util.Arrays;

/**
 * Scale s and offset m of each group that minimise sum w (x + m - s q)^2 with whole q from 0 to
 * {@code high}. For given codes both follow from the normal equations of a regression line;
 * candidates differ in the part of the values' range that the codes cover.
 */
final class AffineSearch {
  private static final int REFINEMENTS = 3;

  private final Grid.Linear grid;
  private final boolean anyOffset;

  /** The best scales found, not negative. */
  final float[] scale;

  /** The best offsets found; not negative unless any offset is allowed. */
  final float[] offset;

  /** Sum of w q^2: how fast the error grows when the scale is changed. */
  final float[] curvature;

  // Of the codes measured last: sums of w q, w q^2, w q x.
  final float[] codeSum;
  final float[] squareSum;
  final float[] productSum;

  // Of the values: sums of w, w x.
  final float[] weightSum;
  final float[] valueSum;

  private final double[] gain;
  private final float[] low;
  private final float[] high;
  private final float[] shift;
  private final float[] inverse;
  private final float[] codes;

  /**
   * @param grid from 0; its candidates say to which number the largest value may come
   * @param anyOffset whether the offset may be negative
   * @param capacity the most groups
   */
  AffineSearch(Grid.Linear grid, boolean anyOffset, int capacity) {
    this.grid = grid;
    this.anyOffset = anyOffset;
    scale = new float[capacity];
    offset = new float[capacity];
    curvature = new float[capacity];
    codeSum = new float[capacity];
    squareSum = new float[capacity];
    productSum = new float[capacity];
    weightSum = new float[capacity];
    valueSum = new float[capacity];
    gain = new double[capacity];
    low = new float[capacity];
    high = new float[capacity];
    shift = new float[capacity];
    inverse = new float[capacity];
    codes = new float[capacity];
  }

  /** Finds {@link #scale}, {@link #offset} and {@link #curvature}. */
  void search(Lanes lanes) {
    int count = lanes.count;
    sumValues(lanes);
    lanes.range(low, high);
    if (!anyOffset) {
      for (int lane = 0; lane < count; lane++) low[lane] = Math.min(low[lane], 0);
    }
    Arrays.fill(gain, 0, count, Double.NEGATIVE_INFINITY);
    for (int lane = 0; lane < count; lane++) {
      setToConstant(lane);
    }
    for (float candidate : grid.candidates()) {
      for (int lane = 0; lane < count; lane++) {
        float range = high[lane] - low[lane];
        inverse[lane] = range < Lanes.TINY ? 0 : candidate / range;
        shift[lane] = -low[lane];
      }
      measure(lanes, shift, inverse);
      keepBetter(count);
      if (candidate == grid.high()) continue;
      for (int lane = 0; lane < count; lane++) {
        float range = high[lane] - low[lane];
        float lowest = high[lane] - range * grid.high() / candidate;
        shift[lane] = anyOffset ? -lowest : Math.max(0, -lowest);
      }
      measure(lanes, shift, inverse);
      keepBetter(count);
    }
    for (int i = 0; i < REFINEMENTS; i++) {
      Lanes.invert(scale, inverse, count);
      measure(lanes, offset, inverse);
      keepBetter(count);
    }
  }

  /** All codes 0: the offset alone. */
  private void setToConstant(int lane) {
    scale[lane] = 0;
    curvature[lane] = 0;
    float mean = weightSum[lane] > 0 ? valueSum[lane] / weightSum[lane] : 0;
    offset[lane] = anyOffset ? -mean : Math.max(-mean, 0);
    gain[lane] = -(double) offset[lane] * valueSum[lane];
  }

  /** Sums up what does not depend on codes. */
  private void sumValues(Lanes lanes) {
    Arrays.fill(weightSum, 0, lanes.count, 0);
    Arrays.fill(valueSum, 0, lanes.count, 0);
    for (int i = 0; i < lanes.size; i++) {
      addValues(lanes.x[i], lanes.weight[i], weightSum, valueSum, lanes.count);
    }
  }

  private static void addValues(
      float[] x, float[] weight, float[] weightSum, float[] valueSum, int count) {
    for (int lane = 0; lane < count; lane++) {
      weightSum[lane] += weight[lane];
      valueSum[lane] += weight[lane] * x[lane];
    }
  }

  /** Rounds with given offsets and scales and sums up what depends on the codes. */
  void measure(Lanes lanes, float[] offsets, float[] inverseScale) {
    int count = lanes.count;
    Arrays.fill(codeSum, 0, count, 0);
    Arrays.fill(squareSum, 0, count, 0);
    Arrays.fill(productSum, 0, count, 0);
    for (int i = 0; i < lanes.size; i++) {
      grid.round(lanes.x[i], offsets, inverseScale, codes, count);
      accumulate(lanes.x[i], lanes.weight[i], codes, codeSum, squareSum, productSum, count);
    }
  }

  private static void accumulate(
      float[] x,
      float[] weight,
      float[] codes,
      float[] code,
      float[] square,
      float[] product,
      int count) {
    for (int lane = 0; lane < count; lane++) {
      float weighted = weight[lane] * codes[lane];
      code[lane] += weighted;
      square[lane] += weighted * codes[lane];
      product[lane] += weighted * x[lane];
    }
  }

  /** Solves the normal equations of each group. */
  private void keepBetter(int count) {
    for (int lane = 0; lane < count; lane++) {
      double w = weightSum[lane];
      double wx = valueSum[lane];
      double wq = codeSum[lane];
      double wqq = squareSum[lane];
      double wqx = productSum[lane];
      if (wqq <= 0) continue;
      double determinant = w * wqq - wq * wq;
      double newScale;
      double constant;
      if (determinant > 1e-6 * w * wqq) {
        newScale = (w * wqx - wx * wq) / determinant;
        constant = (wqq * wx - wq * wqx) / determinant;
      } else {
        newScale = wqx / wqq;
        constant = 0;
      }
      if (!anyOffset && constant > 0) {
        newScale = wqx / wqq;
        constant = 0;
      }
      double newGain = newScale * wqx + constant * wx;
      if (newScale > 0 && newGain > gain[lane]) {
        gain[lane] = newGain;
        scale[lane] = (float) newScale;
        offset[lane] = (float) -constant;
        curvature[lane] = (float) wqq;
      }
    }
  }
}
