package org.llamaj.kernel.vector;

import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.MAX;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;
import static org.llamaj.kernel.vector.Lanes.f32;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * Activations as small integers, for dot products with few-bit weights in lanes of 16 bits.
 *
 * <p>Such weights lie in memory as the digits of larger numbers: a 32-bit lane {@code v} holds 8
 * digits to the base 16, or 4 to the base 256, {@code q[0]} the lowest. Their dot product with
 * integers {@code x} is wanted. No digit has to be cut out for it: with
 *
 * <pre>
 * c[j] = x[j] - base * x[j - 1]
 * </pre>
 *
 * the sum over j of {@code (v / base^j mod 2^16) * c[j]} is {@code sum q[j] * x[j]}, modulo 2^16:
 * what a shifted number holds above its lowest digit, the next digit's coefficient takes away
 * again. A shift of the whole lane serves two digits, one in each half, and the two halves are
 * added in the end. That the true sum fits 16 bits is all that is needed; the limits to which
 * activations are rounded see to it.
 *
 * <p>So 64 bytes of nibbles cost three shifts and four products of shorts, where floats would need
 * eight conversions and eight products besides the cutting.
 */
final class Rounding {
  /** What {@link #sumHalves} needs. */
  static final float HALVES_SCALE = 0x1p-16f;

  /** Adding it rounds to an integer, which is then in the lowest bits. */
  private static final float ROUND = 0x1.8p23f;

  private Rounding() {}

  /** The greatest magnitude; count is a multiple of 16. */
  static float greatest(long x, int count) {
    FloatVector max = FloatVector.zero(F);
    for (int i = 0; i < count; i += LANES) {
      max = max.max(fromMemorySegment(F, ALL, x + 4L * i, LE).abs());
    }
    return max.reduceLanes(MAX);
  }

  /** What to multiply with so that the greatest magnitude becomes the limit. */
  static float inverse(float greatest, int limit) {
    float inverse = limit / greatest;
    return inverse < Float.POSITIVE_INFINITY ? inverse : 0; // nothing but zeros, or almost
  }

  /** The nearest integer to the product of a float in memory and {@link #inverse}. */
  static int round(long x, float inverse) {
    return Float.floatToRawIntBits(f32(x) * inverse + ROUND) - Float.floatToRawIntBits(ROUND);
  }

  /** The sum of both halves of each lane, times 2^16. */
  static FloatVector sumHalves(ShortVector halves) {
    IntVector v = halves.reinterpretAsInts();
    return (FloatVector) v.lanewise(LSHL, 16).add(v.and(0xFFFF0000)).convert(I2F, 0);
  }

  /**
   * Stores the coefficients of four activations that meet the four bytes of a lane: those of the
   * first and third as a lane of shorts, those of the others a vector behind; returns their sum.
   *
   * @param x the activations, one after the other
   * @param inverse as {@link #inverse} gave it
   * @param at where the lane is
   */
  static int fourBytes(long x, float inverse, long at) {
    int x0 = round(x, inverse);
    int x1 = round(x + 4, inverse);
    int x2 = round(x + 8, inverse);
    int x3 = round(x + 12, inverse);
    store(at, x0);
    store(at + VECTOR_BYTES, x1 - 256 * x0);
    store(at + 2, x2 - 256 * x1);
    store(at + VECTOR_BYTES + 2, x3 - 256 * x2);
    return x0 + x1 + x2 + x3;
  }

  /**
   * As {@link #fourBytes(long, float, long)}, and another vector behind the sums of what meets the
   * digits of a short, times the weights' offset.
   */
  static void fourBytes(long x, float inverse, int offset, long at) {
    fourBytes(x, inverse, at);
    store(at + 2 * VECTOR_BYTES, offset * (round(x, inverse) + round(x + 4, inverse)));
    store(at + 2 * VECTOR_BYTES + 2, offset * (round(x + 8, inverse) + round(x + 12, inverse)));
  }

  /** Stores the lower 16 bits. */
  static void store(long at, int value) {
    ALL.set(SHORT, at, (short) value);
  }
}
