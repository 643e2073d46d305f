package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.B2F;
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

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Q8_0: half scale, 32 signed bytes. */
enum ByteFormat implements FourRowFormat {
  INSTANCE;

  private static final int BLOCK = 32;
  private static final int BLOCK_BYTES = 34;

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decode(weights, columns, target);
  }

  private static void decode(long weights, int columns, long target) {
    for (int b = 0; b < columns / BLOCK; b++) {
      long block = weights + (long) BLOCK_BYTES * b;
      float scale = Float.float16ToFloat(ALL.get(SHORT, block));
      for (int i = 0; i < BLOCK; i += LANES) {
        ((FloatVector) fromMemorySegment(B, ALL, block + 2 + i, LE).convertShape(B2F, F, 0))
            .mul(scale)
            .intoMemorySegment(ALL, target + 4L * (BLOCK * b + i), LE);
      }
    }
  }

  @Override
  public int preparedFloats(int columns) {
    return columns;
  }

  @Override
  public long prepare(long x, int columns, long target) {
    RowOperations.scale(x, columns, HALF_SCALE_ROOT, target);
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
    int end = 4 * columns;
    for (int at = 0; at < end; at += 4 * BLOCK) {
      long block0 = row & ADDRESS;
      long block1 = row1 & ADDRESS;
      long block2 = row2 & ADDRESS;
      long block3 = row3 & ADDRESS;
      long ahead = next & ADDRESS;
      touched ^= ALL.get(JAVA_BYTE, ahead) ^ ALL.get(JAVA_BYTE, ahead + 2 * BLOCK_BYTES);
      FloatVector scale0 =
          IntVector.broadcast(I, ALL.get(SHORT, block0) << 13 & HALF_BITS).reinterpretAsFloats();
      FloatVector scale1 =
          IntVector.broadcast(I, ALL.get(SHORT, block1) << 13 & HALF_BITS).reinterpretAsFloats();
      FloatVector scale2 =
          IntVector.broadcast(I, ALL.get(SHORT, block2) << 13 & HALF_BITS).reinterpretAsFloats();
      FloatVector scale3 =
          IntVector.broadcast(I, ALL.get(SHORT, block3) << 13 & HALF_BITS).reinterpretAsFloats();
      long values = x + at & ADDRESS;
      FloatVector t =
          ((FloatVector) fromMemorySegment(B, ALL, block0 + 2, LE).convertShape(B2F, F, 0))
              .mul(fromMemorySegment(F, ALL, values, LE));
      for (int i = LANES; i < BLOCK; i += LANES) {
        t =
            ((FloatVector) fromMemorySegment(B, ALL, block0 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(fromMemorySegment(F, ALL, values + 4 * i, LE), t);
      }
      sum0 = t.fma(scale0, sum0);
      t =
          ((FloatVector) fromMemorySegment(B, ALL, block1 + 2, LE).convertShape(B2F, F, 0))
              .mul(fromMemorySegment(F, ALL, values, LE));
      for (int i = LANES; i < BLOCK; i += LANES) {
        t =
            ((FloatVector) fromMemorySegment(B, ALL, block1 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(fromMemorySegment(F, ALL, values + 4 * i, LE), t);
      }
      sum1 = t.fma(scale1, sum1);
      t =
          ((FloatVector) fromMemorySegment(B, ALL, block2 + 2, LE).convertShape(B2F, F, 0))
              .mul(fromMemorySegment(F, ALL, values, LE));
      for (int i = LANES; i < BLOCK; i += LANES) {
        t =
            ((FloatVector) fromMemorySegment(B, ALL, block2 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(fromMemorySegment(F, ALL, values + 4 * i, LE), t);
      }
      sum2 = t.fma(scale2, sum2);
      t =
          ((FloatVector) fromMemorySegment(B, ALL, block3 + 2, LE).convertShape(B2F, F, 0))
              .mul(fromMemorySegment(F, ALL, values, LE));
      for (int i = LANES; i < BLOCK; i += LANES) {
        t =
            ((FloatVector) fromMemorySegment(B, ALL, block3 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(fromMemorySegment(F, ALL, values + 4 * i, LE), t);
      }
      sum3 = t.fma(scale3, sum3);
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
