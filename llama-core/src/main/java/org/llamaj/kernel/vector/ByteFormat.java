package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.B2F;
import static org.llamaj.kernel.vector.Lanes.ADDRESS;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.f32;

import jdk.incubator.vector.FloatVector;

/**
 * Q8_0: half scale, 32 signed bytes.
 *
 * <p>Dot products are taken four rows at a time, one from each quarter of what there is to do: see
 * the package's notes on reading from memory.
 */
enum ByteFormat implements Format {
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
    return columns / BLOCK * BLOCK_BYTES;
  }

  /** Blocks are as many floats apart as those of weights are bytes. */
  @Override
  public long prepare(long x, int columns, long target) {
    for (int b = 0; b < columns / BLOCK; b++) {
      for (int i = 0; i < BLOCK; i += LANES) {
        fromMemorySegment(F, ALL, x + 4L * (BLOCK * b + i), LE)
            .intoMemorySegment(ALL, target + 4L * (BLOCK_BYTES * b + i), LE);
      }
    }
    return target;
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    int quarter = rows / 4;
    for (int i = 0; i < quarter; i++) {
      dots(weights + i * rowBytes, quarter * rowBytes, x, columns, output + 4L * i, 4L * quarter);
    }
    for (int i = 4 * quarter; i < rows; i++) {
      dots(weights + i * rowBytes, 0, x, columns, output + 4L * i, 0);
    }
  }

  /**
   * The dot products of four rows, so many bytes apart, or of one row four times. The rows' blocks
   * and the activations have the same index: that leaves little arithmetic of addresses.
   */
  private static void dots(
      long rows, long rowStride, long x, int columns, long outputs, long outputStride) {
    long row0 = rows & ADDRESS;
    long row1 = rows + rowStride & ADDRESS;
    long row2 = rows + 2 * rowStride & ADDRESS;
    long row3 = rows + 3 * rowStride & ADDRESS;
    long values = x & ADDRESS;
    FloatVector sum0 = FloatVector.zero(F);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    int end = columns / BLOCK * BLOCK_BYTES;
    for (int at = 0; at < end; at += BLOCK_BYTES) {
      long block0 = row0 + at;
      long block1 = row1 + at;
      long block2 = row2 + at;
      long block3 = row3 + at;
      long xb = values + 4L * at;
      FloatVector v = fromMemorySegment(F, ALL, xb, LE);
      FloatVector t0 =
          ((FloatVector) fromMemorySegment(B, ALL, block0 + 2, LE).convertShape(B2F, F, 0)).mul(v);
      FloatVector t1 =
          ((FloatVector) fromMemorySegment(B, ALL, block1 + 2, LE).convertShape(B2F, F, 0)).mul(v);
      FloatVector t2 =
          ((FloatVector) fromMemorySegment(B, ALL, block2 + 2, LE).convertShape(B2F, F, 0)).mul(v);
      FloatVector t3 =
          ((FloatVector) fromMemorySegment(B, ALL, block3 + 2, LE).convertShape(B2F, F, 0)).mul(v);
      for (int i = LANES; i < BLOCK; i += LANES) {
        v = fromMemorySegment(F, ALL, xb + 4 * i, LE);
        t0 =
            ((FloatVector) fromMemorySegment(B, ALL, block0 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(v, t0);
        t1 =
            ((FloatVector) fromMemorySegment(B, ALL, block1 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(v, t1);
        t2 =
            ((FloatVector) fromMemorySegment(B, ALL, block2 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(v, t2);
        t3 =
            ((FloatVector) fromMemorySegment(B, ALL, block3 + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(v, t3);
      }
      sum0 = t0.fma(FloatVector.broadcast(F, Halves.FLOATS[ALL.get(SHORT, block0) & 0xFFFF]), sum0);
      sum1 = t1.fma(FloatVector.broadcast(F, Halves.FLOATS[ALL.get(SHORT, block1) & 0xFFFF]), sum1);
      sum2 = t2.fma(FloatVector.broadcast(F, Halves.FLOATS[ALL.get(SHORT, block2) & 0xFFFF]), sum2);
      sum3 = t3.fma(FloatVector.broadcast(F, Halves.FLOATS[ALL.get(SHORT, block3) & 0xFFFF]), sum3);
    }
    f32(outputs, sum0.reduceLanes(ADD));
    f32(outputs + outputStride, sum1.reduceLanes(ADD));
    f32(outputs + 2 * outputStride, sum2.reduceLanes(ADD));
    f32(outputs + 3 * outputStride, sum3.reduceLanes(ADD));
  }
}
