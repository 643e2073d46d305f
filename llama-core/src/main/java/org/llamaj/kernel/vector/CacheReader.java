package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ShortVector.fromMemorySegment;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.S;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;

import jdk.incubator.vector.FloatVector;

/**
 * Copies some columns of a page, as floats, to rows of {@link Tile#WIDTH} that follow one another;
 * what a row lacks becomes 0.
 */
final class CacheReader {
  private CacheReader() {}

  static void packFloats(long source, long sourceStride, int rows, int columns, long target) {
    if (columns < Tile.WIDTH) {
      for (int row = 0; row < rows; row++) {
        for (int i = 0; i < Tile.WIDTH; i++) {
          float value = i < columns ? ALL.get(FLOAT, source + sourceStride * row + 4L * i) : 0;
          ALL.set(FLOAT, target + Tile.STRIDE * row + 4L * i, value);
        }
      }
      return;
    }
    for (int row = 0; row < rows; row++) {
      long from = source + sourceStride * row;
      long to = target + Tile.STRIDE * row;
      FloatVector.fromMemorySegment(F, ALL, from, LE).intoMemorySegment(ALL, to, LE);
      FloatVector.fromMemorySegment(F, ALL, from + VECTOR_BYTES, LE)
          .intoMemorySegment(ALL, to + VECTOR_BYTES, LE);
    }
  }

  static void packHalves(long source, long sourceStride, int rows, int columns, long target) {
    if (columns < Tile.WIDTH) {
      for (int row = 0; row < rows; row++) {
        for (int i = 0; i < Tile.WIDTH; i++) {
          float value =
              i < columns
                  ? Float.float16ToFloat(ALL.get(SHORT, source + sourceStride * row + 2L * i))
                  : 0;
          ALL.set(FLOAT, target + Tile.STRIDE * row + 4L * i, value);
        }
      }
      return;
    }
    for (int row = 0; row < rows; row++) {
      long from = source + sourceStride * row;
      long to = target + Tile.STRIDE * row;
      Halves.floats(fromMemorySegment(S, ALL, from, LE)).intoMemorySegment(ALL, to, LE);
      Halves.floats(fromMemorySegment(S, ALL, from + 2 * LANES, LE))
          .intoMemorySegment(ALL, to + VECTOR_BYTES, LE);
    }
  }
}
