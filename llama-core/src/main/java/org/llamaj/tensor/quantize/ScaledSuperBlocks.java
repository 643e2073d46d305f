package org.llamaj.tensor.quantize;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.llamaj.tensor.ElementType;

/**
 * Q3_K, Q6_K and IQ4_XS: super-blocks of 256 values whose sub-blocks have a scale each, a whole
 * number of units of the super-block's scale.
 */
final class ScaledSuperBlocks implements BlockEncoder {
  private static final int BLOCK = 256;
  private static final int BLOCKS = TILE / BLOCK;
  private static final int ROUNDS = 2;
  private static final int[] STEPS = {0, 1, -1};

  private final ElementType type;
  private final Grid grid;
  private final Grid.Linear scaleGrid;
  private final int subBlocks;
  private final Lanes lanes;
  private final ScaleSearch search;
  private final Lanes superLanes;
  private final ScaleSearch superSearch;

  private final float[] unit = new float[BLOCKS]; // the super-blocks' scales
  private final int[] subScale; // in units
  private final float[] productSum;
  private final float[] squareSum;
  private final double[] error;
  private final int[] trial;
  private final float[] inverse;
  private final float[] points;
  private final byte[] codes = new byte[TILE];

  /**
   * @param subBlock values of a sub-block
   * @param grid of the values
   * @param scaleGrid of the sub-blocks' scales
   */
  ScaledSuperBlocks(ElementType type, int subBlock, Grid grid, Grid.Linear scaleGrid) {
    this.type = type;
    this.grid = grid;
    this.scaleGrid = scaleGrid;
    subBlocks = BLOCK / subBlock;
    int capacity = TILE / subBlock;
    lanes = new Lanes(subBlock, capacity);
    search = new ScaleSearch(grid, true, capacity);
    superLanes = new Lanes(subBlocks, BLOCKS);
    superSearch = new ScaleSearch(scaleGrid, true, BLOCKS);
    subScale = new int[capacity];
    productSum = new float[capacity];
    squareSum = new float[capacity];
    error = new double[capacity];
    trial = new int[capacity];
    inverse = new float[capacity];
    points = new float[capacity];
  }

  @Override
  public void encode(
      float[] values, int from, int count, float[] weights, MemorySegment target, long offset) {
    lanes.load(values, from, count, weights);
    search.search(lanes);
    superLanes.load(search.scale, 0, lanes.count, search.curvature);
    superSearch.search(superLanes);
    for (int block = 0; block < superLanes.count; block++) {
      unit[block] = HalfScales.round(superSearch.scale[block], type);
      if (unit[block] == 0) unit[block] = HalfScales.away(superSearch.scale[block]);
    }
    for (int lane = 0; lane < lanes.count; lane++) {
      subScale[lane] = clamp(Math.round(search.scale[lane] / unit[lane / subBlocks]));
    }
    improveSubScales();
    for (int round = 0; round < ROUNDS; round++) {
      fitUnits();
      improveSubScales();
    }
    encodeValues();
    for (int block = 0; block < superLanes.count; block++) {
      SuperBlockPacking.scaled(
          type,
          unit[block],
          subScale,
          block * subBlocks,
          codes,
          block * BLOCK,
          target,
          offset + (long) block * type.blockBytes());
    }
  }

  private int clamp(int value) {
    return Math.clamp(value, scaleGrid.low(), scaleGrid.high());
  }

  /** Takes the best of each sub-block's scale and its neighbours. */
  private void improveSubScales() {
    int count = lanes.count;
    int[] before = Arrays.copyOf(subScale, count);
    Arrays.fill(error, 0, count, Double.POSITIVE_INFINITY);
    for (int step : STEPS) {
      for (int lane = 0; lane < count; lane++) {
        trial[lane] = clamp(before[lane] + step);
        float scale = unit[lane / subBlocks] * trial[lane];
        inverse[lane] = Math.abs(scale) < Lanes.TINY ? 0 : 1 / scale;
      }
      search.measure(lanes, inverse);
      for (int lane = 0; lane < count; lane++) {
        double s = unit[lane / subBlocks] * trial[lane];
        double trialError = s * (s * search.squareSum[lane] - 2.0 * search.productSum[lane]);
        if (trialError < error[lane]) {
          error[lane] = trialError;
          subScale[lane] = trial[lane];
          squareSum[lane] = search.squareSum[lane];
          productSum[lane] = search.productSum[lane];
        }
      }
    }
  }

  /** The best unit of each super-block for the present codes. */
  private void fitUnits() {
    for (int block = 0; block < superLanes.count; block++) {
      double product = 0;
      double square = 0;
      for (int lane = block * subBlocks; lane < (block + 1) * subBlocks; lane++) {
        product += (double) subScale[lane] * productSum[lane];
        square += (double) subScale[lane] * subScale[lane] * squareSum[lane];
      }
      if (square > 0) {
        float fitted = HalfScales.round((float) (product / square), type);
        if (fitted != 0) unit[block] = fitted;
      }
    }
  }

  private void encodeValues() {
    for (int lane = 0; lane < lanes.count; lane++) {
      float scale = unit[lane / subBlocks] * subScale[lane];
      inverse[lane] = Math.abs(scale) < Lanes.TINY ? 0 : 1 / scale;
    }
    for (int i = 0; i < lanes.size; i++) {
      grid.round(lanes.x[i], null, inverse, points, lanes.count);
      for (int lane = 0; lane < lanes.count; lane++) {
        codes[lane * lanes.size + i] = (byte) grid.code(points[lane]);
      }
    }
  }
}
