package org.llamaj.kernel.vector;

import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/** Norm, rotation, gate and sums on one row of floats. */
final class RowOperations {
  /** Lane i takes the other value of its pair. */
  private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(F, i -> i ^ 1);

  private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(F, i -> i & ~1);
  private static final VectorShuffle<Float> ODD = VectorShuffle.fromOp(F, i -> i | 1);

  /** -1 for the first and 1 for the second value of each pair. */
  private static final FloatVector SIGNS = signs();

  private RowOperations() {}

  private static FloatVector signs() {
    float[] signs = new float[LANES];
    for (int i = 0; i < LANES; i++) {
      signs[i] = i % 2 == 0 ? -1 : 1;
    }
    return FloatVector.fromArray(F, signs, 0);
  }

  static void zero(long x, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector.zero(F).intoMemorySegment(ALL, x + 4L * i, LE);
    }
    for (; i < count; i++) {
      ALL.set(FLOAT, x + 4L * i, 0);
    }
  }

  static float sumOfSquares(long x, int count) {
    return Dot.one(x, x, count);
  }

  static void scale(long x, int count, float factor, long y) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      fromMemorySegment(F, ALL, x + 4L * i, LE).mul(factor).intoMemorySegment(ALL, y + 4L * i, LE);
    }
    for (; i < count; i++) {
      ALL.set(FLOAT, y + 4L * i, ALL.get(FLOAT, x + 4L * i) * factor);
    }
  }

  static void scale(long x, int count, float factor, long weight, long y) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      fromMemorySegment(F, ALL, x + 4L * i, LE)
          .mul(factor)
          .mul(fromMemorySegment(F, ALL, weight + 4L * i, LE))
          .intoMemorySegment(ALL, y + 4L * i, LE);
    }
    for (; i < count; i++) {
      ALL.set(
          FLOAT, y + 4L * i, ALL.get(FLOAT, x + 4L * i) * factor * ALL.get(FLOAT, weight + 4L * i));
    }
  }

  /** Turns the pairs of one head. */
  static void rotate(long x, int count, long angles) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector pairs = fromMemorySegment(F, ALL, x + 4L * i, LE);
      FloatVector turn = fromMemorySegment(F, ALL, angles + 4L * i, LE);
      FloatVector sin = turn.rearrange(ODD).mul(SIGNS);
      FloatVector turned = pairs.mul(turn.rearrange(EVEN));
      pairs.rearrange(SWAP).fma(sin, turned).intoMemorySegment(ALL, x + 4L * i, LE);
    }
    for (; i < count; i += 2) {
      float re = ALL.get(FLOAT, x + 4L * i);
      float im = ALL.get(FLOAT, x + 4L * i + 4);
      float cos = ALL.get(FLOAT, angles + 4L * i);
      float sin = ALL.get(FLOAT, angles + 4L * i + 4);
      ALL.set(FLOAT, x + 4L * i, re * cos - im * sin);
      ALL.set(FLOAT, x + 4L * i + 4, re * sin + im * cos);
    }
  }

  /** Turns the pairs of one head whose second components are {@code half} after the first. */
  static void rotateHalves(long x, int half, long angles) {
    long y = x + 4L * half;
    long sines = angles + 4L * half;
    int i = 0;
    for (; i <= half - LANES; i += LANES) {
      FloatVector re = fromMemorySegment(F, ALL, x + 4L * i, LE);
      FloatVector im = fromMemorySegment(F, ALL, y + 4L * i, LE);
      FloatVector cos = fromMemorySegment(F, ALL, angles + 4L * i, LE);
      FloatVector sin = fromMemorySegment(F, ALL, sines + 4L * i, LE);
      re.mul(cos).sub(im.mul(sin)).intoMemorySegment(ALL, x + 4L * i, LE);
      re.mul(sin).add(im.mul(cos)).intoMemorySegment(ALL, y + 4L * i, LE);
    }
    for (; i < half; i++) {
      float re = ALL.get(FLOAT, x + 4L * i);
      float im = ALL.get(FLOAT, y + 4L * i);
      float cos = ALL.get(FLOAT, angles + 4L * i);
      float sin = ALL.get(FLOAT, sines + 4L * i);
      ALL.set(FLOAT, x + 4L * i, re * cos - im * sin);
      ALL.set(FLOAT, y + 4L * i, re * sin + im * cos);
    }
  }

  /** gate = gate * up / (1 + e^-gate). */
  static void swiGlu(long gate, long up, int count, long scratch) {
    Exponential.exp(gate, -1, 0, count, scratch);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector product =
          fromMemorySegment(F, ALL, gate + 4L * i, LE)
              .mul(fromMemorySegment(F, ALL, up + 4L * i, LE));
      product
          .div(fromMemorySegment(F, ALL, scratch + 4L * i, LE).add(1f))
          .intoMemorySegment(ALL, gate + 4L * i, LE);
    }
    for (; i < count; i++) {
      float product = ALL.get(FLOAT, gate + 4L * i) * ALL.get(FLOAT, up + 4L * i);
      ALL.set(FLOAT, gate + 4L * i, product / (1 + ALL.get(FLOAT, scratch + 4L * i)));
    }
  }

  static void add(long x, long y, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      fromMemorySegment(F, ALL, x + 4L * i, LE)
          .add(fromMemorySegment(F, ALL, y + 4L * i, LE))
          .intoMemorySegment(ALL, x + 4L * i, LE);
    }
    for (; i < count; i++) {
      ALL.set(FLOAT, x + 4L * i, ALL.get(FLOAT, x + 4L * i) + ALL.get(FLOAT, y + 4L * i));
    }
  }
}
