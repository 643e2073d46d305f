package org.llamaj.sampling;

/**
 * Keeps the tokens at least this probable relative to the most probable one (Nguyen et al. 2024).
 *
 * @param p from 0 to 1; 0 keeps all
 */
public record MinP(float p) implements SamplingStep, SamplingStep.Stage {
  /** Checks the range. */
  public MinP {
    Check.that(p >= 0 && p <= 1, "minP", "from 0 to 1", p);
  }

  @Override
  public Stage begin(SamplingContext context) {
    return this;
  }

  @Override
  public void apply(Candidates candidates) {
    if (p > 0) {
      candidates.keepFrom(candidates.maxLogit() + (float) Math.log(p));
    }
  }
}
