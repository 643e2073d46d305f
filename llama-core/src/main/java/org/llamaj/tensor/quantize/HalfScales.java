package org.llamaj.tensor.quantize;

import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;

/** Scales as the file stores them: in half precision. */
final class HalfScales {
  private static final float SMALLEST_NORMAL = 0x1p-14f;

  private HalfScales() {}

  /**
   * Rounds to half precision.
   *
   * @return the rounded scale
   * @throws LlamaException if it is larger than half precision reaches
   */
  static float round(float scale, ElementType type) {
    float rounded = Float.float16ToFloat(Float.floatToFloat16(scale));
    if (!Float.isFinite(rounded)) {
      throw new LlamaException(
          "values too large for %s, whose scales reach 65504: keep them in F32 or BF16"
              .formatted(type));
    }
    return rounded;
  }

  /** The next value away from zero; the spacing is coarse below {@link #isCoarse}. */
  static float away(float half) {
    return Float.float16ToFloat((short) (Float.floatToFloat16(half) + 1));
  }

  /** The next value towards zero. */
  static float towardsZero(float half) {
    short bits = Float.floatToFloat16(half);
    return (bits & 0x7FFF) == 0 ? half : Float.float16ToFloat((short) (bits - 1));
  }

  /** Whether rounding may change the scale much. */
  static boolean isCoarse(float scale) {
    return scale != 0 && Math.abs(scale) < SMALLEST_NORMAL;
  }
}
