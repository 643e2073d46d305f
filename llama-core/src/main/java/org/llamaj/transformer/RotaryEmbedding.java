package org.llamaj.transformer;

import org.llamaj.kernel.RotaryPairs;
import org.llamaj.tensor.FloatMatrix;

/**
 * The angles of rotary position embedding (Su et al. 2021): the pair i of a head's components at
 * position p is turned by p * theta^(-2i/d), stretched as {@link RopeScaling} says.
 *
 * <p>Angles are computed in double precision, once per batch, and shared by all layers.
 */
final class RotaryEmbedding {
  private final double[] frequencies;
  private final double magnitude;
  private final RotaryPairs pairs;

  /**
   * @param rope the model's rotary positions
   * @param factors divisors of the frequencies, one per pair ({@code rope_freqs.weight}), or null
   */
  RotaryEmbedding(Rope rope, float[] factors) {
    int dimensions = rope.dimensions();
    pairs = rope.pairs();
    frequencies = new double[dimensions / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = Math.pow(rope.theta(), -2.0 * i / dimensions);
      if (factors != null) {
        frequencies[i] /= factors[i];
      }
    }
    magnitude =
        switch (rope.scaling()) {
          case RopeScaling.None _ -> 1;
          case RopeScaling.Linear linear -> {
            scale(linear.factor());
            yield 1;
          }
          case RopeScaling.Yarn yarn -> {
            blend(yarn, dimensions, rope.theta());
            yield yarn.attentionFactor() * (1 + 0.1 * Math.log(yarn.factor()));
          }
        };
  }

  /**
   * Fills in cosines and sines.
   *
   * @param positions position of each row
   * @param rows how many rows
   * @param angles rows of {@code dimensions} values: cos and sin of each pair in the places of its
   *     two components
   */
  void angles(int[] positions, int rows, FloatMatrix angles) {
    boolean halves = pairs == RotaryPairs.HALF_SPLIT;
    int step = halves ? 1 : 2;
    int apart = halves ? frequencies.length : 1;
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < frequencies.length; i++) {
        double angle = positions[row] * frequencies[i];
        angles.set(row, step * i, (float) (Math.cos(angle) * magnitude));
        angles.set(row, step * i + apart, (float) (Math.sin(angle) * magnitude));
      }
    }
  }

  private void scale(double factor) {
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= factor;
    }
  }

  /** Section 3.2 of the YaRN paper, "NTK-by-parts". */
  private void blend(RopeScaling.Yarn yarn, int dimensions, double theta) {
    double low =
        Math.floor(pairTurning(yarn.betaFast(), yarn.originalContext(), dimensions, theta));
    double high =
        Math.ceil(pairTurning(yarn.betaSlow(), yarn.originalContext(), dimensions, theta));
    low = Math.max(0, low);
    high = Math.min(dimensions - 1, high);
    for (int i = 0; i < frequencies.length; i++) {
      double ramp = Math.clamp((i - low) / Math.max(0.001, high - low), 0, 1);
      frequencies[i] *= (1 - ramp) + ramp / yarn.factor();
    }
  }

  /** The (fractional) pair that makes the given number of rotations over the original context. */
  private static double pairTurning(
      double rotations, int originalContext, int dimensions, double theta) {
    return dimensions
        * Math.log(originalContext / (rotations * 2 * Math.PI))
        / (2 * Math.log(theta));
  }
}
