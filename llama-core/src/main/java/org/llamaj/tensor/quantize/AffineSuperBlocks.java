package org.llamaj.tensor.quantize;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.llamaj.tensor.ElementType;

/**
 * Q2_K, Q4_K and Q5_K: super-blocks of 256 values whose sub-blocks have a scale and a minimum each,
 * whole numbers of units that the super-block has: {@code unit * subScale * q - minimumUnit *
 * subMinimum}.
 */
final class AffineSuperBlocks implements BlockEncoder {
  private static final int BLOCK = 256;
  private static final int BLOCKS = TILE / BLOCK;
  private static final int ROUNDS = 2;
  private static final int[] STEPS = {0, 1, -1};

  private final ElementType type;
  private final Grid.Linear grid;
  private final Grid.Linear scaleGrid;
  private final int subBlocks;
  private final Lanes lanes;
  private final AffineSearch search;
  private final Lanes superLanes;
  private final ScaleSearch superSearch;

  private final float[] unit = new float[BLOCKS];
  private final float[] minimumUnit = new float[BLOCKS];
  private final int[] subScale; // in units
  private final int[] subMinimum; // in minimum units

  // Of the best codes: sums of w q, w q^2, w q x.
  private final float[] codeSum;
  private final float[] squareSum;
  private final float[] productSum;

  private final double[] error;
  private final int[] trialScale;
  private final int[] trialMinimum;
  private final float[] minimum;
  private final float[] inverse;
  private final float[] points;
  private final byte[] codes = new byte[TILE];

  /**
   * @param subBlock values of a sub-block
   * @param grid of the values, from 0
   * @param scaleGrid of the sub-blocks' scales and minima, from 0
   */
  AffineSuperBlocks(ElementType type, int subBlock, Grid.Linear grid, Grid.Linear scaleGrid) {
    this.type = type;
    this.grid = grid;
    this.scaleGrid = scaleGrid;
    subBlocks = BLOCK / subBlock;
    int capacity = TILE / subBlock;
    lanes = new Lanes(subBlock, capacity);
    search = new AffineSearch(grid, false, capacity);
    superLanes = new Lanes(subBlocks, BLOCKS);
    superSearch = new ScaleSearch(scaleGrid, false, BLOCKS);
    subScale = new int[capacity];
    subMinimum = new int[capacity];
    codeSum = new float[capacity];
    squareSum = new float[capacity];
    productSum = new float[capacity];
    error = new double[capacity];
    trialScale = new int[capacity];
    trialMinimum = new int[capacity];
    minimum = new float[capacity];
    inverse = new float[capacity];
    points = new float[capacity];
  }

  @Override
  public void encode(
      float[] values, int from, int count, float[] weights, MemorySegment target, long offset) {
    lanes.load(values, from, count, weights);
    search.search(lanes);
    toUnits(search.scale, search.curvature, unit, subScale);
    toUnits(search.offset, search.weightSum, minimumUnit, subMinimum);
    improveSubBlocks();
    for (int round = 0; round < ROUNDS; round++) {
      fitUnits();
      improveSubBlocks();
    }
    encodeValues();
    for (int block = 0; block < superLanes.count; block++) {
      SuperBlockPacking.affine(
          type,
          unit[block],
          minimumUnit[block],
          subScale,
          subMinimum,
          block * subBlocks,
          codes,
          block * BLOCK,
          target,
          offset + (long) block * type.blockBytes());
    }
  }

  /** Numbers of the sub-blocks as whole multiples of a number of their super-block. */
  private void toUnits(float[] wanted, float[] weights, float[] units, int[] multiples) {
    superLanes.load(wanted, 0, lanes.count, weights);
    superSearch.search(superLanes);
    for (int block = 0; block < superLanes.count; block++) {
      units[block] = HalfScales.round(superSearch.scale[block], type);
      if (units[block] == 0) units[block] = HalfScales.away(superSearch.scale[block]);
    }
    for (int lane = 0; lane < lanes.count; lane++) {
      multiples[lane] = clamp(Math.round(wanted[lane] / units[lane / subBlocks]));
    }
  }

  private int clamp(int value) {
    return Math.clamp(value, scaleGrid.low(), scaleGrid.high());
  }

  /** Takes the best of each sub-block's scale and its neighbours, with the minimum that fits it. */
  private void improveSubBlocks() {
    int count = lanes.count;
    int[] scaleBefore = Arrays.copyOf(subScale, count);
    int[] minimumBefore = Arrays.copyOf(subMinimum, count);
    Arrays.fill(error, 0, count, Double.POSITIVE_INFINITY);
    for (int step : STEPS) {
      for (int lane = 0; lane < count; lane++) {
        trialScale[lane] = clamp(scaleBefore[lane] + step);
        trialMinimum[lane] = minimumBefore[lane];
      }
      tryAll(count);
      for (int lane = 0; lane < count; lane++) trialMinimum[lane] = bestMinimum(lane);
      tryAll(count);
    }
  }

  private void tryAll(int count) {
    for (int lane = 0; lane < count; lane++) {
      float scale = unit[lane / subBlocks] * trialScale[lane];
      inverse[lane] = scale < Lanes.TINY ? 0 : 1 / scale;
      minimum[lane] = minimumUnit[lane / subBlocks] * trialMinimum[lane];
    }
    search.measure(lanes, minimum, inverse);
    for (int lane = 0; lane < count; lane++) {
      double trialError = trialError(lane);
      if (trialError < error[lane]) {
        error[lane] = trialError;
        subScale[lane] = trialScale[lane];
        subMinimum[lane] = trialMinimum[lane];
        codeSum[lane] = search.codeSum[lane];
        squareSum[lane] = search.squareSum[lane];
        productSum[lane] = search.productSum[lane];
      }
    }
  }

  /** Sum of w (x + m - s q)^2 without the sum of w x^2. */
  private double trialError(int lane) {
    double s = unit[lane / subBlocks] * trialScale[lane];
    double m = minimum[lane];
    return s * (s * search.squareSum[lane] - 2.0 * search.productSum[lane])
        + m * (m * search.weightSum[lane] + 2.0 * search.valueSum[lane])
        - 2 * s * m * search.codeSum[lane];
  }

  /** The minimum that fits the codes measured last best. */
  private int bestMinimum(int lane) {
    float units = minimumUnit[lane / subBlocks];
    if (units <= 0 || search.weightSum[lane] <= 0) return 0;
    double s = unit[lane / subBlocks] * trialScale[lane];
    double best = (s * search.codeSum[lane] - search.valueSum[lane]) / search.weightSum[lane];
    return clamp((int) Math.round(best / units));
  }

  /** The best units of each super-block for the present codes: a regression on two variables. */
  private void fitUnits() {
    for (int block = 0; block < superLanes.count; block++) {
      double scaleScale = 0;
      double scaleMinimum = 0;
      double minimumMinimum = 0;
      double scaleValue = 0;
      double minimumValue = 0;
      for (int lane = block * subBlocks; lane < (block + 1) * subBlocks; lane++) {
        double s = subScale[lane];
        double m = subMinimum[lane];
        scaleScale += s * s * squareSum[lane];
        scaleMinimum += s * m * codeSum[lane];
        minimumMinimum += m * m * search.weightSum[lane];
        scaleValue += s * productSum[lane];
        minimumValue += m * search.valueSum[lane];
      }
      double determinant = scaleScale * minimumMinimum - scaleMinimum * scaleMinimum;
      if (determinant > 1e-9 * scaleScale * minimumMinimum) {
        setUnit(
            unit, block, (scaleValue * minimumMinimum - minimumValue * scaleMinimum) / determinant);
        setUnit(
            minimumUnit,
            block,
            (scaleValue * scaleMinimum - minimumValue * scaleScale) / determinant);
      } else if (scaleScale > 0 && minimumMinimum == 0) {
        setUnit(unit, block, scaleValue / scaleScale);
      }
    }
  }

  private void setUnit(float[] units, int block, double fitted) {
    float half = HalfScales.round((float) fitted, type);
    if (half > 0) units[block] = half;
  }

  private void encodeValues() {
    for (int lane = 0; lane < lanes.count; lane++) {
      float scale = unit[lane / subBlocks] * subScale[lane];
      inverse[lane] = scale < Lanes.TINY ? 0 : 1 / scale;
      minimum[lane] = minimumUnit[lane / subBlocks] * subMinimum[lane];
    }
    for (int i = 0; i < lanes.size; i++) {
      grid.round(lanes.x[i], minimum, inverse, points, lanes.count);
      for (int lane = 0; lane < lanes.count; lane++) {
        codes[lane * lanes.size + i] = (byte) grid.code(points[lane]);
      }
    }
  }
}
