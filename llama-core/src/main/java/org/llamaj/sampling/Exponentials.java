package org.llamaj.sampling;

/**
 * Exponentials of whole vocabularies: plain loops without calls or branches, which C2 compiles to
 * vector instructions. Relative error below 2e-7.
 */
final class Exponentials {
  private static final float LOG2_E = 1.44269504f;

  /** ln 2 in two parts; a whole number below 128 times the first is exact. */
  private static final float LN_2_HIGH = 0x1.62ep-1f;

  private static final float LN_2_LOW = (float) (0.6931471805599453 - 0x1.62ep-1);

  /** Below this, the exponential is less than the smallest normal float and counts as 0. */
  private static final float SMALLEST = -87;

  private Exponentials() {}

  /** {@code out[i] = exp(values[i] - shift)} for values up to the shift. */
  static void fill(float[] values, float shift, float[] out, int size) {
    for (int i = 0; i < size; i++) {
      float x = values[i] - shift;
      float y = Math.max(x, SMALLEST);
      // Rounds to the nearest: the value is negative.
      int whole = (int) (y * LOG2_E - 0.5f);
      float r = y - whole * LN_2_HIGH - whole * LN_2_LOW;
      float p =
          1 + r * (1 + r * (1 / 2f + r * (1 / 6f + r * (1 / 24f + r * (1 / 120f + r / 720f)))));
      float power = Float.intBitsToFloat((whole + 127) << 23);
      out[i] = x < SMALLEST ? 0 : p * power;
    }
  }

  /** The sum of the first values. */
  static double sum(float[] values, int size) {
    double a = 0, b = 0, c = 0, d = 0;
    int i = 0;
    for (; i + 4 <= size; i += 4) {
      a += values[i];
      b += values[i + 1];
      c += values[i + 2];
      d += values[i + 3];
    }
    for (; i < size; i++) {
      a += values[i];
    }
    return a + b + (c + d);
  }
}
