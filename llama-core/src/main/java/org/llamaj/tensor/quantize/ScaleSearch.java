package org.llamaj.tensor.quantize;

import java.util.Arrays;

/**
 * The scale s of each group that minimises sum w (x - s q)^2 with q on a grid. For given codes the
 * best scale is sum w x q / sum w q^2, and the error falls by (sum w x q)^2 / sum w q^2: candidates
 * for s give codes, which are measured by this, and the best are refined by turns.
 */
final class ScaleSearch {
  private static final int REFINEMENTS = 2;

  private final Grid grid;
  private final boolean bothSigns;

  /** The best scales found. */
  final float[] scale;

  /** Sum of w q^2: how fast the error grows when the scale is changed. */
  final float[] curvature;

  /** Sum of w x q for the codes measured last. */
  final float[] productSum;

  /** Sum of w q^2 for the codes measured last. */
  final float[] squareSum;

  private final float[] gain;
  private final float[] largest;
  private final float[] inverse;
  private final float[] codes;

  ScaleSearch(Grid grid, boolean bothSigns, int capacity) {
    this.grid = grid;
    this.bothSigns = bothSigns;
    scale = new float[capacity];
    curvature = new float[capacity];
    gain = new float[capacity];
    largest = new float[capacity];
    inverse = new float[capacity];
    codes = new float[capacity];
    productSum = new float[capacity];
    squareSum = new float[capacity];
  }

  /** Finds {@link #scale} and {@link #curvature}. */
  void search(Lanes lanes) {
    int count = lanes.count;
    lanes.largest(largest);
    Arrays.fill(gain, 0, count, 0);
    Arrays.fill(scale, 0, count, 0);
    Arrays.fill(curvature, 0, count, 0);
    for (float candidate : grid.candidates()) {
      tryMapping(lanes, candidate);
      if (bothSigns) tryMapping(lanes, -candidate);
    }
    for (int i = 0; i < REFINEMENTS; i++) {
      Lanes.invert(scale, inverse, count);
      measure(lanes, inverse);
      keepBetter(count);
    }
  }

  private void tryMapping(Lanes lanes, float candidate) {
    for (int lane = 0; lane < lanes.count; lane++) {
      inverse[lane] = largest[lane] < Lanes.TINY ? 0 : candidate / largest[lane];
    }
    measure(lanes, inverse);
    keepBetter(lanes.count);
  }

  /** Rounds with given scales and sums up {@link #productSum} and {@link #squareSum}. */
  void measure(Lanes lanes, float[] inverseScale) {
    int count = lanes.count;
    Arrays.fill(productSum, 0, count, 0);
    Arrays.fill(squareSum, 0, count, 0);
    for (int i = 0; i < lanes.size; i++) {
      grid.round(lanes.x[i], null, inverseScale, codes, count);
      accumulate(lanes.x[i], lanes.weight[i], codes, productSum, squareSum, count);
    }
  }

  private static void accumulate(
      float[] x, float[] weight, float[] codes, float[] product, float[] square, int count) {
    for (int lane = 0; lane < count; lane++) {
      float weighted = weight[lane] * codes[lane];
      product[lane] += weighted * x[lane];
      square[lane] += weighted * codes[lane];
    }
  }

  private void keepBetter(int count) {
    for (int lane = 0; lane < count; lane++) {
      if (squareSum[lane] <= 0) continue;
      float candidate = productSum[lane] / squareSum[lane];
      float candidateGain = candidate * productSum[lane];
      if (candidateGain > gain[lane]) {
        gain[lane] = candidateGain;
        scale[lane] = candidate;
        curvature[lane] = squareSum[lane];
      }
    }
  }
}
