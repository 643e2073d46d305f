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

import jdk.incubator.vector.FloatVector;

/** Q8_0: half scale, 32 signed bytes. */
enum ByteFormat implements StreamedFormat {
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
  public float dot(long row, long x, int columns, long scratch) {
    FloatVector sum = FloatVector.zero(F);
    int end = 4 * columns;
    for (int at = 0; at < end; at += 4 * BLOCK) {
      long block = row & ADDRESS;
      long values = x + at & ADDRESS;
      FloatVector t =
          ((FloatVector) fromMemorySegment(B, ALL, block + 2, LE).convertShape(B2F, F, 0))
              .mul(fromMemorySegment(F, ALL, values, LE));
      for (int i = LANES; i < BLOCK; i += LANES) {
        t =
            ((FloatVector) fromMemorySegment(B, ALL, block + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(fromMemorySegment(F, ALL, values + 4 * i, LE), t);
      }
      float scale = Float.float16ToFloat(ALL.get(SHORT, block));
      sum = t.fma(FloatVector.broadcast(F, scale), sum);
      row += BLOCK_BYTES;
    }
    return sum.reduceLanes(ADD);
  }
}
