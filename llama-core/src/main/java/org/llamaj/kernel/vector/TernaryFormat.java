package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.f32;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Values -1, 0 and 1 times a half scale, in super-blocks of 256. */
enum TernaryFormat implements Format {
  /** 48 bytes of five values, 4 bytes of four values, half scale. */
  TQ1_0(54) {
    @Override
    void decodeBlock(long block, float scale, long target) {
      digits(block, 32, scale, target);
      digits(block + 32, 16, scale, target + 4 * 160);
      for (int i = 0; i < 4; i++) { // fewer bytes than there may be lanes
        int fraction = ALL.get(JAVA_BYTE, block + 48 + i) & 0xFF;
        for (int digit = 0; digit < 4; digit++) {
          fraction *= 3;
          f32(target + 4L * (240 + 4 * digit + i), ((fraction >> 8) - 1) * scale);
          fraction &= 0xFF;
        }
      }
    }

    /** A byte is a fraction of 256; its values are its digits to the base 3. */
    private static void digits(long packed, int bytes, float scale, long target) {
      for (int i = 0; i < bytes; i += LANES) {
        IntVector fraction =
            (IntVector)
                fromMemorySegment(B, ALL, packed + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0);
        for (int digit = 0; digit < 5; digit++) {
          fraction = fraction.mul(3);
          ((FloatVector) fraction.lanewise(LSHR, 8).sub(1).convert(I2F, 0))
              .mul(scale)
              .intoMemorySegment(ALL, target + 4L * (digit * bytes + i), LE);
          fraction = fraction.and(0xFF);
        }
      }
    }
  },

  /** 64 bytes of four values, half scale. */
  TQ2_0(66) {
    @Override
    void decodeBlock(long block, float scale, long target) {
      for (int i = 0; i < 64; i += LANES) {
        IntVector pairs =
            (IntVector)
                fromMemorySegment(B, ALL, block + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0);
        for (int k = 0; k < 4; k++) {
          ((FloatVector) pairs.and(3).sub(1).convert(I2F, 0))
              .mul(scale)
              .intoMemorySegment(ALL, target + 4L * (i / 32 * 128 + 32 * k + i % 32), LE);
          pairs = pairs.lanewise(LSHR, 2);
        }
      }
    }
  };

  private static final int BLOCK = 256;

  private final int blockBytes;

  TernaryFormat(int blockBytes) {
    this.blockBytes = blockBytes;
  }

  abstract void decodeBlock(long block, float scale, long target);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    for (int b = 0; b < columns / BLOCK; b++) {
      long block = weights + (long) blockBytes * b;
      float scale = Float.float16ToFloat(ALL.get(SHORT, block + blockBytes - 2));
      decodeBlock(block, scale, target + 4L * BLOCK * b);
    }
  }
}
