package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
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
import static org.llamaj.kernel.vector.Lanes.INT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.LONG;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

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
        float scale = Float.float16ToFloat(ALL.get(SHORT, block));
        float minimum = -Float.float16ToFloat(ALL.get(SHORT, block + 2));
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
            IntVector q =
                ((IntVector)
                    fromMemorySegment(B, ALL, block + 16 + 32 * pair + i, LE)
                        .convertShape(ZERO_EXTEND_B2I, I, 0));
            long at = target + 4L * (BLOCK * b + 64 * pair + i);
            ((FloatVector) q.and(0xF).convert(I2F, 0))
                .mul(lowScale)
                .add(lowMinimum)
                .intoMemorySegment(ALL, at, LE);
            ((FloatVector) q.and(0xF0).convert(I2F, 0))
                .mul(highScale)
                .add(highMinimum)
                .intoMemorySegment(ALL, at + 4 * 32, LE);
          }
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks, long scales) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector highSum = sum;
      for (int at = 0; at < SCALE_BYTES * blocks; at += SCALE_BYTES) {
        long block = weights & ADDRESS;
        long scale = scales + at & ADDRESS;
        long xb = x + 4L * BLOCK / SCALE_BYTES * at & ADDRESS;
        for (int pair = 0; pair < 4; pair++) {
          FloatVector low = FloatVector.zero(F);
          FloatVector high = low;
          for (int i = 0; i < 32; i += LANES) {
            IntVector bytes =
                ((IntVector)
                    fromMemorySegment(B, ALL, block + 16 + 32 * pair + i, LE)
                        .convertShape(ZERO_EXTEND_B2I, I, 0));
            low =
                ((FloatVector) bytes.and(0xF).convert(I2F, 0))
                    .fma(fromMemorySegment(F, ALL, xb + 256 * pair + 4 * i, LE), low);
            high =
                ((FloatVector) bytes.and(0xF0).convert(I2F, 0))
                    .fma(fromMemorySegment(F, ALL, xb + 256 * pair + 4 * i + 128, LE), high);
          }
          sum = low.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale + 8 * pair)), sum);
          highSum =
              high.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale + 8 * pair + 4)), highSum);
        }
        weights += 144;
      }
      return sum.add(highSum).reduceLanes(ADD);
    }
  },

  /** As Q4_K with 32 bytes of fifth bits before the nibbles: bit s of byte i is of sub-block s. */
  Q5_K {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 176L * b;
        float scale = Float.float16ToFloat(ALL.get(SHORT, block));
        float minimum = -Float.float16ToFloat(ALL.get(SHORT, block + 2));
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
            IntVector q =
                ((IntVector)
                    fromMemorySegment(B, ALL, block + 48 + 32 * pair + i, LE)
                        .convertShape(ZERO_EXTEND_B2I, I, 0));
            IntVector fifth =
                ((IntVector)
                        fromMemorySegment(B, ALL, block + 16 + i, LE)
                            .convertShape(ZERO_EXTEND_B2I, I, 0))
                    .lanewise(LSHR, 2 * pair);
            IntVector low = q.and(0xF).or(fifth.and(1).lanewise(LSHL, 4));
            IntVector high = q.lanewise(LSHR, 4).or(fifth.and(2).lanewise(LSHL, 3));
            long at = target + 4L * (BLOCK * b + 64 * pair + i);
            ((FloatVector) low.convert(I2F, 0))
                .mul(lowScale)
                .add(lowMinimum)
                .intoMemorySegment(ALL, at, LE);
            ((FloatVector) high.convert(I2F, 0))
                .mul(highScale)
                .add(highMinimum)
                .intoMemorySegment(ALL, at + 4 * 32, LE);
          }
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks, long scales) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector highSum = sum;
      for (int at = 0; at < SCALE_BYTES * blocks; at += SCALE_BYTES) {
        long block = weights & ADDRESS;
        long scale = scales + at & ADDRESS;
        long xb = x + 4L * BLOCK / SCALE_BYTES * at & ADDRESS;
        for (int pair = 0; pair < 4; pair++) {
          FloatVector low = FloatVector.zero(F);
          FloatVector high = low;
          for (int i = 0; i < 32; i += LANES) {
            IntVector bytes =
                ((IntVector)
                    fromMemorySegment(B, ALL, block + 48 + 32 * pair + i, LE)
                        .convertShape(ZERO_EXTEND_B2I, I, 0));
            IntVector bits =
                ((IntVector)
                        fromMemorySegment(B, ALL, block + 16 + i, LE)
                            .convertShape(ZERO_EXTEND_B2I, I, 0))
                    .lanewise(LSHR, 2 * pair);
            IntVector lowBit = bits.lanewise(LSHL, 4).and(0x10);
            IntVector highBit = bits.lanewise(LSHL, 7).and(0x100);
            low =
                ((FloatVector) bytes.and(0xF).or(lowBit).convert(I2F, 0))
                    .fma(fromMemorySegment(F, ALL, xb + 256 * pair + 4 * i, LE), low);
            high =
                ((FloatVector) bytes.and(0xF0).or(highBit).convert(I2F, 0))
                    .fma(fromMemorySegment(F, ALL, xb + 256 * pair + 4 * i + 128, LE), high);
          }
          sum = low.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale + 8 * pair)), sum);
          highSum =
              high.fma(FloatVector.broadcast(F, ALL.get(FLOAT, scale + 8 * pair + 4)), highSum);
        }
        weights += 176;
      }
      return sum.add(highSum).reduceLanes(ADD);
    }
  };

  private static final int BLOCK = 256;

  /** Bytes of a super-block's unpacked sub-scales. */
  private static final int SCALE_BYTES = 4 * 8;

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
        FloatVector values = fromMemorySegment(F, ALL, x + 4L * (32 * sub + i), LE);
        values.mul(factor).intoMemorySegment(ALL, target + 4L * (32 * sub + i), LE);
        sum = sum.add(values);
      }
      long sums = target + 4L * (columns + 16 * (sub / 8) + sub % 8);
      ALL.set(FLOAT, sums, 0);
      ALL.set(FLOAT, sums + 4 * 8, sum.reduceLanes(ADD));
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
      ALL.set(FLOAT, output + 4L * i, dot(row, x, blocks, scales) - minima);
    }
  }

  /**
   * Leaves the sub-scales of a row, times the scales, at {@code scales}, and returns the product of
   * minima and activations.
   */
  private static float unpackScales(
      long weights, int blockBytes, int blocks, long sums, long scales) {
    // In two loops: a load right behind two stores that it spans would wait for the cache.
    long bytes = scales + SCALE_BYTES * (long) blocks + 4 * LANES;
    long packed = weights + 4;
    for (int at = 0; at < 16 * blocks; at += 16) {
      long from = packed & ADDRESS;
      long to = bytes + at & ADDRESS;
      ALL.set(LONG, to, subScales(from));
      ALL.set(LONG, to + 8, subMinima(from));
      packed += blockBytes;
    }
    FloatVector sum = FloatVector.zero(F);
    for (int at = 0; at < SCALE_BYTES * blocks; at += SCALE_BYTES) {
      long block = weights & ADDRESS;
      FloatVector scale = FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block)));
      FloatVector minimum =
          FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block + 2)));
      for (int i = 0; i < 16; i += LANES) {
        FloatVector values =
            ((FloatVector)
                ((IntVector)
                        fromMemorySegment(B, ALL, (bytes + at / 2 & ADDRESS) + i, LE)
                            .convertShape(ZERO_EXTEND_B2I, I, 0))
                    .convert(I2F, 0));
        if (i < 8) { // of 16 lanes, the upper 8 will be overwritten by the next block
          values.mul(scale).intoMemorySegment(ALL, (scales + at & ADDRESS) + 4 * i, LE);
        }
        sum =
            values
                .mul(fromMemorySegment(F, ALL, (sums + 2L * at & ADDRESS) + 4 * i, LE))
                .fma(minimum, sum);
      }
      weights += blockBytes;
    }
    return sum.reduceLanes(ADD);
  }

  /** The eight sub-scales, one in each byte, the first lowest. */
  private static long subScales(long packed) {
    int first = ALL.get(INT, packed);
    int third = ALL.get(INT, packed + 8);
    int upper = third & 0x0F0F0F0F | first >>> 2 & 0x30303030;
    return first & 0x3F3F3F3FL | (long) upper << 32;
  }

  /** The eight sub-minima, one in each byte, the first lowest. */
  private static long subMinima(long packed) {
    int second = ALL.get(INT, packed + 4);
    int third = ALL.get(INT, packed + 8);
    int upper = third >>> 4 & 0x0F0F0F0F | second >>> 2 & 0x30303030;
    return second & 0x3F3F3F3FL | (long) upper << 32;
  }
}
