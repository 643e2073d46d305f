package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ADDRESS;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Q6_K: 128 bytes of lower nibbles, 64 bytes of upper bit pairs, 16 signed sub-scales, half scale;
 * {@code scale * subScale * (q - 32)}. The dot product takes the 32 once per sub-block with the sum
 * of its 16 activations; these sums follow the activations.
 */
enum SixBitFormat implements Format {
  INSTANCE;

  private static final int BLOCK = 256;
  private static final long BLOCK_BYTES = 210;

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decodeBlocks(weights, columns / BLOCK, target);
  }

  private static void decodeBlocks(long weights, int blocks, long target) {
    for (int b = 0; b < blocks; b++) {
      long block = weights + BLOCK_BYTES * b;
      float scale = Float.float16ToFloat(ALL.get(SHORT, block + 208));
      for (int group = 0; group < 4; group++) {
        // 16 byte columns of a half hold four sub-blocks: two in nibbles 32 bytes apart, twice.
        int half = group >> 1;
        int side = group & 1;
        long low = block + 64 * half + 16 * side;
        long high = block + 128 + 32 * half + 16 * side;
        long scales = block + 192 + 8 * half + side;
        long at = target + 4L * (BLOCK * b + 128 * half + 16 * side);
        float scale0 = scale * ALL.get(JAVA_BYTE, scales);
        float scale1 = scale * ALL.get(JAVA_BYTE, scales + 2);
        float scale2 = scale * ALL.get(JAVA_BYTE, scales + 4);
        float scale3 = scale * ALL.get(JAVA_BYTE, scales + 6);
        for (int i = 0; i < 16; i += LANES) {
          IntVector first =
              ((IntVector)
                  fromMemorySegment(B, ALL, low + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector second =
              ((IntVector)
                  fromMemorySegment(B, ALL, low + 32 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector bits =
              ((IntVector)
                  fromMemorySegment(B, ALL, high + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector q0 = first.and(0xF).or(bits.lanewise(LSHL, 4).and(0x30)).sub(32);
          IntVector q1 = second.and(0xF).or(bits.lanewise(LSHL, 2).and(0x30)).sub(32);
          IntVector q2 = first.lanewise(LSHR, 4).or(bits.and(0x30)).sub(32);
          IntVector q3 = second.lanewise(LSHR, 4).or(bits.lanewise(LSHR, 2).and(0x30)).sub(32);
          long to = at + 4 * i;
          ((FloatVector) q0.convert(I2F, 0)).mul(scale0).intoMemorySegment(ALL, to, LE);
          ((FloatVector) q1.convert(I2F, 0)).mul(scale1).intoMemorySegment(ALL, to + 128, LE);
          ((FloatVector) q2.convert(I2F, 0)).mul(scale2).intoMemorySegment(ALL, to + 256, LE);
          ((FloatVector) q3.convert(I2F, 0)).mul(scale3).intoMemorySegment(ALL, to + 384, LE);
        }
      }
    }
  }

  @Override
  public int preparedFloats(int columns) {
    return columns + columns / 16;
  }

  /**
   * The activations in the order of the dot product: for each half of a super-block, for either
   * side of 16 byte columns, its four sub-blocks; then the sums of all sub-blocks.
   */
  @Override
  public long prepare(long x, int columns, long target) {
    for (int sub = 0; sub < columns / 16; sub++) {
      FloatVector sum = FloatVector.zero(F);
      int place = sub & ~7 | (sub & 1) << 2 | (sub & 6) >> 1;
      for (int i = 0; i < 16; i += LANES) {
        FloatVector values = fromMemorySegment(F, ALL, x + 4L * (16 * sub + i), LE);
        values.intoMemorySegment(ALL, target + 4L * (16 * place + i), LE);
        sum = sum.add(values);
      }
      ALL.set(FLOAT, target + 4L * (columns + sub), sum.reduceLanes(ADD));
    }
    return target;
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    int blocks = columns / BLOCK;
    long scales = scratch.floats(columns / 16);
    for (int i = 0; i < rows; i++) {
      long row = weights + i * rowBytes;
      float offsets = unpackScales(row, x + 4L * columns, blocks, scales);
      ALL.set(FLOAT, output + 4L * i, dot(row, x, blocks, scales) - offsets);
    }
  }

  /**
   * Leaves the sub-scales of a row, times the scales, at {@code scales}, and returns 32 times their
   * product with the sums of activations.
   */
  private static float unpackScales(long weights, long sums, int blocks, long scales) {
    FloatVector sum = FloatVector.zero(F);
    for (int at = 0; at < 64 * blocks; at += 64) {
      long block = weights & ADDRESS;
      FloatVector scale =
          FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block + 208)));
      for (int i = 0; i < 16; i += LANES) {
        FloatVector scaled =
            ((FloatVector) fromMemorySegment(B, ALL, block + 192 + i, LE).convertShape(B2F, F, 0))
                .mul(scale);
        scaled.intoMemorySegment(ALL, (scales + at & ADDRESS) + 4 * i, LE);
        sum = scaled.fma(fromMemorySegment(F, ALL, (sums + at & ADDRESS) + 4 * i, LE), sum);
      }
      weights += BLOCK_BYTES;
    }
    return 32 * sum.reduceLanes(ADD);
  }

  private static float dot(long weights, long x, int blocks, long scales) {
    FloatVector sum = FloatVector.zero(F);
    FloatVector sum2 = sum;
    for (int at = 0; at < 64 * blocks; at += 64) {
      long block = weights & ADDRESS;
      for (int group = 0; group < 4; group++) {
        int half = group >> 1;
        int side = group & 1;
        long low = block + (64 * half + 16 * side);
        long high = block + (128 + 32 * half + 16 * side);
        long scale = (scales + at & ADDRESS) + 4 * (8 * half + side);
        long xb = (x + 16L * at & ADDRESS) + 256 * group;
        FloatVector t0 = FloatVector.zero(F);
        FloatVector t1 = t0;
        FloatVector t2 = t0;
        FloatVector t3 = t0;
        for (int i = 0; i < 16; i += LANES) {
          IntVector first =
              ((IntVector)
                  fromMemorySegment(B, ALL, low + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector second =
              ((IntVector)
                  fromMemorySegment(B, ALL, low + 32 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector bits =
              ((IntVector)
                  fromMemorySegment(B, ALL, high + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector q0 = first.and(0xF).or(bits.lanewise(LSHL, 4).and(0x30));
          IntVector q1 = second.and(0xF).or(bits.lanewise(LSHL, 2).and(0x30));
          IntVector q2 = first.lanewise(LSHR, 4).or(bits.and(0x30));
          IntVector q3 = second.lanewise(LSHR, 4).or(bits.lanewise(LSHR, 2).and(0x30));
          long xi = xb + 4 * i;
          t0 = ((FloatVector) q0.convert(I2F, 0)).fma(fromMemorySegment(F, ALL, xi, LE), t0);
          t1 = ((FloatVector) q1.convert(I2F, 0)).fma(fromMemorySegment(F, ALL, xi + 64, LE), t1);
          t2 = ((FloatVector) q2.convert(I2F, 0)).fma(fromMemorySegment(F, ALL, xi + 128, LE), t2);
          t3 = ((FloatVector) q3.convert(I2F, 0)).fma(fromMemorySegment(F, ALL, xi + 192, LE), t3);
        }
        sum = t0.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale)), sum);
        sum2 = t1.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale + 8)), sum2);
        sum = t2.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale + 16)), sum);
        sum2 = t3.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale + 24)), sum2);
      }
      weights += BLOCK_BYTES;
    }
    return sum.add(sum2).reduceLanes(ADD);
  }
}
