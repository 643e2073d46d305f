package org.llamaj.tensor.quantize;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.llamaj.tensor.ElementType;

/** Q4_0, Q5_0, Q8_0 and IQ4_NL: blocks of 32 values with one scale. */
final class ScaledBlocks implements BlockEncoder {
  private static final int BLOCK = 32;
  private static final int LANES = TILE / BLOCK;

  private final ElementType type;
  private final Grid grid;
  private final Lanes lanes = new Lanes(BLOCK, LANES);
  private final ScaleSearch search;
  private final float[] scale = new float[LANES];
  private final float[] trial = new float[LANES];
  private final float[] inverse = new float[LANES];
  private final double[] error = new double[LANES];
  private final float[] points = new float[LANES];
  private final byte[] codes = new byte[TILE];

  ScaledBlocks(ElementType type, Grid grid, boolean bothSigns) {
    this.type = type;
    this.grid = grid;
    search = new ScaleSearch(grid, bothSigns, LANES);
  }

  @Override
  public void encode(
      float[] values, int from, int count, float[] weights, MemorySegment target, long offset) {
    lanes.load(values, from, count, weights);
    search.search(lanes);
    boolean coarse = false;
    for (int lane = 0; lane < lanes.count; lane++) {
      scale[lane] = HalfScales.round(search.scale[lane], type);
      coarse |= HalfScales.isCoarse(search.scale[lane]);
    }
    if (coarse) tryNeighbours();
    Lanes.invert(scale, inverse, lanes.count);
    for (int i = 0; i < BLOCK; i++) {
      grid.round(lanes.x[i], null, inverse, points, lanes.count);
      for (int lane = 0; lane < lanes.count; lane++) {
        codes[lane * BLOCK + i] = (byte) grid.code(points[lane]);
      }
    }
    for (int lane = 0; lane < lanes.count; lane++) {
      long block = offset + (long) lane * type.blockBytes();
      SimplePacking.scaled(type, scale[lane], codes, lane * BLOCK, target, block);
    }
  }

  /** The neighbours of scales so small that rounding changes them much. */
  private void tryNeighbours() {
    int count = lanes.count;
    float[] nearest = Arrays.copyOf(scale, count);
    Arrays.fill(error, 0, count, Double.POSITIVE_INFINITY);
    System.arraycopy(nearest, 0, trial, 0, count);
    keepBetter();
    for (int lane = 0; lane < count; lane++) {
      if (HalfScales.isCoarse(search.scale[lane])) trial[lane] = HalfScales.away(nearest[lane]);
    }
    keepBetter();
    for (int lane = 0; lane < count; lane++) {
      if (HalfScales.isCoarse(search.scale[lane])) {
        trial[lane] = HalfScales.towardsZero(nearest[lane]);
      }
    }
    keepBetter();
  }

  private void keepBetter() {
    Lanes.invert(trial, inverse, lanes.count);
    search.measure(lanes, inverse);
    for (int lane = 0; lane < lanes.count; lane++) {
      double s = trial[lane];
      double trialError = s * (s * search.squareSum[lane] - 2.0 * search.productSum[lane]);
      if (trialError < error[lane]) {
        error[lane] = trialError;
        scale[lane] = trial[lane];
      }
    }
  }
}
