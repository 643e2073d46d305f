package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Dot products of float rows. */
final class Dot {
  private Dot() {}

  static float one(long a, long b, int count) {
    FloatVector s0 = FloatVector.zero(Lanes.F);
    FloatVector s1 = s0;
    int i = 0;
    for (; i <= count - 2 * LANES; i += 2 * LANES) {
      s0 = floats(a + 4L * i).fma(floats(b + 4L * i), s0);
      s1 = floats(a + 4L * i + VECTOR_BYTES).fma(floats(b + 4L * i + VECTOR_BYTES), s1);
    }
    float sum = s0.add(s1).reduceLanes(VectorOperators.ADD);
    return sum + tail(a, b, i, count);
  }

  /** One row with four: {@code output[i * outputStride] = a . (b + i * bStride)}. */
  static void four(long a, long b, long bStride, int count, long output, long outputStride) {
    FloatVector s0 = FloatVector.zero(Lanes.F);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    long b1 = b + bStride;
    long b2 = b1 + bStride;
    long b3 = b2 + bStride;
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector w = floats(a + 4L * i);
      s0 = w.fma(floats(b + 4L * i), s0);
      s1 = w.fma(floats(b1 + 4L * i), s1);
      s2 = w.fma(floats(b2 + 4L * i), s2);
      s3 = w.fma(floats(b3 + 4L * i), s3);
    }
    f32(output, s0.reduceLanes(VectorOperators.ADD) + tail(a, b, i, count));
    f32(output + outputStride, s1.reduceLanes(VectorOperators.ADD) + tail(a, b1, i, count));
    f32(output + 2 * outputStride, s2.reduceLanes(VectorOperators.ADD) + tail(a, b2, i, count));
    f32(output + 3 * outputStride, s3.reduceLanes(VectorOperators.ADD) + tail(a, b3, i, count));
  }

  private static float tail(long a, long b, int from, int count) {
    float sum = 0;
    for (int i = from; i < count; i++) {
      sum += f32(a + 4L * i) * f32(b + 4L * i);
    }
    return sum;
  }
}
