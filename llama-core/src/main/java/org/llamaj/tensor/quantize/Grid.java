package org.llamaj.tensor.quantize;

/** The numbers that codes stand for, before they are multiplied by a scale. */
sealed interface Grid {
  /**
   * Rounds to the grid.
   *
   * @param x values
   * @param offset added to them before they are scaled; null for none
   * @param inverse by what each is multiplied
   * @param out receives the nearest number of the grid
   * @param count how many values
   */
  void round(float[] x, float[] offset, float[] inverse, float[] out, int count);

  /** Where the value of the largest magnitude may come to lie; the search tries all, both signs. */
  float[] candidates();

  /** The code of a number of the grid, from 0. */
  int code(float point);

  /** All whole numbers from {@code low} to {@code high}. */
  record Linear(int low, int high, float[] candidates) implements Grid {
    /** Adding and subtracting it rounds to the nearest whole number. */
    private static final float ROUNDER = 3 << 22;

    static Linear of(int low, int high, float first, float last, int steps) {
      return new Linear(low, high, spread(first, last, steps));
    }

    @Override
    public void round(float[] x, float[] offset, float[] inverse, float[] out, int count) {
      if (offset == null) {
        round(x, inverse, low, high, out, count);
      } else {
        round(x, offset, inverse, low, high, out, count);
      }
    }

    private static void round(
        float[] x, float[] inverse, float low, float high, float[] out, int count) {
      float middle = 0.5f * (low + high);
      for (int lane = 0; lane < count; lane++) {
        out[lane] = nearest(x[lane] * inverse[lane], low, high, middle);
      }
    }

    private static void round(
        float[] x, float[] offset, float[] inverse, float low, float high, float[] out, int count) {
      float middle = 0.5f * (low + high);
      for (int lane = 0; lane < count; lane++) {
        out[lane] = nearest((x[lane] + offset[lane]) * inverse[lane], low, high, middle);
      }
    }

    /**
     * The nearest whole number from low to high. Written so that it becomes a few vector
     * instructions, which minimum and maximum with their care for NaN do not; far outside of the
     * range the result may be beyond its ends.
     */
    private static float nearest(float value, float low, float high, float middle) {
      float clamped = 0.5f * (Math.abs(value - low) - Math.abs(value - high)) + middle;
      return (clamped + ROUNDER) - ROUNDER;
    }

    @Override
    public int code(float point) {
      return Math.clamp((int) point, low, high) - low;
    }
  }

  /** Unevenly spaced levels, in ascending order, from -128 to 127. */
  record Levels(float[] nearest, byte[] codes, float[] candidates) implements Grid {
    private static final int STEPS_PER_UNIT = 4;
    private static final int ZERO = 128 * STEPS_PER_UNIT;

    static Levels of(byte[] levels, float first, float last, int steps) {
      float[] nearest = new float[2 * ZERO];
      byte[] codes = new byte[2 * ZERO];
      int code = 0;
      for (int i = 0; i < nearest.length; i++) {
        float value = (i + 0.5f - ZERO) / STEPS_PER_UNIT;
        while (code < levels.length - 1 && value - levels[code] > levels[code + 1] - value) code++;
        nearest[i] = levels[code];
        codes[i] = (byte) code;
      }
      return new Levels(nearest, codes, spread(first, last, steps));
    }

    @Override
    public void round(float[] x, float[] offset, float[] inverse, float[] out, int count) {
      for (int lane = 0; lane < count; lane++) out[lane] = nearest[index(x[lane] * inverse[lane])];
    }

    @Override
    public int code(float point) {
      return codes[index(point)];
    }

    private static int index(float value) {
      return Math.min(Math.max((int) (value * STEPS_PER_UNIT + ZERO), 0), 2 * ZERO - 1);
    }
  }

  private static float[] spread(float first, float last, int steps) {
    float[] values = new float[steps];
    for (int i = 0; i < steps; i++) values[i] = first + (last - first) * i / (steps - 1);
    return values;
  }
}
