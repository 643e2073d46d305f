package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.IntVector.fromMemorySegment;
import static jdk.incubator.vector.ShortVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ROR;
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
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;
import static org.llamaj.kernel.vector.Lanes.W;
import static org.llamaj.kernel.vector.Lanes.f32;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The K types: super-blocks of 256 values, whose sub-blocks have small integers as scales and
 * minima. A minimum is the same for all values of a sub-block, so the dot products take it once
 * with the sum of the sub-block's activations. Activations are rounded per super-block.
 */
enum SuperBlockFormat implements StreamedFormat {
  /** Half scale, half minimum, 12 bytes of 6-bit sub-scales and sub-minima, nibbles. */
  Q4_K(144, 511) {
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
    float dotBlocks(long weights, long x, int blocks, long room) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector minima = sum;
      long factors = x + (long) COEFFICIENT_BYTES * blocks;
      for (int at = 0; at < FACTOR_BYTES * blocks; at += FACTOR_BYTES) {
        long block = weights & ADDRESS;
        long xb = x + COEFFICIENT_BYTES / FACTOR_BYTES * at & ADDRESS;
        FloatVector scales = FloatVector.zero(F);
        if (LANES == 16) {
          scales =
              ((FloatVector)
                      ((IntVector) scalesAndMinima(block).convertShape(ZERO_EXTEND_B2I, I, 0))
                          .convert(I2F, 0))
                  .mul(
                      FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block)))
                          .blend(Float.float16ToFloat(ALL.get(SHORT, block + 2)), MINIMA))
                  .mul(fromMemorySegment(F, ALL, factors + at & ADDRESS, LE));
          minima = minima.add(scales);
        } else {
          minima = narrowScales(block, factors + at & ADDRESS, room & ADDRESS, minima);
        }
        for (int k = 0; k < VECTORS; k++) {
          IntVector v = fromMemorySegment(I, ALL, block + 16 + VECTOR_BYTES * k, LE);
          IntVector low = v.and(0x0F0F0F0F);
          IntVector high = v.lanewise(LSHR, 4).and(0x0F0F0F0F);
          long xk = xb + 4 * VECTOR_BYTES * k;
          ShortVector lows = low.reinterpretAsShorts().mul(fromMemorySegment(W, ALL, xk, LE));
          lows =
              low.lanewise(LSHR, 8)
                  .reinterpretAsShorts()
                  .mul(fromMemorySegment(W, ALL, xk + VECTOR_BYTES, LE))
                  .add(lows);
          ShortVector highs =
              high.reinterpretAsShorts().mul(fromMemorySegment(W, ALL, xk + 2 * VECTOR_BYTES, LE));
          highs =
              high.lanewise(LSHR, 8)
                  .reinterpretAsShorts()
                  .mul(fromMemorySegment(W, ALL, xk + 3 * VECTOR_BYTES, LE))
                  .add(highs);
          low = lows.reinterpretAsInts();
          low = low.lanewise(LSHL, 16).add(low.and(0xFFFF0000));
          high = highs.reinterpretAsInts();
          high = high.lanewise(LSHL, 16).add(high.and(0xFFFF0000));
          if (LANES == 16) {
            sum = ((FloatVector) low.convert(I2F, 0)).fma(scales.rearrange(LOW_SCALES), sum);
            sum = ((FloatVector) high.convert(I2F, 0)).fma(scales.rearrange(HIGH_SCALES), sum);
            scales = scales.rearrange(NEXT_SCALES);
          } else {
            long pair = (room & ADDRESS) + 8 * (k * LANES / 8);
            sum =
                ((FloatVector) low.convert(I2F, 0))
                    .fma(FloatVector.broadcast(F, ALL.get(FLOAT, pair)), sum);
            sum =
                ((FloatVector) high.convert(I2F, 0))
                    .fma(FloatVector.broadcast(F, ALL.get(FLOAT, pair + 4)), sum);
          }
        }
        weights += 144;
      }
      float total = LANES == 16 ? minima.reduceLanes(ADD, MINIMA) : minima.reduceLanes(ADD);
      return sum.reduceLanes(ADD) + total;
    }
  },

  /** As Q4_K with 32 bytes of fifth bits before the nibbles: bit s of byte i is of sub-block s. */
  Q5_K(176, 255) {
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
    float dotBlocks(long weights, long x, int blocks, long room) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector minima = sum;
      long factors = x + (long) COEFFICIENT_BYTES * blocks;
      for (int at = 0; at < FACTOR_BYTES * blocks; at += FACTOR_BYTES) {
        long block = weights & ADDRESS;
        long xb = x + COEFFICIENT_BYTES / FACTOR_BYTES * at & ADDRESS;
        FloatVector scales = FloatVector.zero(F);
        if (LANES == 16) {
          scales =
              ((FloatVector)
                      ((IntVector) scalesAndMinima(block).convertShape(ZERO_EXTEND_B2I, I, 0))
                          .convert(I2F, 0))
                  .mul(
                      FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block)))
                          .blend(Float.float16ToFloat(ALL.get(SHORT, block + 2)), MINIMA))
                  .mul(fromMemorySegment(F, ALL, factors + at & ADDRESS, LE));
          minima = minima.add(scales);
        } else {
          minima = narrowScales(block, factors + at & ADDRESS, room & ADDRESS, minima);
        }
        for (int k = 0; k < VECTORS; k++) {
          IntVector v = fromMemorySegment(I, ALL, block + 48 + VECTOR_BYTES * k, LE);
          IntVector fifth;
          if (LANES == 16) {
            fifth =
                fromMemorySegment(I, ALL, block + 16, LE)
                    .rearrange(TWICE)
                    .lanewise(LSHR, UPPER_BITS);
          } else {
            fifth = fromMemorySegment(I, ALL, block + 16 + (VECTOR_BYTES * k & 31), LE);
          }
          int bit = k * LANES / 8 * 2;
          IntVector low = v.and(0x0F0F0F0F).or(fifth.lanewise(ROR, bit - 4 & 31).and(0x10101010));
          IntVector high =
              v.lanewise(LSHR, 4)
                  .and(0x0F0F0F0F)
                  .or(fifth.lanewise(ROR, bit - 3 & 31).and(0x10101010));
          long xk = xb + 4 * VECTOR_BYTES * k;
          ShortVector lows = low.reinterpretAsShorts().mul(fromMemorySegment(W, ALL, xk, LE));
          lows =
              low.lanewise(LSHR, 8)
                  .reinterpretAsShorts()
                  .mul(fromMemorySegment(W, ALL, xk + VECTOR_BYTES, LE))
                  .add(lows);
          ShortVector highs =
              high.reinterpretAsShorts().mul(fromMemorySegment(W, ALL, xk + 2 * VECTOR_BYTES, LE));
          highs =
              high.lanewise(LSHR, 8)
                  .reinterpretAsShorts()
                  .mul(fromMemorySegment(W, ALL, xk + 3 * VECTOR_BYTES, LE))
                  .add(highs);
          low = lows.reinterpretAsInts();
          low = low.lanewise(LSHL, 16).add(low.and(0xFFFF0000));
          high = highs.reinterpretAsInts();
          high = high.lanewise(LSHL, 16).add(high.and(0xFFFF0000));
          if (LANES == 16) {
            sum = ((FloatVector) low.convert(I2F, 0)).fma(scales.rearrange(LOW_SCALES), sum);
            sum = ((FloatVector) high.convert(I2F, 0)).fma(scales.rearrange(HIGH_SCALES), sum);
            scales = scales.rearrange(NEXT_SCALES);
          } else {
            long pair = (room & ADDRESS) + 8 * (k * LANES / 8);
            sum =
                ((FloatVector) low.convert(I2F, 0))
                    .fma(FloatVector.broadcast(F, ALL.get(FLOAT, pair)), sum);
            sum =
                ((FloatVector) high.convert(I2F, 0))
                    .fma(FloatVector.broadcast(F, ALL.get(FLOAT, pair + 4)), sum);
          }
        }
        weights += 176;
      }
      float total = LANES == 16 ? minima.reduceLanes(ADD, MINIMA) : minima.reduceLanes(ADD);
      return sum.reduceLanes(ADD) + total;
    }
  };

  private static final int BLOCK = 256;

  /** Bytes of a super-block's factors. */
  private static final int FACTOR_BYTES = 4 * 16;

  /** Bytes of a super-block's coefficients. */
  private static final int COEFFICIENT_BYTES = 2 * BLOCK;

  /** How many vectors a super-block's nibbles fill. */
  private static final int VECTORS = BLOCK / 2 / VECTOR_BYTES;

  // Of 16 sub-scales those of two pairs of sub-blocks; and those of the next two pairs.
  private static final VectorShuffle<Float> LOW_SCALES = VectorShuffle.fromOp(F, i -> i / 8 * 2);
  private static final VectorShuffle<Float> HIGH_SCALES =
      VectorShuffle.fromOp(F, i -> i / 8 * 2 + 1 & LANES - 1);
  private static final VectorShuffle<Float> NEXT_SCALES =
      VectorShuffle.fromOp(F, i -> i + 4 & LANES - 1);

  private static final VectorMask<Float> MINIMA = VectorMask.fromLong(F, -1L << 8);

  // Of a super-block's first four ints, the last three hold the sub-scales: see scalesAndMinima.
  private static final VectorSpecies<Integer> HEADER = IntVector.SPECIES_128;
  private static final VectorShuffle<Integer> LOWER = VectorShuffle.fromValues(HEADER, 1, 3, 2, 3);
  private static final VectorShuffle<Integer> UPPER = VectorShuffle.fromValues(HEADER, 0, 1, 0, 2);
  private static final IntVector LOWER_SHIFT = header(0, 0, 0, 4);
  private static final IntVector LOWER_BITS =
      header(0x3F3F3F3F, 0x0F0F0F0F, 0x3F3F3F3F, 0x0F0F0F0F);
  private static final IntVector UPPER_BITS_OF_SCALES = header(0, 0x30303030, 0, 0x30303030);

  // The lower half of 16 lanes twice; and the upper one shifted to the next pair of bits.
  private static final VectorShuffle<Integer> TWICE = VectorShuffle.fromOp(I, i -> i & 7);
  private static final IntVector UPPER_BITS =
      IntVector.fromArray(I, new int[] {0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2}, 0);

  private final int blockBytes;
  private final int limit;

  /** The limit to which activations are rounded: four products must fit 16 bits. */
  SuperBlockFormat(int blockBytes, int limit) {
    this.blockBytes = blockBytes;
    this.limit = limit;
  }

  abstract void decodeBlocks(long weights, int blocks, long target);

  abstract float dotBlocks(long weights, long x, int blocks, long room);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decodeBlocks(weights, columns / BLOCK, target);
  }

  @Override
  public int preparedFloats(int columns) {
    return columns / BLOCK * (COEFFICIENT_BYTES + FACTOR_BYTES) / 4;
  }

  /**
   * For each super-block the coefficients of its activations, rounded, as {@link Rounding} tells:
   * per vector of weights the two digits of a short for the lower nibbles, then for the upper ones;
   * behind all, for each super-block what the eight sub-scales and the eight sub-minima are
   * multiplied with: the step by which activations were rounded, and minus the sums of sub-blocks.
   */
  @Override
  public long prepare(long x, int columns, long target) {
    int blocks = columns / BLOCK;
    for (int b = 0; b < blocks; b++) {
      long xb = x + 4L * BLOCK * b;
      long factors = target + (long) COEFFICIENT_BYTES * blocks + (long) FACTOR_BYTES * b;
      float greatest = Rounding.greatest(xb, BLOCK);
      float inverse = Rounding.inverse(greatest, limit);
      float step = greatest / limit;
      for (int sub = 0; sub < 8; sub++) {
        int sum = prepareSubBlock(xb, inverse, sub, target + (long) COEFFICIENT_BYTES * b);
        f32(factors + 4 * sub, step * Rounding.HALVES_SCALE);
        f32(factors + 4 * (8 + sub), -step * sum);
      }
    }
    return target;
  }

  private static int prepareSubBlock(long x, float inverse, int sub, long target) {
    int sum = 0;
    for (int i = 0; i < 32; i += 4) { // a lane of weights
      int lane = sub / 2 * 8 + i / 4;
      long at = target + 4L * VECTOR_BYTES * (lane / LANES) + 4L * (lane % LANES);
      sum +=
          Rounding.fourBytes(x + 4L * (32 * sub + i), inverse, at + 2 * VECTOR_BYTES * (sub % 2));
    }
    return sum;
  }

  @Override
  public int scratchFloats(int columns) {
    return 8 + 4;
  }

  /** One row after the other: the code for both at once would be more than C2 inlines. */
  @Override
  public void dots(
      long first,
      long second,
      long x,
      int columns,
      long scratch,
      long firstOutput,
      long secondOutput) {
    f32(firstOutput, dotBlocks(first, x, columns / BLOCK, scratch));
    f32(secondOutput, dotBlocks(second, x, columns / BLOCK, scratch));
  }

  private static IntVector header(int... ints) {
    return IntVector.fromArray(HEADER, ints, 0);
  }

  /** The eight sub-scales, then the eight sub-minima. */
  private static ByteVector scalesAndMinima(long block) {
    IntVector header = fromMemorySegment(HEADER, ALL, block, LE);
    return header
        .rearrange(LOWER)
        .lanewise(LSHR, LOWER_SHIFT)
        .and(LOWER_BITS)
        .or(header.rearrange(UPPER).lanewise(LSHR, 2).and(UPPER_BITS_OF_SCALES))
        .reinterpretAsBytes();
  }

  /** Leaves the sub-scales, multiplied, at {@code room}, and adds the minima to those of before. */
  private static FloatVector narrowScales(long block, long factors, long room, FloatVector minima) {
    scalesAndMinima(block).intoMemorySegment(ALL, room + 4 * 8, LE);
    float scale = Float.float16ToFloat(ALL.get(SHORT, block));
    float minimum = Float.float16ToFloat(ALL.get(SHORT, block + 2));
    for (int i = 0; i < 8; i += LANES) {
      ((FloatVector)
              ((IntVector)
                      fromMemorySegment(B, ALL, room + 4 * 8 + i, LE)
                          .convertShape(ZERO_EXTEND_B2I, I, 0))
                  .convert(I2F, 0))
          .mul(scale)
          .mul(fromMemorySegment(F, ALL, factors + 4 * i, LE))
          .intoMemorySegment(ALL, room + 4 * i, LE);
    }
    for (int i = 8; i < 16; i += LANES) {
      minima =
          ((FloatVector)
                  ((IntVector)
                          fromMemorySegment(B, ALL, room + 4 * 8 + i, LE)
                              .convertShape(ZERO_EXTEND_B2I, I, 0))
                      .convert(I2F, 0))
              .mul(minimum)
              .fma(fromMemorySegment(F, ALL, factors + 4 * i, LE), minima);
    }
    return minima;
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
