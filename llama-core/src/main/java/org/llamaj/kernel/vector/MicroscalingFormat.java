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
import static org.llamaj.kernel.vector.Lanes.LONG;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.encoding.Dequantizer;

/** Four-bit floats (E2M1), two in a byte, with a scale for 16 or 32 of them. */
enum MicroscalingFormat implements Format {
  /** An E8M0 scale, 16 bytes of 32 values, i in the low half of byte i, i + 16 in the high. */
  MXFP4 {
    @Override
    public void decode(long weights, int columns, long target, Scratch scratch) {
      for (int b = 0; b < columns / 32; b++) {
        decodeBlock(weights + 17L * b, target + 4L * 32 * b);
      }
    }

    private static void decodeBlock(long block, long target) {
      float halfScale = HALF_E8M0[ALL.get(JAVA_BYTE, block) & 0xFF];
      for (int i = 0; i < 16; i += LANES) {
        IntVector pair =
            (IntVector)
                fromMemorySegment(B, ALL, block + 1 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0);
        store(pair.and(0xF), halfScale, target + 4 * i);
        store(pair.lanewise(LSHR, 4), halfScale, target + 4 * (16 + i));
      }
    }
  },

  /**
   * Four E4M3 scales without a sign, each for 16 of 64 values: 8 bytes, i in the low half of byte
   * i, i + 8 in the high.
   */
  NVFP4 {
    @Override
    public void decode(long weights, int columns, long target, Scratch scratch) {
      long codes = scratch.spare(columns / 4 + 16);
      for (int b = 0; b < columns / 64; b++) {
        unpack(weights + 36L * b, codes + 64L * b);
      }
      for (int b = 0; b < columns / 64; b++) {
        scale(weights + 36L * b, codes + 64L * b, target + 4L * 64 * b);
      }
    }

    /** Leaves 64 codes, each in a byte of its own, in their order. */
    private static void unpack(long block, long codes) {
      for (int sub = 0; sub < 4; sub++) {
        long pairs = ALL.get(LONG, block + 4 + 8 * sub);
        ALL.set(LONG, codes + 16 * sub, pairs & 0x0F0F0F0F0F0F0F0FL);
        ALL.set(LONG, codes + 16 * sub + 8, pairs >>> 4 & 0x0F0F0F0F0F0F0F0FL);
      }
    }

    private static void scale(long block, long codes, long target) {
      for (int sub = 0; sub < 4; sub++) {
        float halfScale = HALF_E4M3[ALL.get(JAVA_BYTE, block + sub) & 0xFF];
        for (int i = 16 * sub; i < 16 * sub + 16; i += LANES) {
          IntVector v =
              (IntVector)
                  fromMemorySegment(B, ALL, codes + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0);
          store(v, halfScale, target + 4 * i);
        }
      }
    }
  };

  /** By a scale's byte: half its value. */
  private static final float[] HALF_E8M0 = halfScales(ElementType.MXFP4, 1);

  private static final float[] HALF_E4M3 = halfScales(ElementType.NVFP4, 4);

  /** What the reference makes of each scale and the code of one half, which is the first one. */
  private static float[] halfScales(ElementType type, int firstCode) {
    MemorySegment block = MemorySegment.ofArray(new byte[type.blockBytes()]);
    block.set(JAVA_BYTE, firstCode, (byte) 1);
    float[] values = new float[type.blockSize()];
    float[] halves = new float[256];
    for (int bits = 0; bits < halves.length; bits++) {
      block.set(JAVA_BYTE, 0, (byte) bits);
      Dequantizer.dequantize(type, block, 0, values, 0, values.length);
      halves[bits] = values[0];
    }
    return halves;
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
