package org.llamaj.sampling;

/**
 * Divides the logits, so that the draw is bolder (above 1) or more careful (below 1). With a range,
 * the temperature follows the entropy of the candidates: low where the model is sure, high where it
 * is not.
 *
 * @param value the temperature; 0 takes the most probable token (greedy)
 * @param range the temperature varies from value - range (at least 0) to value + range; 0 keeps it
 * @param exponent how the entropy, as a share of the largest one there can be, bends
 */
public record Temperature(float value, float range, float exponent)
    implements SamplingStep, SamplingStep.Stage {
  /** Checks the ranges. */
  public Temperature {
    Check.that(value >= 0 && Float.isFinite(value), "temperature", "0 or more", value);
    Check.that(range >= 0 && Float.isFinite(range), "temperatureRange", "0 or more", range);
    Check.that(exponent > 0 && Float.isFinite(exponent), "exponent", "above 0", exponent);
  }

  /**
   * A fixed temperature.
   *
   * @param value 0 for greedy
   */
  public Temperature(float value) {
    this(value, 0, 1);
  }

  @Override
  public Stage begin(SamplingContext context) {
    return this;
  }

  @Override
  public int keeps() {
    return value == 0 && range == 0 ? 1 : 0;
  }

  @Override
  public void apply(Candidates candidates) {
    float temperature = range == 0 ? value : dynamic(candidates);
    if (temperature <= 0) {
      candidates.keepTop(1);
    } else if (temperature != 1) {
      candidates.scale(1 / temperature);
    }
  }

  private float dynamic(Candidates candidates) {
    if (candidates.size() == 1) {
      return 1;
    }
    double largest = Math.log(candidates.size());
    double share = candidates.entropy(candidates.probabilities()) / largest;
    float lowest = Math.max(0, value - range);
    return lowest + (value + range - lowest) * (float) Math.pow(share, exponent);
  }
}
