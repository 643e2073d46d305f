package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.broadcast;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.i32;
import static org.llamaj.kernel.vector.Lanes.i64;
import static org.llamaj.kernel.vector.Lanes.store;
import static org.llamaj.kernel.vector.Lanes.toFloat;
import static org.llamaj.kernel.vector.Lanes.unsignedBytes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The K types: super-blocks of 256 values, whose sub-blocks have small integers as scales and
 * minima. A minimum is the same for all values of a sub-block, so the dot products take it once
 * with the sum of the sub-block's activations. Sub-scales are unpacked for a whole row at first:
 * then the main loop loads and broadcasts them in one instruction.
 */
enum SuperBlockFormat implements Format {
  /** Half scale, half minimum, 12 bytes of 6-bit sub-scales and sub-minima, nibbles. */
  Q4_K {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 144L * b;
        float scale = f16(block);
        float minimum = -f16(block + 2);
        long scales = subScales(block + 4);
        long minima = subMinima(block + 4);
        for (int pair = 0; pair < 4; pair++) {
          float lowScale = scale * (scales & 0xFF);
          float highScale = scale / 16 * (scales >>> 8 & 0xFF);
          float lowMinimum = minimum * (minima & 0xFF);
          float highMinimum = minimum * (minima >>> 8 & 0xFF);
          scales >>>= 16;
          minima >>>= 16;
          for (int i = 0; i < 32; i += LANES) {
            IntVector q = unsignedBytes(block + 16 + 32 * pair + i);
            long at = target + 4L * (BLOCK * b + 64 * pair + i);
            store(toFloat(q.and(0xF)).mul(lowScale).add(lowMinimum), at);
            store(toFloat(q.and(0xF0)).mul(highScale).add(highMinimum), at + 4 * 32);
          }
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks, long scales) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector highSum = sum;
      for (int pair = 0; pair < 4 * blocks; pair++) {
        long q = weights + 144L * (pair >> 2) + (16 + 32 * (pair & 3));
        FloatVector low = FloatVector.zero(F);
        FloatVector high = low;
        for (int i = 0; i < 32; i += LANES) {
          IntVector bytes = unsignedBytes(q + i);
          low = toFloat(bytes.and(0xF)).fma(floats(x + 256L * pair + 4 * i), low);
          high = toFloat(bytes.and(0xF0)).fma(floats(x + 256L * pair + 4 * i + 128), high);
        }
        sum = low.fma(broadcast(f32(scales + 8L * pair)), sum);
        highSum = high.fma(broadcast(f32(scales + 8L * pair + 4)), highSum);
      }
      return sum.add(highSum).reduceLanes(VectorOperators.ADD);
    }
  },

  /** As Q4_K with 32 bytes of fifth bits before the nibbles: bit s of byte i is of sub-block s. */
  Q5_K {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 176L * b;
        float scale = f16(block);
        float minimum = -f16(block + 2);
        long scales = subScales(block + 4);
        long minima = subMinima(block + 4);
        for (int pair = 0; pair < 4; pair++) {
          float lowScale = scale * (scales & 0xFF);
          float highScale = scale * (scales >>> 8 & 0xFF);
          float lowMinimum = minimum * (minima & 0xFF);
          float highMinimum = minimum * (minima >>> 8 & 0xFF);
          scales >>>= 16;
          minima >>>= 16;
          for (int i = 0; i < 32; i += LANES) {
            IntVector q = unsignedBytes(block + 48 + 32 * pair + i);
            IntVector fifth =
                unsignedBytes(block + 16 + i).lanewise(VectorOperators.LSHR, 2 * pair);
            IntVector low = q.and(0xF).or(fifth.and(1).lanewise(VectorOperators.LSHL, 4));
            IntVector high =
                q.lanewise(VectorOperators.LSHR, 4)
                    .or(fifth.and(2).lanewise(VectorOperators.LSHL, 3));
            long at = target + 4L * (BLOCK * b + 64 * pair + i);
            store(toFloat(low).mul(lowScale).add(lowMinimum), at);
            store(toFloat(high).mul(highScale).add(highMinimum), at + 4 * 32);
          }
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks, long scales) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector highSum = sum;
      for (int pair = 0; pair < 4 * blocks; pair++) {
        long q = weights + 176L * (pair >> 2) + (48 + 32 * (pair & 3));
        long fifth = weights + 176L * (pair >> 2) + 16;
        FloatVector low = FloatVector.zero(F);
        FloatVector high = low;
        for (int i = 0; i < 32; i += LANES) {
          IntVector bytes = unsignedBytes(q + i);
          IntVector bits = unsignedBytes(fifth + i).lanewise(VectorOperators.LSHR, 2 * (pair & 3));
          IntVector lowBit = bits.lanewise(VectorOperators.LSHL, 4).and(0x10);
          IntVector highBit = bits.lanewise(VectorOperators.LSHL, 7).and(0x100);
          low = toFloat(bytes.and(0xF).or(lowBit)).fma(floats(x + 256L * pair + 4 * i), low);
          high =
              toFloat(bytes.and(0xF0).or(highBit)).fma(floats(x + 256L * pair + 4 * i + 128), high);
        }
        sum = low.fma(broadcast(f32(scales + 8L * pair)), sum);
        highSum = high.fma(broadcast(f32(scales + 8L * pair + 4)), highSum);
      }
      return sum.add(highSum).reduceLanes(VectorOperators.ADD);
    }
  };

  private static final int BLOCK = 256;

  abstract void decodeBlocks(long weights, int blocks, long target);

  /** The products without the minima; {@code scales} are as {@link #unpackScales} left them. */
  abstract float dot(long weights, long x, int blocks, long scales);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decodeBlocks(weights, columns / BLOCK, target);
  }

  @Override
  public int preparedFloats(int columns) {
    return columns + columns / BLOCK * 16;
  }

  /**
   * The activations, those of odd sub-blocks divided by 16 because their nibbles are used where
   * they are; then for each super-block eight zeros and the eight sums of its sub-blocks.
   */
  @Override
  public long prepare(long x, int columns, long target) {
    for (int sub = 0; sub < columns / 32; sub++) {
      FloatVector sum = FloatVector.zero(F);
      float factor = (sub & 1) == 0 ? 1 : 1f / 16;
      for (int i = 0; i < 32; i += LANES) {
        FloatVector values = floats(x + 4L * (32 * sub + i));
        store(values.mul(factor), target + 4L * (32 * sub + i));
        sum = sum.add(values);
      }
      long sums = target + 4L * (columns + 16 * (sub / 8) + sub % 8);
      f32(sums, 0);
      f32(sums + 4 * 8, sum.reduceLanes(VectorOperators.ADD));
    }
    return target;
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    int blocks = columns / BLOCK;
    long scales = scratch.floats(12L * blocks + LANES);
    for (int i = 0; i < rows; i++) {
      long row = weights + i * rowBytes;
      float minima = unpackScales(row, (int) (rowBytes / blocks), blocks, x + 4L * columns, scales);
      f32(output + 4L * i, dot(row, x, blocks, scales) - minima);
    }
  }

  /**
   * Leaves the sub-scales of a row, times the scales, at {@code scales}, and returns the product of
   * minima and activations.
   */
  private static float unpackScales(
      long weights, int blockBytes, int blocks, long sums, long scales) {
    long bytes = scales + 32L * blocks + 4 * LANES;
    for (int b = 0; b < blocks; b++) {
      long packed = weights + (long) blockBytes * b + 4;
      i64(bytes + 16L * b, subScales(packed));
      i64(bytes + 16L * b + 8, subMinima(packed));
    }
    FloatVector sum = FloatVector.zero(F);
    for (int b = 0; b < blocks; b++) {
      long block = weights + (long) blockBytes * b;
      FloatVector scale = broadcast(f16(block));
      FloatVector minimum = broadcast(f16(block + 2));
      for (int i = 0; i < 16; i += LANES) {
        FloatVector values = toFloat(unsignedBytes(bytes + 16L * b + i));
        if (i < 8) { // of 16 lanes, the upper 8 will be overwritten by the next block
          store(values.mul(scale), scales + 32L * b + 4 * i);
        }
        sum = values.mul(floats(sums + 64L * b + 4 * i)).fma(minimum, sum);
      }
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  /** The eight sub-scales, one in each byte, the first lowest. */
  private static long subScales(long packed) {
    int first = i32(packed);
    int third = i32(packed + 8);
    int upper = third & 0x0F0F0F0F | first >>> 2 & 0x30303030;
    return first & 0x3F3F3F3FL | (long) upper << 32;
  }

  /** The eight sub-minima, one in each byte, the first lowest. */
  private static long subMinima(long packed) {
    int second = i32(packed + 4);
    int third = i32(packed + 8);
    int upper = third >>> 4 & 0x0F0F0F0F | second >>> 2 & 0x30303030;
    return second & 0x3F3F3F3FL | (long) upper << 32;
  }
}
