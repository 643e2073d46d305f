package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The K types of two bits, and of two bits and a third elsewhere: super-blocks of 16 sub-blocks of
 * 16 values. Four sub-blocks share 16 bytes.
 */
enum TwoBitFormat implements Format {
  /** 16 bytes of sub-scale and sub-minimum, 64 bytes of bit pairs, half scale, half minimum. */
  Q2_K {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int sub = 0; sub < 16 * blocks; sub++) {
        long block = weights + 84L * (sub >> 4);
        int scales = ALL.get(JAVA_BYTE, block + (sub & 15));
        float scale = Float.float16ToFloat(ALL.get(SHORT, block + 80)) * (scales & 0xF);
        float minimum = -Float.float16ToFloat(ALL.get(SHORT, block + 82)) * (scales >> 4 & 0xF);
        long bits = block + 16 + pairs(sub);
        for (int i = 0; i < 16; i += LANES) {
          IntVector q =
              ((IntVector)
                      fromMemorySegment(B, ALL, bits + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0))
                  .lanewise(LSHR, shift(sub))
                  .and(3);
          ((FloatVector) q.convert(I2F, 0))
              .mul(scale)
              .add(minimum)
              .intoMemorySegment(ALL, target + 4L * (16 * sub + i), LE);
        }
      }
    }
  },

  /** 32 bytes of third bits, 64 bytes of bit pairs, 12 bytes of 6-bit sub-scales, half scale. */
  Q3_K {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int sub = 0; sub < 16 * blocks; sub++) {
        long block = weights + 110L * (sub >> 4);
        int low = ALL.get(JAVA_BYTE, block + 96 + (sub & 7)) >> ((sub & 8) >> 1) & 0xF;
        int high = ALL.get(JAVA_BYTE, block + 104 + (sub & 3)) >> ((sub & 12) >> 1) & 3;
        float scale = Float.float16ToFloat(ALL.get(SHORT, block + 108)) * ((low | high << 4) - 32);
        long bits = block + 32 + pairs(sub);
        long thirds = block + 16 * (sub & 1);
        int third = (sub & 15) >> 1;
        for (int i = 0; i < 16; i += LANES) {
          IntVector q =
              ((IntVector)
                      fromMemorySegment(B, ALL, bits + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0))
                  .lanewise(LSHR, shift(sub))
                  .and(3);
          IntVector t =
              ((IntVector)
                      fromMemorySegment(B, ALL, thirds + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0))
                  .lanewise(LSHR, third)
                  .and(1);
          q = q.or(t.lanewise(LSHL, 2)).sub(4);
          ((FloatVector) q.convert(I2F, 0))
              .mul(scale)
              .intoMemorySegment(ALL, target + 4L * (16 * sub + i), LE);
        }
      }
    }
  };

  private static final int BLOCK = 256;

  abstract void decodeBlocks(long weights, int blocks, long target);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decodeBlocks(weights, columns / BLOCK, target);
  }

  /** Where the bytes of a sub-block are among those of its super-block. */
  private static int pairs(int sub) {
    return (sub & 8) * 4 + (sub & 1) * 16;
  }

  private static int shift(int sub) {
    return sub & 6;
  }
}
