package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.i32;
import static org.llamaj.kernel.vector.Lanes.store;
import static org.llamaj.kernel.vector.Lanes.toFloat;
import static org.llamaj.kernel.vector.Lanes.unsignedBytes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The K types: super-blocks of 256 values, whose sub-blocks have small integers as scales and
 * minima. A minimum is the same for all values of a sub-block, so the dot products take it once
 * with the sum of the sub-block's activations, which follow the activations.
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
    float dot(long weights, long x, long sums, int blocks) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      float minimumSum = 0;
      for (int b = 0; b < blocks; b++) {
        long block = weights + 144L * b;
        float scale = f16(block);
        long scales = subScales(block + 4);
        minimumSum += f16(block + 2) * minima(subMinima(block + 4), sums + 4L * 8 * b);
        for (int pair = 0; pair < 4; pair++) {
          long q = block + 16 + 32 * pair;
          long xp = x + 4L * (BLOCK * b + 64 * pair);
          FloatVector low = FloatVector.zero(Lanes.F);
          FloatVector high = low;
          for (int i = 0; i < 32; i += LANES) {
            IntVector bytes = unsignedBytes(q + i);
            low = toFloat(bytes.and(0xF)).fma(floats(xp + 4L * i), low);
            high = toFloat(bytes.and(0xF0)).fma(floats(xp + 4L * (32 + i)), high);
          }
          sum = low.fma(Lanes.broadcast(scale * (scales & 0xFF)), sum);
          sum = high.fma(Lanes.broadcast(scale / 16 * (scales >>> 8 & 0xFF)), sum);
          scales >>>= 16;
        }
      }
      return sum.reduceLanes(VectorOperators.ADD) - minimumSum;
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
    float dot(long weights, long x, long sums, int blocks) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      float minimumSum = 0;
      for (int b = 0; b < blocks; b++) {
        long block = weights + 176L * b;
        float scale = f16(block);
        long scales = subScales(block + 4);
        minimumSum += f16(block + 2) * minima(subMinima(block + 4), sums + 4L * 8 * b);
        for (int pair = 0; pair < 4; pair++) {
          long q = block + 48 + 32 * pair;
          long xp = x + 4L * (BLOCK * b + 64 * pair);
          FloatVector low = FloatVector.zero(Lanes.F);
          FloatVector high = low;
          for (int i = 0; i < 32; i += LANES) {
            IntVector bytes = unsignedBytes(q + i);
            IntVector fifth =
                unsignedBytes(block + 16 + i).lanewise(VectorOperators.LSHR, 2 * pair);
            IntVector lowBits = fifth.and(1).lanewise(VectorOperators.LSHL, 4);
            IntVector highBits = fifth.and(2).lanewise(VectorOperators.LSHL, 7);
            low = toFloat(bytes.and(0xF).or(lowBits)).fma(floats(xp + 4L * i), low);
            high = toFloat(bytes.and(0xF0).or(highBits)).fma(floats(xp + 4L * (32 + i)), high);
          }
          sum = low.fma(Lanes.broadcast(scale * (scales & 0xFF)), sum);
          sum = high.fma(Lanes.broadcast(scale / 16 * (scales >>> 8 & 0xFF)), sum);
          scales >>>= 16;
        }
      }
      return sum.reduceLanes(VectorOperators.ADD) - minimumSum;
    }
  };

  private static final int BLOCK = 256;

  abstract void decodeBlocks(long weights, int blocks, long target);

  abstract float dot(long weights, long x, long sums, int blocks);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decodeBlocks(weights, columns / BLOCK, target);
  }

  @Override
  public int preparedFloats(int columns) {
    return columns + columns / 32;
  }

  @Override
  public long prepare(long x, int columns, long target) {
    for (int column = 0; column < columns; column += 32) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      for (int i = 0; i < 32; i += LANES) {
        FloatVector values = floats(x + 4L * (column + i));
        store(values, target + 4L * (column + i));
        sum = sum.add(values);
      }
      f32(target + 4L * (columns + column / 32), sum.reduceLanes(VectorOperators.ADD));
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

  /** The sum of eight sub-minima times the sums of their activations. */
  private static float minima(long minima, long sums) {
    float even = 0;
    float odd = 0;
    for (int i = 0; i < 8; i += 2) {
      even += (minima & 0xFF) * f32(sums + 4L * i);
      odd += (minima >>> 8 & 0xFF) * f32(sums + 4L * i + 4);
      minima >>>= 16;
    }
    return even + odd;
  }
}
