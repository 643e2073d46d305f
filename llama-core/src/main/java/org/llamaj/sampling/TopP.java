package org.llamaj.sampling;

/**
 * Keeps the fewest most probable tokens that together reach a probability: the nucleus (Holtzman et
 * al. 2019).
 *
 * @param p the probability; 1 keeps all
 */
public record TopP(float p) implements SamplingStep {
  /** Checks the range. */
  public TopP {
    Check.that(p > 0 && p <= 1, "topP", "above 0 and at most 1", p);
  }

  @Override
  public Stage begin(SamplingContext context) {
    Nucleus nucleus = new Nucleus();
    return candidates -> {
      if (p < 1) {
        nucleus.keep(candidates, p);
      }
    };
  }
}
