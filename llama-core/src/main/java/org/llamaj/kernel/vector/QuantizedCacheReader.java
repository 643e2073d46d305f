package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.ShortVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.QuantizedPage.BLOCK;
import static org.llamaj.kernel.vector.Lanes.ADDRESS;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.S;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.llamaj.kernel.QuantizedPage;

/** As {@link CacheReader} for pages of blocks; a tile is never wider than a block. */
final class QuantizedCacheReader {
  private static final int HALF = BLOCK / 2;

  private QuantizedCacheReader() {}

  /** The keys of {@link Tile#WIDTH} tokens from a slot on, component by component. */
  static void packKeys(
      long page, QuantizedPage layout, int kvHead, int slot, int dim, boolean nibbles, long to) {
    for (int d = 0; d < dim; d++) {
      int block = d / BLOCK;
      int i = d % BLOCK;
      long scales = page + layout.keyScale(kvHead, block, slot);
      long quants = page + layout.keyQuant(kvHead, block, i % layout.quantBytes(), slot);
      if (nibbles) {
        nibbleKeys(scales, quants, i < HALF ? 0 : 4, to + Tile.STRIDE * d);
      } else {
        byteKeys(scales, quants, to + Tile.STRIDE * d);
      }
    }
  }

  /** Components {@code d} to d + WIDTH of the values of some tokens. */
  static void packValues(
      long page, QuantizedPage layout, int kvHead, int d, int tokens, boolean nibbles, long to) {
    int block = d / BLOCK;
    int i = d % BLOCK;
    for (int t = 0; t < tokens; t++) {
      float scale =
          Float.float16ToFloat(
              ALL.get(SHORT, page + layout.valueScales(kvHead, t) + 2L * block & ADDRESS));
      long quants = page + layout.valueQuants(kvHead, t) + (long) block * layout.quantBytes();
      if (nibbles) {
        nibbleValues(quants, i, scale, to + Tile.STRIDE * t);
      } else {
        byteValues(quants + i, scale, to + Tile.STRIDE * t);
      }
    }
  }

  private static void byteKeys(long scales, long quants, long to) {
    for (int t = 0; t < Tile.WIDTH; t += LANES) {
      FloatVector scale = Halves.floats(fromMemorySegment(S, ALL, (scales & ADDRESS) + 2 * t, LE));
      ((FloatVector) fromMemorySegment(B, ALL, (quants & ADDRESS) + t, LE).convertShape(B2F, F, 0))
          .mul(scale)
          .intoMemorySegment(ALL, (to & ADDRESS) + 4 * t, LE);
    }
  }

  private static void nibbleKeys(long scales, long quants, int shift, long to) {
    for (int t = 0; t < Tile.WIDTH; t += LANES) {
      FloatVector scale = Halves.floats(fromMemorySegment(S, ALL, (scales & ADDRESS) + 2 * t, LE));
      ((FloatVector)
              ((IntVector)
                      fromMemorySegment(B, ALL, (quants & ADDRESS) + t, LE)
                          .convertShape(ZERO_EXTEND_B2I, I, 0))
                  .lanewise(LSHR, shift)
                  .and(15)
                  .sub(8)
                  .convert(I2F, 0))
          .mul(scale)
          .intoMemorySegment(ALL, (to & ADDRESS) + 4 * t, LE);
    }
  }

  private static void byteValues(long quants, float scale, long to) {
    for (int i = 0; i < Tile.WIDTH; i += LANES) {
      ((FloatVector) fromMemorySegment(B, ALL, (quants & ADDRESS) + i, LE).convertShape(B2F, F, 0))
          .mul(scale)
          .intoMemorySegment(ALL, (to & ADDRESS) + 4 * i, LE);
    }
  }

  private static void nibbleValues(long quants, int first, float scale, long to) {
    for (int i = 0; i < Tile.WIDTH; i += LANES) {
      int at = first + i;
      ((FloatVector)
              ((IntVector)
                      fromMemorySegment(B, ALL, (quants & ADDRESS) + at % HALF, LE)
                          .convertShape(ZERO_EXTEND_B2I, I, 0))
                  .lanewise(LSHR, at < HALF ? 0 : 4)
                  .and(15)
                  .sub(8)
                  .convert(I2F, 0))
          .mul(scale)
          .intoMemorySegment(ALL, (to & ADDRESS) + 4 * i, LE);
    }
  }
}
