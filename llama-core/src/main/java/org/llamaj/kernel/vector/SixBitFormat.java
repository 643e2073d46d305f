package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.IntVector.fromMemorySegment;
import static jdk.incubator.vector.ShortVector.fromMemorySegment;
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
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;
import static org.llamaj.kernel.vector.Lanes.W;
import static org.llamaj.kernel.vector.Lanes.f32;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Q6_K: 128 bytes of lower nibbles, 64 bytes of upper bit pairs, 16 signed sub-scales, half scale;
 * {@code scale * subScale * (q - 32)}. Activations are rounded per super-block.
 */
enum SixBitFormat implements StreamedFormat {
  INSTANCE;

  private static final int BLOCK = 256;
  private static final long BLOCK_BYTES = 210;

  /** A sixth of a super-block's bytes, 32 to either side of a half, fill so many vectors. */
  private static final int GROUPS = 16 / LANES;

  /**
   * Bytes of a super-block's arranged activations, with a vector of which the last float counts.
   */
  private static final int ARRANGED_BYTES = 12 * VECTOR_BYTES * GROUPS + VECTOR_BYTES;

  /** Four products of weights, -32 to 31, must fit 16 bits. */
  private static final int LIMIT = 255;

  private static final VectorMask<Integer> SECOND_HALF =
      VectorMask.fromLong(I, -1L << (8 & LANES - 1));

  // Sub-scales of a half, two of which belong to the sides of 32 bytes.
  private static final VectorShuffle<Float> SCALES_0 = subScales(0);
  private static final VectorShuffle<Float> SCALES_1 = subScales(2);
  private static final VectorShuffle<Float> SCALES_2 = subScales(4);
  private static final VectorShuffle<Float> SCALES_3 = subScales(6);

  private static VectorShuffle<Float> subScales(int first) {
    return VectorShuffle.fromOp(F, i -> (i & 8) + first + (i >> 2 & 1) & LANES - 1);
  }

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
    return columns / BLOCK * (ARRANGED_BYTES / 4);
  }

  /**
   * For each super-block, per vector of weights and for each of the four sub-blocks that share it:
   * the coefficients of the two digits of a short, as {@link Rounding} tells, and their sum times
   * -32; behind these the step by which the super-block was rounded.
   */
  @Override
  public long prepare(long x, int columns, long target) {
    for (int b = 0; b < columns / BLOCK; b++) {
      long xb = x + 4L * BLOCK * b;
      long to = target + (long) ARRANGED_BYTES * b;
      float greatest = Rounding.greatest(xb, BLOCK);
      float inverse = Rounding.inverse(greatest, LIMIT);
      f32(to + ARRANGED_BYTES - 4, greatest / LIMIT * Rounding.HALVES_SCALE);
      for (int lane = 0; lane < 16; lane++) {
        long xl = xb + 4L * (128 * (lane / 8) + 4 * (lane % 8));
        long at = to + 12L * VECTOR_BYTES * (lane / LANES) + 4L * (lane % LANES);
        for (int k = 0; k < 4; k++) {
          Rounding.fourBytes(xl + 4 * 32 * k, inverse, -32, at + 3 * VECTOR_BYTES * k);
        }
      }
    }
    return target;
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
    f32(firstOutput, dotBlocks(first, x, columns / BLOCK));
    f32(secondOutput, dotBlocks(second, x, columns / BLOCK));
  }

  private static float dotBlocks(long weights, long x, int blocks) {
    FloatVector sum = FloatVector.zero(F);
    for (int at = 0; at < ARRANGED_BYTES * blocks; at += ARRANGED_BYTES) {
      long block = weights & ADDRESS;
      long xb = x + at & ADDRESS;
      float factor =
          Float.float16ToFloat(ALL.get(SHORT, block + 208))
              * ALL.get(FLOAT, xb + ARRANGED_BYTES - 4);
      for (int group = 0; group < GROUPS; group++) {
        // The two halves of a super-block are 64 bytes of nibbles or 32 bytes of bit pairs apart.
        int place = group * LANES & 7;
        int half = group * LANES >> 3;
        long nibbles = block + (64 * half + 4 * place);
        IntVector first = fromMemorySegment(I, ALL, nibbles, LE);
        IntVector second = fromMemorySegment(I, ALL, nibbles + 32, LE);
        IntVector pairs = fromMemorySegment(I, ALL, block + 128 + 32 * half + 4 * place, LE);
        if (LANES == 16) {
          first = first.blend(second, SECOND_HALF);
          second = second.blend(fromMemorySegment(I, ALL, nibbles + 64, LE), SECOND_HALF);
        }
        FloatVector scale0;
        FloatVector scale1;
        FloatVector scale2;
        FloatVector scale3;
        if (LANES >= 8) {
          FloatVector scales =
              ((FloatVector)
                      fromMemorySegment(B, ALL, block + 192 + 8 * half, LE).convertShape(B2F, F, 0))
                  .mul(factor);
          scale0 = scales.rearrange(SCALES_0);
          scale1 = scales.rearrange(SCALES_1);
          scale2 = scales.rearrange(SCALES_2);
          scale3 = scales.rearrange(SCALES_3);
        } else {
          long scale = block + 192 + 8 * half + (place >> 2);
          scale0 = FloatVector.broadcast(F, factor * ALL.get(JAVA_BYTE, scale));
          scale1 = FloatVector.broadcast(F, factor * ALL.get(JAVA_BYTE, scale + 2));
          scale2 = FloatVector.broadcast(F, factor * ALL.get(JAVA_BYTE, scale + 4));
          scale3 = FloatVector.broadcast(F, factor * ALL.get(JAVA_BYTE, scale + 6));
        }
        long xg = xb + 12 * VECTOR_BYTES * group;
        IntVector q = first.and(0x0F0F0F0F).or(pairs.lanewise(LSHL, 4).and(0x30303030));
        ShortVector s =
            q.reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg, LE))
                .add(fromMemorySegment(W, ALL, xg + 2 * VECTOR_BYTES, LE));
        s =
            q.lanewise(LSHR, 8)
                .reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg + VECTOR_BYTES, LE))
                .add(s);
        q = s.reinterpretAsInts();
        q = q.lanewise(LSHL, 16).add(q.and(0xFFFF0000));
        sum = ((FloatVector) q.convert(I2F, 0)).fma(scale0, sum);
        q = second.and(0x0F0F0F0F).or(pairs.lanewise(LSHL, 2).and(0x30303030));
        s =
            q.reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg + 3 * VECTOR_BYTES, LE))
                .add(fromMemorySegment(W, ALL, xg + 5 * VECTOR_BYTES, LE));
        s =
            q.lanewise(LSHR, 8)
                .reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg + 4 * VECTOR_BYTES, LE))
                .add(s);
        q = s.reinterpretAsInts();
        q = q.lanewise(LSHL, 16).add(q.and(0xFFFF0000));
        sum = ((FloatVector) q.convert(I2F, 0)).fma(scale1, sum);
        q = first.lanewise(LSHR, 4).and(0x0F0F0F0F).or(pairs.and(0x30303030));
        s =
            q.reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg + 6 * VECTOR_BYTES, LE))
                .add(fromMemorySegment(W, ALL, xg + 8 * VECTOR_BYTES, LE));
        s =
            q.lanewise(LSHR, 8)
                .reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg + 7 * VECTOR_BYTES, LE))
                .add(s);
        q = s.reinterpretAsInts();
        q = q.lanewise(LSHL, 16).add(q.and(0xFFFF0000));
        sum = ((FloatVector) q.convert(I2F, 0)).fma(scale2, sum);
        q = second.lanewise(LSHR, 4).and(0x0F0F0F0F).or(pairs.lanewise(LSHR, 2).and(0x30303030));
        s =
            q.reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg + 9 * VECTOR_BYTES, LE))
                .add(fromMemorySegment(W, ALL, xg + 11 * VECTOR_BYTES, LE));
        s =
            q.lanewise(LSHR, 8)
                .reinterpretAsShorts()
                .mul(fromMemorySegment(W, ALL, xg + 10 * VECTOR_BYTES, LE))
                .add(s);
        q = s.reinterpretAsInts();
        q = q.lanewise(LSHL, 16).add(q.and(0xFFFF0000));
        sum = ((FloatVector) q.convert(I2F, 0)).fma(scale3, sum);
      }
      weights += BLOCK_BYTES;
    }
    return sum.reduceLanes(ADD);
  }
}
