package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.IntVector.fromMemorySegment;
import static jdk.incubator.vector.ShortVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ADDRESS;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;
import static org.llamaj.kernel.vector.Lanes.W;
import static org.llamaj.kernel.vector.Lanes.f32;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Q4_0: half scale, 16 bytes of nibbles, byte i holding value i below and value i + 16 above;
 * {@code scale * (q - 8)}.
 *
 * <p>The dot products take as many blocks at a time as have their nibbles in a vector: four of 512
 * bits. Activations are rounded per block and arranged as {@link Rounding} tells, in groups of six
 * vectors: the coefficients of the four digits of a short, their sum times -8, and the scales.
 */
enum SignedNibbleFormat implements StreamedFormat {
  INSTANCE;

  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;
  private static final int BLOCK_BYTES = 18;

  /** The nibbles of so many blocks fill a vector. */
  private static final int GROUP = LANES / 4;

  private static final int GROUP_COLUMNS = GROUP * BLOCK;

  private static final int GROUP_BYTES = GROUP * BLOCK_BYTES;

  /** Bytes of a group's arranged activations. */
  private static final int ARRANGED_BYTES = 6 * VECTOR_BYTES;

  /**
   * Of a scale, sign-extended and shifted left by 13, the sign, and exponent and mantissa in their
   * places in a float that is then 2^-112 of the value. Half of what is missing the activations
   * bring along, the other half the sum gets in the end: nothing in between is too small or too
   * large for a float. {@link Halves} would cost a tenth of the speed. A block whose scale is
   * subnormal takes long, as told there, but such a one has no weight above 2^-11.
   */
  private static final int SCALE_BITS = 0x8FFFE000;

  private static final float SCALE_ROOT = 0x1p56f;

  /** Eight products of weights, -8 to 7, must fit 16 bits. */
  private static final int LIMIT = 511;

  // Which lanes are of the second, third, fourth block and later ones.
  private static final VectorMask<Integer> SECOND = VectorMask.fromLong(I, -1L << (4 & LANES - 1));
  private static final VectorMask<Integer> THIRD = VectorMask.fromLong(I, -1L << (8 & LANES - 1));
  private static final VectorMask<Integer> FOURTH = VectorMask.fromLong(I, -1L << (12 & LANES - 1));

  /** Of four blocks, 9 shorts long, the scale for all lanes of each. */
  private static final VectorShuffle<Short> SCALES =
      VectorShuffle.fromOp(W, i -> i / 8 * 9 & W.length() - 1);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decode(weights, columns / BLOCK, target);
  }

  private static void decode(long weights, int blocks, long target) {
    for (int b = 0; b < blocks; b++) {
      long block = weights + (long) BLOCK_BYTES * b;
      float scale = Float.float16ToFloat(ALL.get(SHORT, block));
      float minimum = -8 * scale;
      for (int i = 0; i < HALF; i += LANES) {
        IntVector pair =
            ((IntVector)
                fromMemorySegment(B, ALL, block + 2 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
        long at = target + 4L * (BLOCK * b + i);
        ((FloatVector) pair.and(15).convert(I2F, 0))
            .mul(scale)
            .add(minimum)
            .intoMemorySegment(ALL, at, LE);
        ((FloatVector) pair.lanewise(LSHR, 4).convert(I2F, 0))
            .mul(scale)
            .add(minimum)
            .intoMemorySegment(ALL, at + 64, LE);
      }
    }
  }

  @Override
  public int preparedFloats(int columns) {
    return columns / GROUP_COLUMNS * ARRANGED_BYTES / 4 + columns % GROUP_COLUMNS;
  }

  /** Groups; behind them, as they are, the activations that fill none. */
  @Override
  public long prepare(long x, int columns, long target) {
    int groups = columns / GROUP_COLUMNS;
    for (int b = 0; b < groups * GROUP; b++) {
      long group = target + (long) ARRANGED_BYTES * (b / GROUP);
      prepareBlock(x + 4L * BLOCK * b, group + VECTOR_BYTES / GROUP * (b % GROUP));
    }
    MemorySegment.copy(
        ALL,
        x + 4L * GROUP_COLUMNS * groups,
        ALL,
        target + (long) ARRANGED_BYTES * groups,
        4L * (columns % GROUP_COLUMNS));
    return target;
  }

  private static void prepareBlock(long x, long target) {
    float greatest = Rounding.greatest(x, BLOCK);
    float inverse = Rounding.inverse(greatest, LIMIT);
    int before = 0;
    for (int pair = 0; pair < HALF / 2; pair++) { // two bytes, four digits
      if (pair % 2 == 0) {
        before = 0;
      }
      int x0 = Rounding.round(x + 8L * pair, inverse);
      int x1 = Rounding.round(x + 8L * pair + 4 * HALF, inverse);
      int x2 = Rounding.round(x + 8L * pair + 4, inverse);
      int x3 = Rounding.round(x + 8L * pair + 4 * HALF + 4, inverse);
      long at = target + 2L * pair;
      Rounding.store(at, x0 - 16 * before);
      Rounding.store(at + VECTOR_BYTES, x1 - 16 * x0);
      Rounding.store(at + 2 * VECTOR_BYTES, x2 - 16 * x1);
      Rounding.store(at + 3 * VECTOR_BYTES, x3 - 16 * x2);
      Rounding.store(at + 4 * VECTOR_BYTES, -8 * (x0 + x1 + x2 + x3));
      before = x3;
    }
    float scale = greatest / LIMIT * Rounding.HALVES_SCALE * SCALE_ROOT;
    for (int lane = 0; lane < HALF / 4; lane++) {
      f32(target + 5 * VECTOR_BYTES + 4 * lane, scale);
    }
  }

  @Override
  public int scratchFloats(int columns) {
    return columns % GROUP_COLUMNS;
  }

  @Override
  public float dot(long row, long x, int columns, long scratch) {
    int groups = columns / GROUP_COLUMNS;
    float sum = dotGroups(row, x, groups);
    int rest = columns % GROUP_COLUMNS;
    if (rest > 0) {
      decode(row + (long) GROUP_BYTES * groups, rest / BLOCK, scratch);
      sum += Dot.one(scratch, x + (long) ARRANGED_BYTES * groups, rest);
    }
    return sum;
  }

  private static float dotGroups(long row, long x, int groups) {
    FloatVector sum = FloatVector.zero(F);
    int end = groups * ARRANGED_BYTES;
    for (int at = 0; at < end; at += ARRANGED_BYTES) {
      long group = row & ADDRESS;
      long xg = x + at & ADDRESS;
      // Each block's 16 bytes to their place: a block is 2 bytes longer than its nibbles.
      IntVector v = fromMemorySegment(I, ALL, group + 2, LE);
      if (LANES >= 8) {
        v = v.blend(fromMemorySegment(I, ALL, group + 4, LE), SECOND);
      }
      if (LANES == 16) {
        v = v.blend(fromMemorySegment(I, ALL, group + 6, LE), THIRD);
        v = v.blend(fromMemorySegment(I, ALL, group + 8, LE), FOURTH);
      }
      ShortVector low =
          v.reinterpretAsShorts()
              .mul(fromMemorySegment(W, ALL, xg, LE))
              .add(fromMemorySegment(W, ALL, xg + 4 * VECTOR_BYTES, LE));
      low =
          v.lanewise(LSHR, 4)
              .reinterpretAsShorts()
              .mul(fromMemorySegment(W, ALL, xg + VECTOR_BYTES, LE))
              .add(low);
      ShortVector high =
          v.lanewise(LSHR, 8)
              .reinterpretAsShorts()
              .mul(fromMemorySegment(W, ALL, xg + 2 * VECTOR_BYTES, LE));
      high =
          v.lanewise(LSHR, 12)
              .reinterpretAsShorts()
              .mul(fromMemorySegment(W, ALL, xg + 3 * VECTOR_BYTES, LE))
              .add(high);
      IntVector scale;
      if (LANES == 16) {
        scale =
            fromMemorySegment(W, ALL, group, LE)
                .rearrange(SCALES)
                .reinterpretAsInts()
                .lanewise(ASHR, 3)
                .and(SCALE_BITS);
      } else {
        scale = IntVector.broadcast(I, ALL.get(SHORT, group) << 13 & SCALE_BITS);
        if (LANES == 8) {
          scale =
              scale.blend(
                  IntVector.broadcast(I, ALL.get(SHORT, group + BLOCK_BYTES) << 13 & SCALE_BITS),
                  SECOND);
        }
      }
      sum =
          Rounding.sumHalves(low.add(high))
              .fma(
                  scale
                      .reinterpretAsFloats()
                      .mul(fromMemorySegment(F, ALL, xg + 5 * VECTOR_BYTES, LE)),
                  sum);
      row += GROUP_BYTES;
    }
    return SCALE_ROOT * sum.reduceLanes(ADD);
  }
}
