package org.llamaj.kernel.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** The exponential function for softmax and SiLU. */
final class Exponential {
  private static final float LOG2_E = 1.44269504f;

  /** ln 2 in two parts; multiples of the first are exact in float. */
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.12194440e-4f;

  /** Adding it rounds to an integer, which is then in the lowest bits. */
  private static final float ROUND = 0x1.8p23f;

  private Exponential() {}

  /**
   * e^x to within 2 units in the last place, for x from -87 to 88; beyond, the value at the end.
   * exp(x) = 2^n exp(r), n = round(x / ln 2), with the polynomial of the Cephes library for exp(r).
   */
  static FloatVector exp(FloatVector x) {
    FloatVector y = x.max(-87f).min(88f);
    FloatVector rounded = y.mul(LOG2_E).add(ROUND);
    IntVector power = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    FloatVector n = rounded.sub(ROUND);
    FloatVector r = n.fma(Lanes.broadcast(-LN2_HIGH), y);
    r = n.fma(Lanes.broadcast(-LN2_LOW), r);
    FloatVector p = r.fma(Lanes.broadcast(1.9875691500e-4f), Lanes.broadcast(1.3981999507e-3f));
    p = p.fma(r, Lanes.broadcast(8.3334519073e-3f));
    p = p.fma(r, Lanes.broadcast(4.1665795894e-2f));
    p = p.fma(r, Lanes.broadcast(1.6666665459e-1f));
    p = p.fma(r, Lanes.broadcast(5.0000001201e-1f));
    p = p.fma(r.mul(r), r).add(1f);
    return p.reinterpretAsInts().add(power).reinterpretAsFloats();
  }

  /** The same for one value. */
  static float exp(float x) {
    return (float) Math.exp(x);
  }
}
