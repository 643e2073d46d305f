package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.INT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Nibbles that choose one of 16 unevenly spaced levels, 32 values in 16 bytes. The scales of a row
 * are unpacked at first, so that both types have the same loop.
 */
enum NonLinearFormat implements Format {
  /** Half scale, nibbles. */
  IQ4_NL(18, 2, 1) {
    @Override
    void unpackScales(long weights, int blocks, long scales) {
      for (int b = 0; b < blocks; b++) {
        ALL.set(FLOAT, scales + 4L * b, Float.float16ToFloat(ALL.get(SHORT, weights + 18L * b)));
      }
    }
  },

  /** Half scale, 8 x 2 upper bits and 8 x 4 lower bits of sub-scales, nibbles of 8 blocks. */
  IQ4_XS(136, 8, 8) {
    @Override
    void unpackScales(long weights, int blocks, long scales) {
      for (int b = 0; b < blocks; b++) {
        long group = weights + 136L * (b >> 3);
        int low = ALL.get(JAVA_BYTE, group + 4 + ((b & 7) >> 1)) >> 4 * (b & 1) & 0xF;
        int high = ALL.get(INT, group) >>> 16 + 2 * (b & 7) & 3;
        ALL.set(
            FLOAT,
            scales + 4L * b,
            Float.float16ToFloat(ALL.get(SHORT, group)) * ((low | high << 4) - 32));
      }
    }
  };

  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;

  /** Dense around zero, where most weights are. */
  private static final float[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  // The levels in one, two or four vectors; those too many repeat the first.
  private static final IntVector LEVELS_0 = levels(0);
  private static final IntVector LEVELS_1 = levels(LANES & 15);
  private static final IntVector LEVELS_2 = levels(2 * LANES & 15);
  private static final IntVector LEVELS_3 = levels(3 * LANES & 15);

  private final int groupBytes;
  private final int headerBytes;
  private final int groupBlocks;

  /** Groups of blocks that share a header. */
  NonLinearFormat(int groupBytes, int headerBytes, int groupBlocks) {
    this.groupBytes = groupBytes;
    this.headerBytes = headerBytes;
    this.groupBlocks = groupBlocks;
  }

  private static IntVector levels(int from) {
    return FloatVector.fromArray(F, LEVELS, from).reinterpretAsInts();
  }

  /** Leaves the factor of each block at {@code scales}. */
  abstract void unpackScales(long weights, int blocks, long scales);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    int blocks = columns / BLOCK;
    long scales = scratch.spare(blocks);
    unpackScales(weights, blocks, scales);
    int shift = Integer.numberOfTrailingZeros(groupBlocks);
    for (int b = 0; b < blocks; b++) {
      long nibbles =
          weights + (long) groupBytes * (b >> shift) + headerBytes + 16 * (b & (1 << shift) - 1);
      decodeBlock(nibbles, ALL.get(FLOAT, scales + 4L * b), target + 4L * BLOCK * b);
    }
  }

  private static void decodeBlock(long nibbles, float scale, long target) {
    for (int i = 0; i < HALF; i += LANES) {
      IntVector pair =
          ((IntVector)
              fromMemorySegment(B, ALL, nibbles + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
      IntVector low = pair.and(0xF);
      IntVector high = pair.lanewise(LSHR, 4);
      low =
          LANES == 16
              ? low.selectFrom(LEVELS_0)
              : LANES == 8
                  ? low.selectFrom(LEVELS_0, LEVELS_1)
                  : low.selectFrom(LEVELS_0, LEVELS_1)
                      .blend(low.selectFrom(LEVELS_2, LEVELS_3), low.compare(GT, 7));
      high =
          LANES == 16
              ? high.selectFrom(LEVELS_0)
              : LANES == 8
                  ? high.selectFrom(LEVELS_0, LEVELS_1)
                  : high.selectFrom(LEVELS_0, LEVELS_1)
                      .blend(high.selectFrom(LEVELS_2, LEVELS_3), high.compare(GT, 7));
      low.reinterpretAsFloats().mul(scale).intoMemorySegment(ALL, target + 4L * i, LE);
      high.reinterpretAsFloats().mul(scale).intoMemorySegment(ALL, target + 4L * (HALF + i), LE);
    }
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    int blocks = columns / BLOCK;
    long scales = scratch.spare(blocks);
    int shift = Integer.numberOfTrailingZeros(groupBlocks);
    for (int i = 0; i < rows; i++) {
      long row = weights + i * rowBytes;
      unpackScales(row, blocks, scales);
      ALL.set(FLOAT, output + 4L * i, dot(row, shift, groupBytes, headerBytes, x, blocks, scales));
    }
  }

  private static float dot(
      long weights, int shift, int groupBytes, int headerBytes, long x, int blocks, long scales) {
    FloatVector sum = FloatVector.zero(F);
    for (int b = 0; b < blocks; b++) {
      long nibbles =
          weights + (long) groupBytes * (b >> shift) + headerBytes + 16 * (b & (1 << shift) - 1);
      long xb = x + 4L * BLOCK * b;
      FloatVector t = FloatVector.zero(F);
      for (int i = 0; i < HALF; i += LANES) {
        IntVector pair =
            ((IntVector)
                fromMemorySegment(B, ALL, nibbles + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
        IntVector low = pair.and(0xF);
        IntVector high = pair.lanewise(LSHR, 4);
        low =
            LANES == 16
                ? low.selectFrom(LEVELS_0)
                : LANES == 8
                    ? low.selectFrom(LEVELS_0, LEVELS_1)
                    : low.selectFrom(LEVELS_0, LEVELS_1)
                        .blend(low.selectFrom(LEVELS_2, LEVELS_3), low.compare(GT, 7));
        high =
            LANES == 16
                ? high.selectFrom(LEVELS_0)
                : LANES == 8
                    ? high.selectFrom(LEVELS_0, LEVELS_1)
                    : high.selectFrom(LEVELS_0, LEVELS_1)
                        .blend(high.selectFrom(LEVELS_2, LEVELS_3), high.compare(GT, 7));
        t = low.reinterpretAsFloats().fma(fromMemorySegment(F, ALL, xb + 4L * i, LE), t);
        t = high.reinterpretAsFloats().fma(fromMemorySegment(F, ALL, xb + 4L * (HALF + i), LE), t);
      }
      sum = t.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scales + 4L * b)), sum);
    }
    return sum.reduceLanes(ADD);
  }
}
