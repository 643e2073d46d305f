package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ADDRESS;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.HALF_BITS;
import static org.llamaj.kernel.vector.Lanes.HALF_SCALE_ROOT;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.INT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Q4_0: half scale, 16 bytes of nibbles, byte i holding value i below and value i + 16 above;
 * {@code scale * (q - 8)}.
 *
 * <p>The dot products leave the upper nibbles where they are, 16 times too large, and the 8 undone.
 * Instead the activations are arranged per block, in groups of as many byte columns as there are
 * lanes: the values for the lower nibbles, a sixteenth of the values for the upper nibbles, and
 * their sum times -8.
 */
enum SignedNibbleFormat implements FourRowFormat {
  INSTANCE;

  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;
  private static final int BLOCK_BYTES = 18;

  /** Bytes of a block's arranged activations. */
  private static final int ARRANGED_BYTES = 4 * 3 * HALF;

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
    return columns / 2 * 3;
  }

  @Override
  public long prepare(long x, int columns, long target) {
    for (int column = 0; column < columns; column += BLOCK) {
      for (int i = 0; i < HALF; i += LANES) {
        FloatVector low = fromMemorySegment(F, ALL, x + 4L * (column + i), LE).mul(HALF_SCALE_ROOT);
        FloatVector high =
            fromMemorySegment(F, ALL, x + 4L * (column + i + HALF), LE).mul(HALF_SCALE_ROOT);
        long group = target + 4L * 3 * (column / 2 + i);
        low.intoMemorySegment(ALL, group, LE);
        high.mul(1f / 16).intoMemorySegment(ALL, group + VECTOR_BYTES, LE);
        low.add(high).mul(-8).intoMemorySegment(ALL, group + 2 * VECTOR_BYTES, LE);
      }
    }
    return target;
  }

  @Override
  public void multiplyFour(long row, long rowBytes, long next, long x, int columns, long output) {
    FloatVector sum0 = FloatVector.zero(F);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    long row1 = row + rowBytes;
    long row2 = row1 + rowBytes;
    long row3 = row2 + rowBytes;
    int touched = 0;
    int end = columns / BLOCK * ARRANGED_BYTES;
    for (int at = 0; at < end; at += ARRANGED_BYTES) {
      long block0 = row & ADDRESS;
      long block1 = row1 & ADDRESS;
      long block2 = row2 & ADDRESS;
      long block3 = row3 & ADDRESS;
      touched ^= ALL.get(JAVA_BYTE, next & ADDRESS);
      FloatVector scale0 =
          IntVector.broadcast(I, ALL.get(SHORT, block0) << 13 & HALF_BITS).reinterpretAsFloats();
      FloatVector scale1 =
          IntVector.broadcast(I, ALL.get(SHORT, block1) << 13 & HALF_BITS).reinterpretAsFloats();
      FloatVector scale2 =
          IntVector.broadcast(I, ALL.get(SHORT, block2) << 13 & HALF_BITS).reinterpretAsFloats();
      FloatVector scale3 =
          IntVector.broadcast(I, ALL.get(SHORT, block3) << 13 & HALF_BITS).reinterpretAsFloats();
      for (int i = 0; i < HALF; i += LANES) {
        long group = x + at + 12L * i & ADDRESS;
        FloatVector low = fromMemorySegment(F, ALL, group, LE);
        FloatVector high = fromMemorySegment(F, ALL, group + VECTOR_BYTES, LE);
        FloatVector offset = fromMemorySegment(F, ALL, group + 2 * VECTOR_BYTES, LE);
        IntVector pair =
            ((IntVector)
                fromMemorySegment(B, ALL, block0 + 2 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
        FloatVector t = ((FloatVector) pair.and(15).convert(I2F, 0)).fma(low, offset);
        t = ((FloatVector) pair.and(0xF0).convert(I2F, 0)).fma(high, t);
        sum0 = t.fma(scale0, sum0);
        pair =
            ((IntVector)
                fromMemorySegment(B, ALL, block1 + 2 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
        t = ((FloatVector) pair.and(15).convert(I2F, 0)).fma(low, offset);
        t = ((FloatVector) pair.and(0xF0).convert(I2F, 0)).fma(high, t);
        sum1 = t.fma(scale1, sum1);
        pair =
            ((IntVector)
                fromMemorySegment(B, ALL, block2 + 2 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
        t = ((FloatVector) pair.and(15).convert(I2F, 0)).fma(low, offset);
        t = ((FloatVector) pair.and(0xF0).convert(I2F, 0)).fma(high, t);
        sum2 = t.fma(scale2, sum2);
        pair =
            ((IntVector)
                fromMemorySegment(B, ALL, block3 + 2 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
        t = ((FloatVector) pair.and(15).convert(I2F, 0)).fma(low, offset);
        t = ((FloatVector) pair.and(0xF0).convert(I2F, 0)).fma(high, t);
        sum3 = t.fma(scale3, sum3);
      }
      row += BLOCK_BYTES;
      row1 += BLOCK_BYTES;
      row2 += BLOCK_BYTES;
      row3 += BLOCK_BYTES;
      next += ROWS * BLOCK_BYTES;
    }
    long to = output & ADDRESS;
    ALL.set(FLOAT, to, HALF_SCALE_ROOT * sum0.reduceLanes(ADD));
    ALL.set(FLOAT, to + 4, HALF_SCALE_ROOT * sum1.reduceLanes(ADD));
    ALL.set(FLOAT, to + 8, HALF_SCALE_ROOT * sum2.reduceLanes(ADD));
    ALL.set(FLOAT, to + 12, HALF_SCALE_ROOT * sum3.reduceLanes(ADD));
    ALL.set(INT, to + 16, touched);
  }
}
