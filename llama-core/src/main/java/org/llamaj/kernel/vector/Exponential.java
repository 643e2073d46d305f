package org.llamaj.kernel.vector;

import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;

import jdk.incubator.vector.FloatVector;

/** The exponential function for softmax and SiLU. */
final class Exponential {
  private static final FloatVector LOWEST = constant(-87f);
  private static final FloatVector HIGHEST = constant(88f);

  private static final FloatVector LOG2_E = constant(1.44269504f);

  /** -ln 2 in two parts; multiples of the first are exact in float. */
  private static final FloatVector LN2_HIGH = constant(-0.693359375f);

  private static final FloatVector LN2_LOW = constant(2.12194440e-4f);

  /** Adding it rounds to an integer, which is then in the lowest bits. */
  private static final FloatVector ROUND = constant(0x1.8p23f);

  private static final FloatVector C6 = constant(1.9875691500e-4f);
  private static final FloatVector C5 = constant(1.3981999507e-3f);
  private static final FloatVector C4 = constant(8.3334519073e-3f);
  private static final FloatVector C3 = constant(4.1665795894e-2f);
  private static final FloatVector C2 = constant(1.6666665459e-1f);
  private static final FloatVector C1 = constant(5.0000001201e-1f);

  private Exponential() {}

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(F, value);
  }

  /**
   * y = e^(factor x + offset) to within 2 units in the last place, for exponents from -87 to 88;
   * beyond, the value at the end. exp(z) = 2^n exp(r), n = round(z / ln 2), with the polynomial of
   * the Cephes library for exp(r).
   */
  static void exp(long x, float factor, float offset, int count, long y) {
    FloatVector factors = FloatVector.broadcast(F, factor);
    FloatVector offsets = FloatVector.broadcast(F, offset);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector z = FloatVector.fromMemorySegment(F, ALL, x + 4L * i, LE);
      z = z.fma(factors, offsets);
      // Not min and max: their care for NaN and -0 takes several instructions on x86.
      z = z.blend(LOWEST, z.compare(LT, LOWEST));
      z = z.blend(HIGHEST, z.compare(GT, HIGHEST));
      FloatVector rounded = z.fma(LOG2_E, ROUND);
      FloatVector n = rounded.sub(ROUND);
      FloatVector r = n.fma(LN2_LOW, n.fma(LN2_HIGH, z));
      FloatVector p = r.fma(C6, C5).fma(r, C4).fma(r, C3).fma(r, C2).fma(r, C1);
      p = p.fma(r.mul(r), r).add(1f);
      p.reinterpretAsInts()
          .add(rounded.reinterpretAsInts().lanewise(LSHL, 23))
          .reinterpretAsFloats()
          .intoMemorySegment(ALL, y + 4L * i, LE);
    }
    for (; i < count; i++) {
      ALL.set(FLOAT, y + 4L * i, (float) Math.exp(ALL.get(FLOAT, x + 4L * i) * factor + offset));
    }
  }
}
