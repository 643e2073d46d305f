package org.llamaj.kernel.vector;

import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;

import jdk.incubator.vector.FloatVector;

/** Dot products of float rows. */
final class Dot {
  private Dot() {}

  static float one(long a, long b, int count) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    int i = 0;
    for (; i <= count - 2 * LANES; i += 2 * LANES) {
      s0 =
          fromMemorySegment(F, ALL, a + 4L * i, LE)
              .fma(fromMemorySegment(F, ALL, b + 4L * i, LE), s0);
      s1 =
          fromMemorySegment(F, ALL, a + 4L * i + VECTOR_BYTES, LE)
              .fma(fromMemorySegment(F, ALL, b + 4L * i + VECTOR_BYTES, LE), s1);
    }
    float sum = s0.add(s1).reduceLanes(ADD);
    return sum + tail(a, b, i, count);
  }

  /** One row with four: {@code output[i * outputStride] = a . (b + i * bStride)}. */
  static void four(long a, long b, long bStride, int count, long output, long outputStride) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    long b1 = b + bStride;
    long b2 = b1 + bStride;
    long b3 = b2 + bStride;
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector w = fromMemorySegment(F, ALL, a + 4L * i, LE);
      s0 = w.fma(fromMemorySegment(F, ALL, b + 4L * i, LE), s0);
      s1 = w.fma(fromMemorySegment(F, ALL, b1 + 4L * i, LE), s1);
      s2 = w.fma(fromMemorySegment(F, ALL, b2 + 4L * i, LE), s2);
      s3 = w.fma(fromMemorySegment(F, ALL, b3 + 4L * i, LE), s3);
    }
    ALL.set(FLOAT, output, s0.reduceLanes(ADD) + tail(a, b, i, count));
    ALL.set(FLOAT, output + outputStride, s1.reduceLanes(ADD) + tail(a, b1, i, count));
    ALL.set(FLOAT, output + 2 * outputStride, s2.reduceLanes(ADD) + tail(a, b2, i, count));
    ALL.set(FLOAT, output + 3 * outputStride, s3.reduceLanes(ADD) + tail(a, b3, i, count));
  }

  private static float tail(long a, long b, int from, int count) {
    float sum = 0;
    for (int i = from; i < count; i++) {
      sum += ALL.get(FLOAT, a + 4L * i) * ALL.get(FLOAT, b + 4L * i);
    }
    return sum;
  }
}
