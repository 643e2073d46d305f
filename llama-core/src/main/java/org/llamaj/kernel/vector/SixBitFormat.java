package org.llamaj.kernel.vector;

import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.broadcast;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.i8;
import static org.llamaj.kernel.vector.Lanes.signedBytes;
import static org.llamaj.kernel.vector.Lanes.store;
import static org.llamaj.kernel.vector.Lanes.unsignedBytes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

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
      float scale = f16(block + 208);
      for (int group = 0; group < 4; group++) {
        // 16 byte columns of a half hold four sub-blocks: two in nibbles 32 bytes apart, twice.
        int half = group >> 1;
        int side = group & 1;
        long low = block + 64 * half + 16 * side;
        long high = block + 128 + 32 * half + 16 * side;
        long scales = block + 192 + 8 * half + side;
        long at = target + 4L * (BLOCK * b + 128 * half + 16 * side);
        float scale0 = scale * i8(scales);
        float scale1 = scale * i8(scales + 2);
        float scale2 = scale * i8(scales + 4);
        float scale3 = scale * i8(scales + 6);
        for (int i = 0; i < 16; i += LANES) {
          IntVector first = unsignedBytes(low + i);
          IntVector second = unsignedBytes(low + 32 + i);
          IntVector bits = unsignedBytes(high + i);
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
        FloatVector values = floats(x + 4L * (16 * sub + i));
        store(values, target + 4L * (16 * place + i));
        sum = sum.add(values);
      }
      f32(target + 4L * (columns + sub), sum.reduceLanes(VectorOperators.ADD));
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
      f32(output + 4L * i, dot(row, x, blocks, scales) - offsets);
    }
  }

  /**
   * Leaves the sub-scales of a row, times the scales, at {@code scales}, and returns 32 times their
   * product with the sums of activations.
   */
  private static float unpackScales(long weights, long sums, int blocks, long scales) {
    FloatVector sum = FloatVector.zero(F);
    for (int b = 0; b < blocks; b++) {
      long block = weights + BLOCK_BYTES * b;
      FloatVector scale = broadcast(f16(block + 208));
      for (int i = 0; i < 16; i += LANES) {
        FloatVector scaled = signedBytes(block + 192 + i).mul(scale);
        store(scaled, scales + 4L * (16 * b + i));
        sum = scaled.fma(floats(sums + 4L * (16 * b + i)), sum);
      }
    }
    return 32 * sum.reduceLanes(VectorOperators.ADD);
  }

  private static float dot(long weights, long x, int blocks, long scales) {
    FloatVector sum = FloatVector.zero(F);
    FloatVector sum2 = sum;
    for (int group = 0; group < 4 * blocks; group++) {
      long block = weights + BLOCK_BYTES * (group >> 2);
      int half = group >> 1 & 1;
      int side = group & 1;
      long low = block + (64 * half + 16 * side);
      long high = block + (128 + 32 * half + 16 * side);
      long scale = scales + 64L * (group >> 2) + 4 * (8 * half + side);
      FloatVector t0 = FloatVector.zero(F);
      FloatVector t1 = t0;
      FloatVector t2 = t0;
      FloatVector t3 = t0;
      for (int i = 0; i < 16; i += LANES) {
        IntVector first = unsignedBytes(low + i);
        IntVector second = unsignedBytes(low + 32 + i);
        IntVector bits = unsignedBytes(high + i);
        IntVector q0 = first.and(0xF).or(bits.lanewise(LSHL, 4).and(0x30));
        IntVector q1 = second.and(0xF).or(bits.lanewise(LSHL, 2).and(0x30));
        IntVector q2 = first.lanewise(LSHR, 4).or(bits.and(0x30));
        IntVector q3 = second.lanewise(LSHR, 4).or(bits.lanewise(LSHR, 2).and(0x30));
        long xi = x + 256L * group + 4 * i;
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
    return sum.add(sum2).reduceLanes(VectorOperators.ADD);
  }
}
