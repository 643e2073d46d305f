package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.IntVector.fromMemorySegment;
import static jdk.incubator.vector.ShortVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.ASHR;
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

  /** Which lanes are of the second of two blocks. */
  private static final VectorMask<Integer> SECOND = VectorMask.fromLong(I, -1L << (4 & LANES - 1));

  /**
   * The nibbles of four blocks: of 36 shorts, of which two vectors hold the first and the last 32,
   * all but each ninth.
   */
  private static final ShortVector NIBBLES = nibbles();

  private static ShortVector nibbles() {
    short[] places = new short[W.length()];
    for (int i = 0; i < places.length; i++) {
      int place = i / 8 * 9 + 1 + i % 8;
      places[i] = (short) (place < W.length() ? place : place - 4 + W.length());
    }
    return ShortVector.fromArray(W, places, 0);
  }

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
  public void dots(
      long first,
      long second,
      long x,
      int columns,
      long scratch,
      long firstOutput,
      long secondOutput) {
    int groups = columns / GROUP_COLUMNS;
    dotGroups(first, second, x, groups, firstOutput, secondOutput);
    int rest = columns % GROUP_COLUMNS;
    if (rest > 0) {
      long restOfX = x + (long) ARRANGED_BYTES * groups;
      long done = (long) GROUP_BYTES * groups;
      decode(first + done, rest / BLOCK, scratch);
      float firstSum = f32(firstOutput) + Dot.one(scratch, restOfX, rest);
      decode(second + done, rest / BLOCK, scratch);
      f32(secondOutput, f32(secondOutput) + Dot.one(scratch, restOfX, rest));
      f32(firstOutput, firstSum); // last: both may be the same
    }
  }

  private static void dotGroups(
      long first, long second, long x, int groups, long firstOutput, long secondOutput) {
    FloatVector firstSum = FloatVector.zero(F);
    FloatVector secondSum = firstSum;
    int end = groups * ARRANGED_BYTES;
    for (int at = 0; at < end; at += ARRANGED_BYTES) {
      long firstGroup = first & ADDRESS;
      long secondGroup = second & ADDRESS;
      long xg = x + at & ADDRESS;
      // Each block's 16 bytes to their place: a block is 2 bytes longer than its nibbles.
      IntVector v;
      IntVector w;
      IntVector scale;
      IntVector scale2;
      if (LANES == 16) {
        ShortVector start = fromMemorySegment(W, ALL, firstGroup, LE);
        v =
            NIBBLES
                .selectFrom(start, fromMemorySegment(W, ALL, firstGroup + 8, LE))
                .reinterpretAsInts();
        scale = start.rearrange(SCALES).reinterpretAsInts().lanewise(ASHR, 3).and(SCALE_BITS);
        start = fromMemorySegment(W, ALL, secondGroup, LE);
        w =
            NIBBLES
                .selectFrom(start, fromMemorySegment(W, ALL, secondGroup + 8, LE))
                .reinterpretAsInts();
        scale2 = start.rearrange(SCALES).reinterpretAsInts().lanewise(ASHR, 3).and(SCALE_BITS);
      } else {
        v = fromMemorySegment(I, ALL, firstGroup + 2, LE);
        w = fromMemorySegment(I, ALL, secondGroup + 2, LE);
        scale = IntVector.broadcast(I, ALL.get(SHORT, firstGroup) << 13 & SCALE_BITS);
        scale2 = IntVector.broadcast(I, ALL.get(SHORT, secondGroup) << 13 & SCALE_BITS);
        if (LANES == 8) {
          v = v.blend(fromMemorySegment(I, ALL, firstGroup + 4, LE), SECOND);
          w = w.blend(fromMemorySegment(I, ALL, secondGroup + 4, LE), SECOND);
          scale =
              scale.blend(
                  IntVector.broadcast(
                      I, ALL.get(SHORT, firstGroup + BLOCK_BYTES) << 13 & SCALE_BITS),
                  SECOND);
          scale2 =
              scale2.blend(
                  IntVector.broadcast(
                      I, ALL.get(SHORT, secondGroup + BLOCK_BYTES) << 13 & SCALE_BITS),
                  SECOND);
        }
      }
      ShortVector c = fromMemorySegment(W, ALL, xg, LE);
      ShortVector offset = fromMemorySegment(W, ALL, xg + 4 * VECTOR_BYTES, LE);
      ShortVector t = v.reinterpretAsShorts().mul(c).add(offset);
      ShortVector u = w.reinterpretAsShorts().mul(c).add(offset);
      c = fromMemorySegment(W, ALL, xg + VECTOR_BYTES, LE);
      t = v.lanewise(LSHR, 4).reinterpretAsShorts().mul(c).add(t);
      u = w.lanewise(LSHR, 4).reinterpretAsShorts().mul(c).add(u);
      c = fromMemorySegment(W, ALL, xg + 2 * VECTOR_BYTES, LE);
      t = v.lanewise(LSHR, 8).reinterpretAsShorts().mul(c).add(t);
      u = w.lanewise(LSHR, 8).reinterpretAsShorts().mul(c).add(u);
      c = fromMemorySegment(W, ALL, xg + 3 * VECTOR_BYTES, LE);
      t = v.lanewise(LSHR, 12).reinterpretAsShorts().mul(c).add(t);
      u = w.lanewise(LSHR, 12).reinterpretAsShorts().mul(c).add(u);
      FloatVector step = fromMemorySegment(F, ALL, xg + 5 * VECTOR_BYTES, LE);
      v = t.reinterpretAsInts();
      v = v.lanewise(LSHL, 16).add(v.and(0xFFFF0000));
      firstSum =
          ((FloatVector) v.convert(I2F, 0)).fma(scale.reinterpretAsFloats().mul(step), firstSum);
      w = u.reinterpretAsInts();
      w = w.lanewise(LSHL, 16).add(w.and(0xFFFF0000));
      secondSum =
          ((FloatVector) w.convert(I2F, 0)).fma(scale2.reinterpretAsFloats().mul(step), secondSum);
      first += GROUP_BYTES;
      second += GROUP_BYTES;
    }
    ALL.set(FLOAT, firstOutput & ADDRESS, SCALE_ROOT * firstSum.reduceLanes(ADD));
    ALL.set(FLOAT, secondOutput & ADDRESS, SCALE_ROOT * secondSum.reduceLanes(ADD));
  }
}
