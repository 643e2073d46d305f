package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * MXFP4: an E8M0 scale, 16 bytes of 32 four-bit floats (E2M1), i in the low half of byte i, i + 16
 * in the high.
 */
enum MicroscalingFormat implements Format {
  INSTANCE;

  private static final int BLOCK = 32;
  private static final int BLOCK_BYTES = 17;

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    for (int b = 0; b < columns / BLOCK; b++) {
      decodeBlock(weights + (long) BLOCK_BYTES * b, target + 4L * BLOCK * b);
    }
  }

  private static void decodeBlock(long block, long target) {
    float halfScale = Math.scalb(0.5f, (ALL.get(JAVA_BYTE, block) & 0xFF) - 127);
    for (int i = 0; i < BLOCK / 2; i += LANES) {
      IntVector pair =
          (IntVector)
              fromMemorySegment(B, ALL, block + 1 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0);
      store(pair.and(0xF), halfScale, target + 4 * i);
      store(pair.lanewise(LSHR, 4), halfScale, target + 4 * (BLOCK / 2 + i));
    }
  }

  /** Sign, two bits of exponent, one of mantissa; twice their value is an integer. */
  private static void store(IntVector codes, float halfScale, long target) {
    IntVector magnitude = codes.and(7);
    IntVector normal = magnitude.and(1).or(2).lanewise(LSHL, magnitude.lanewise(LSHR, 1).sub(1));
    IntVector twice = normal.blend(magnitude, magnitude.compare(LT, 2));
    ((FloatVector) twice.blend(twice.neg(), codes.compare(LT, 8).not()).convert(I2F, 0))
        .mul(halfScale)
        .intoMemorySegment(ALL, target, LE);
  }
}
