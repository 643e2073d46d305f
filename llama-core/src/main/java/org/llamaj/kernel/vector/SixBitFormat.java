package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.broadcast;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.i8;
import static org.llamaj.kernel.vector.Lanes.signedBytes;
import static org.llamaj.kernel.vector.Lanes.store;
import static org.llamaj.kernel.vector.Lanes.toFloat;
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
          long to = at + 4 * i;
          store(toFloat(sixBits0(first, bits).sub(32)).mul(scale0), to);
          store(toFloat(sixBits1(second, bits).sub(32)).mul(scale1), to + 4 * 32);
          store(toFloat(sixBits2(first, bits).sub(32)).mul(scale2), to + 4 * 64);
          store(toFloat(sixBits3(second, bits).sub(32)).mul(scale3), to + 4 * 96);
        }
      }
    }
  }

  @Override
  public int preparedFloats(int columns) {
    return columns + columns / 16;
  }

  @Override
  public long prepare(long x, int columns, long target) {
    for (int column = 0; column < columns; column += 16) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      for (int i = 0; i < 16; i += LANES) {
        FloatVector values = floats(x + 4L * (column + i));
        store(values, target + 4L * (column + i));
        sum = sum.add(values);
      }
      f32(target + 4L * (columns + column / 16), sum.reduceLanes(VectorOperators.ADD));
    }
    return target;
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      f32(output + 4L * i, dot(weights + i * rowBytes, x, x + 4L * columns, columns / BLOCK));
    }
  }

  private static float dot(long weights, long x, long sums, int blocks) {
    FloatVector sum = FloatVector.zero(Lanes.F);
    for (int b = 0; b < blocks; b++) {
      long block = weights + BLOCK_BYTES * b;
      float scale = f16(block + 208);
      FloatVector offset = broadcast(-32 * scale);
      for (int i = 0; i < 16; i += LANES) {
        FloatVector scaled = signedBytes(block + 192 + i).mul(floats(sums + 4L * (16 * b + i)));
        sum = scaled.fma(offset, sum);
      }
      for (int group = 0; group < 4; group++) {
        int half = group >> 1;
        int side = group & 1;
        long low = block + 64 * half + 16 * side;
        long high = block + 128 + 32 * half + 16 * side;
        long scales = block + 192 + 8 * half + side;
        long xg = x + 4L * (BLOCK * b + 128 * half + 16 * side);
        FloatVector scale0 = broadcast(scale * i8(scales));
        FloatVector scale1 = broadcast(scale * i8(scales + 2));
        FloatVector scale2 = broadcast(scale * i8(scales + 4));
        FloatVector scale3 = broadcast(scale * i8(scales + 6));
        for (int i = 0; i < 16; i += LANES) {
          IntVector first = unsignedBytes(low + i);
          IntVector second = unsignedBytes(low + 32 + i);
          IntVector bits = unsignedBytes(high + i);
          long xi = xg + 4 * i;
          sum = toFloat(sixBits0(first, bits)).mul(floats(xi)).fma(scale0, sum);
          sum = toFloat(sixBits1(second, bits)).mul(floats(xi + 4 * 32)).fma(scale1, sum);
          sum = toFloat(sixBits2(first, bits)).mul(floats(xi + 4 * 64)).fma(scale2, sum);
          sum = toFloat(sixBits3(second, bits)).mul(floats(xi + 4 * 96)).fma(scale3, sum);
        }
      }
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  private static IntVector sixBits0(IntVector low, IntVector high) {
    return low.and(0xF).or(high.lanewise(VectorOperators.LSHL, 4).and(0x30));
  }

  private static IntVector sixBits1(IntVector low, IntVector high) {
    return low.and(0xF).or(high.lanewise(VectorOperators.LSHL, 2).and(0x30));
  }

  private static IntVector sixBits2(IntVector low, IntVector high) {
    return low.lanewise(VectorOperators.LSHR, 4).or(high.and(0x30));
  }

  private static IntVector sixBits3(IntVector low, IntVector high) {
    return low.lanewise(VectorOperators.LSHR, 4)
        .or(high.lanewise(VectorOperators.LSHR, 2).and(0x30));
  }
}
