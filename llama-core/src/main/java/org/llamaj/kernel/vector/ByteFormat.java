package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.B2F;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import jdk.incubator.vector.FloatVector;

/** Q8_0: half scale, 32 signed bytes. */
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
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      ALL.set(FLOAT, output + 4L * i, dot(weights + i * rowBytes, x, columns / BLOCK));
    }
  }

  private static float dot(long weights, long x, int blocks) {
    FloatVector sum = FloatVector.zero(F);
    for (int b = 0; b < blocks; b++) {
      long block = weights + (long) BLOCK_BYTES * b;
      long xb = x + 4L * BLOCK * b;
      FloatVector t =
          ((FloatVector) fromMemorySegment(B, ALL, block + 2, LE).convertShape(B2F, F, 0))
              .mul(fromMemorySegment(F, ALL, xb, LE));
      for (int i = LANES; i < BLOCK; i += LANES) {
        t =
            ((FloatVector) fromMemorySegment(B, ALL, block + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(fromMemorySegment(F, ALL, xb + 4L * i, LE), t);
      }
      sum = t.fma(FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block))), sum);
    }
    return sum.reduceLanes(ADD);
  }
}
