package org.llamaj.kernel.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;
import static org.llamaj.kernel.vector.Lanes.I;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * Half-precision values as floats, without an instruction of their own, which the Vector API lacks.
 *
 * <p>Shifted left by 13, exponent and mantissa are in their places in a float. What is missing is
 * 112 in the exponent. A product with 2^112 would give it, and would be right for subnormal halves,
 * too; but then its operand is a subnormal float, and Intel's processors take some 150 cycles for
 * an operation with such a one, for a whole vector of which one lane holds it. Weights have many.
 *
 * <p>So 112 is added to the exponent, in integers. That is right for normal halves; a subnormal
 * half, 2^-14 * m / 1024, becomes a = 2^-15 * (1 + m / 1024), and 2 a - 2^-14 is what it should be.
 * For subnormal halves that is less than a, for normal ones it is not: the right value is the
 * smaller one. Infinities become 65536: weights and cached keys have none.
 */
final class Halves {
  private static final int MAGNITUDE = 0x0FFFE000;
  private static final int SIGN = 0x80000000;

  /**
   * The value of every half, by its bits. A scale that is to be in all lanes comes from here with
   * one instruction that loads and broadcasts it; {@code float16ToFloat} would take four.
   */
  static final float[] FLOATS = new float[1 << 16];

  static {
    for (int bits = 0; bits < FLOATS.length; bits++) {
      FLOATS[bits] = Float.float16ToFloat((short) bits);
    }
  }

  private Halves() {}

  /** The values of as many shorts as there are lanes. */
  static FloatVector floats(ShortVector halves) {
    return floats(((IntVector) halves.convertShape(S2I, I, 0)).lanewise(LSHL, 13));
  }

  /** The values of halves that are sign-extended and shifted left by 13, or have anything below. */
  static FloatVector floats(IntVector shifted) {
    FloatVector a = shifted.and(MAGNITUDE).add(112 << 23).reinterpretAsFloats();
    return a.min(a.fma(2, -0x1p-14f))
        .reinterpretAsInts()
        .or(shifted.and(SIGN))
        .reinterpretAsFloats();
  }
}
