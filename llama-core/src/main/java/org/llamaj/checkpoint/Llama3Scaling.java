package org.llamaj.checkpoint;

/**
 * How Llama 3.1 and later stretch rotary positions: slow components by the factor, fast ones not at
 * all, those between smoothly (Grattafiori et al. 2024; {@code apply_scaling} in Meta's code). GGUF
 * files hold the result as {@code rope_freqs.weight}.
 *
 * @param factor how many times longer the context became
 * @param lowFactor components with wavelengths above {@code originalContext / lowFactor} are slow
 * @param highFactor components with wavelengths below {@code originalContext / highFactor} are fast
 * @param originalContext context length of the first training, in tokens
 */
public record Llama3Scaling(
    double factor, double lowFactor, double highFactor, int originalContext) {

  /** Checks that the numbers make sense. */
  public Llama3Scaling {
    if (!(factor > 0) || !(lowFactor > 0) || highFactor < lowFactor || originalContext < 1) {
      throw new CheckpointException(
          "expected a rotary scaling with positive numbers and low_freq_factor <= high_freq_factor, found factor %s, low %s, high %s, original context %d"
              .formatted(factor, lowFactor, highFactor, originalContext));
    }
  }

  /**
   * By what the frequency of each pair is divided.
   *
   * @param dimensions rotated components per head
   * @param theta base of the rotary frequencies
   * @return one divisor for each pair, from 1 to {@code factor}
   */
  public float[] factors(int dimensions, double theta) {
    float[] factors = new float[dimensions / 2];
    for (int i = 0; i < factors.length; i++) {
      double wavelength = 2 * Math.PI * Math.pow(theta, 2.0 * i / dimensions);
      factors[i] = (float) factor(originalContext / wavelength);
    }
    return factors;
  }

  /** Some files have equal factors, and so nothing between slow and fast. */
  private double factor(double rotations) {
    if (rotations < lowFactor) return factor;
    if (rotations > highFactor || highFactor == lowFactor) return 1;
    double smooth = (rotations - lowFactor) / (highFactor - lowFactor);
    return 1 / ((1 - smooth) / factor + smooth);
  }
}
