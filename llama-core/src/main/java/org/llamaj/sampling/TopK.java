package org.llamaj.sampling;

/**
 * Keeps the k most probable tokens (Fan et al. 2018).
 *
 * @param k how many; 0 keeps all
 */
public record TopK(int k) implements SamplingStep, SamplingStep.Stage {
  /** Checks the range. */
  public TopK {
    Check.that(k >= 0, "topK", "0 or more", k);
  }

  @Override
  public Stage begin(SamplingContext context) {
    return this;
  }

  @Override
  public int keeps() {
    return k;
  }

  @Override
  public void apply(Candidates candidates) {
    if (k > 0) {
      candidates.keepTop(k);
    }
  }
}
