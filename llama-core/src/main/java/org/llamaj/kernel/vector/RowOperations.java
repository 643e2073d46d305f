package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/** Norm, rotation, gate and sums on one row of floats. */
final class RowOperations {
  /** Lane i takes the other value of its pair. */
  private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(Lanes.F, i -> i ^ 1);

  private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(Lanes.F, i -> i & ~1);
  private static final VectorShuffle<Float> ODD = VectorShuffle.fromOp(Lanes.F, i -> i | 1);

  /** -1 for the first and 1 for the second value of each pair. */
  private static final FloatVector SIGNS = signs();

  private RowOperations() {}

  private static FloatVector signs() {
    float[] signs = new float[LANES];
    for (int i = 0; i < LANES; i++) {
      signs[i] = i % 2 == 0 ? -1 : 1;
    }
    return FloatVector.fromArray(Lanes.F, signs, 0);
  }

  static void zero(long x, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      store(FloatVector.zero(Lanes.F), x + 4L * i);
    }
    for (; i < count; i++) {
      f32(x + 4L * i, 0);
    }
  }

  static float sumOfSquares(long x, int count) {
    return Dot.one(x, x, count);
  }

  static void scale(long x, int count, float factor, long y) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      store(floats(x + 4L * i).mul(factor), y + 4L * i);
    }
    for (; i < count; i++) {
      f32(y + 4L * i, f32(x + 4L * i) * factor);
    }
  }

  static void scale(long x, int count, float factor, long weight, long y) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      store(floats(x + 4L * i).mul(factor).mul(floats(weight + 4L * i)), y + 4L * i);
    }
    for (; i < count; i++) {
      f32(y + 4L * i, f32(x + 4L * i) * factor * f32(weight + 4L * i));
    }
  }

  /** Turns the pairs of one head. */
  static void rotate(long x, int count, long angles) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector pairs = floats(x + 4L * i);
      FloatVector turn = floats(angles + 4L * i);
      FloatVector sin = turn.rearrange(ODD).mul(SIGNS);
      FloatVector turned = pairs.mul(turn.rearrange(EVEN));
      store(pairs.rearrange(SWAP).fma(sin, turned), x + 4L * i);
    }
    for (; i < count; i += 2) {
      float re = f32(x + 4L * i);
      float im = f32(x + 4L * i + 4);
      float cos = f32(angles + 4L * i);
      float sin = f32(angles + 4L * i + 4);
      f32(x + 4L * i, re * cos - im * sin);
      f32(x + 4L * i + 4, re * sin + im * cos);
    }
  }

  /** gate = gate * up / (1 + e^-gate). */
  static void swiGlu(long gate, long up, int count, long scratch) {
    Exponential.exp(gate, -1, 0, count, scratch);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector product = floats(gate + 4L * i).mul(floats(up + 4L * i));
      store(product.div(floats(scratch + 4L * i).add(1f)), gate + 4L * i);
    }
    for (; i < count; i++) {
      float product = f32(gate + 4L * i) * f32(up + 4L * i);
      f32(gate + 4L * i, product / (1 + f32(scratch + 4L * i)));
    }
  }

  static void add(long x, long y, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      store(floats(x + 4L * i).add(floats(y + 4L * i)), x + 4L * i);
    }
    for (; i < count; i++) {
      f32(x + 4L * i, f32(x + 4L * i) + f32(y + 4L * i));
    }
  }
}
