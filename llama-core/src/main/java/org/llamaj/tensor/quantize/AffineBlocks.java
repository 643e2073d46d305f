package org.llamaj.tensor.quantize;

import java.lang.foreign.MemorySegment;
import org.llamaj.tensor.ElementType;

/** Q4_1 and Q5_1: blocks of 32 values with a scale and a minimum. */
final class AffineBlocks implements BlockEncoder {
  private static final int BLOCK = 32;
  private static final int LANES = TILE / BLOCK;

  private final ElementType type;
  private final Grid.Linear grid;
  private final Lanes lanes = new Lanes(BLOCK, LANES);
  private final AffineSearch search;
  private final float[] scale = new float[LANES];
  private final float[] offset = new float[LANES];
  private final float[] inverse = new float[LANES];
  private final float[] points = new float[LANES];
  private final byte[] codes = new byte[TILE];

  AffineBlocks(ElementType type, Grid.Linear grid) {
    this.type = type;
    this.grid = grid;
    search = new AffineSearch(grid, true, LANES);
  }

  @Override
  public void encode(
      float[] values, int from, int count, float[] weights, MemorySegment target, long at) {
    lanes.load(values, from, count, weights);
    search.search(lanes);
    for (int lane = 0; lane < lanes.count; lane++) {
      // Rounded up where rounding is coarse, so that the codes reach the ends of the range.
      float wanted = search.scale[lane];
      float half = HalfScales.round(wanted, type);
      boolean tooSmall = HalfScales.isCoarse(wanted) && half < wanted;
      scale[lane] = tooSmall ? HalfScales.away(half) : half;
      offset[lane] = HalfScales.round(search.offset[lane], type);
    }
    Lanes.invert(scale, inverse, lanes.count);
    for (int i = 0; i < BLOCK; i++) {
      grid.round(lanes.x[i], offset, inverse, points, lanes.count);
      for (int lane = 0; lane < lanes.count; lane++) {
        codes[lane * BLOCK + i] = (byte) grid.code(points[lane]);
      }
    }
    for (int lane = 0; lane < lanes.count; lane++) {
      long block = at + (long) lane * type.blockBytes();
      SimplePacking.affine(type, scale[lane], -offset[lane], codes, lane * BLOCK, target, block);
    }
  }
}
