package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.i8;
import static org.llamaj.kernel.vector.Lanes.store;
import static org.llamaj.kernel.vector.Lanes.toFloat;
import static org.llamaj.kernel.vector.Lanes.unsignedBytes;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

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
        int scales = i8(block + (sub & 15));
        float scale = f16(block + 80) * (scales & 0xF);
        float minimum = -f16(block + 82) * (scales >> 4 & 0xF);
        long bits = block + 16 + pairs(sub);
        for (int i = 0; i < 16; i += LANES) {
          IntVector q = unsignedBytes(bits + i).lanewise(VectorOperators.LSHR, shift(sub)).and(3);
          store(toFloat(q).mul(scale).add(minimum), target + 4L * (16 * sub + i));
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
        int low = i8(block + 96 + (sub & 7)) >> ((sub & 8) >> 1) & 0xF;
        int high = i8(block + 104 + (sub & 3)) >> ((sub & 12) >> 1) & 3;
        float scale = f16(block + 108) * ((low | high << 4) - 32);
        long bits = block + 32 + pairs(sub);
        long thirds = block + 16 * (sub & 1);
        int third = (sub & 15) >> 1;
        for (int i = 0; i < 16; i += LANES) {
          IntVector q = unsignedBytes(bits + i).lanewise(VectorOperators.LSHR, shift(sub)).and(3);
          IntVector t = unsignedBytes(thirds + i).lanewise(VectorOperators.LSHR, third).and(1);
          q = q.or(t.lanewise(VectorOperators.LSHL, 2)).sub(4);
          store(toFloat(q).mul(scale), target + 4L * (16 * sub + i));
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
