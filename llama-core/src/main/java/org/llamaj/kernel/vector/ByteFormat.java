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
  public void dots(
      long first,
      long second,
      long x,
      int columns,
      long scratch,
      long firstOutput,
      long secondOutput) {
    FloatVector firstSum = FloatVector.zero(F);
    FloatVector secondSum = firstSum;
    int end = 4 * columns;
    for (int at = 0; at < end; at += 4 * BLOCK) {
      long firstBlock = first & ADDRESS;
      long secondBlock = second & ADDRESS;
      long values = x + at & ADDRESS;
      FloatVector v = fromMemorySegment(F, ALL, values, LE);
      FloatVector t =
          ((FloatVector) fromMemorySegment(B, ALL, firstBlock + 2, LE).convertShape(B2F, F, 0))
              .mul(v);
      FloatVector u =
          ((FloatVector) fromMemorySegment(B, ALL, secondBlock + 2, LE).convertShape(B2F, F, 0))
              .mul(v);
      for (int i = LANES; i < BLOCK; i += LANES) {
        v = fromMemorySegment(F, ALL, values + 4 * i, LE);
        t =
            ((FloatVector)
                    fromMemorySegment(B, ALL, firstBlock + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(v, t);
        u =
            ((FloatVector)
                    fromMemorySegment(B, ALL, secondBlock + 2 + i, LE).convertShape(B2F, F, 0))
                .fma(v, u);
      }
      float firstScale = Float.float16ToFloat(ALL.get(SHORT, firstBlock));
      firstSum = t.fma(FloatVector.broadcast(F, firstScale), firstSum);
      float secondScale = Float.float16ToFloat(ALL.get(SHORT, secondBlock));
      secondSum = u.fma(FloatVector.broadcast(F, secondScale), secondSum);
      first += BLOCK_BYTES;
      second += BLOCK_BYTES;
    }
    f32(firstOutput, firstSum.reduceLanes(ADD));
    f32(secondOutput, secondSum.reduceLanes(ADD));
  }
}
