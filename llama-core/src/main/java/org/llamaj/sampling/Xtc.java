package org.llamaj.sampling;

/**
 * Exclude top choices: now and then removes all but the least probable of the tokens that are
 * probable enough to be good choices, for more surprising texts.
 *
 * @param probability how often, from 0 (never) to 1 (for each token)
 * @param threshold from which probability on a token is a good choice; above 0.5 there are never
 *     two of them
 */
public record Xtc(float probability, float threshold) implements SamplingStep {
  /** Checks the ranges. */
  public Xtc {
    Check.that(probability >= 0 && probability <= 1, "xtcProbability", "from 0 to 1", probability);
    Check.that(threshold > 0 && threshold <= 1, "xtcThreshold", "above 0, at most 1", threshold);
  }

  @Override
  public Stage begin(SamplingContext context) {
    return candidates -> {
      if (probability > 0 && context.random().nextDouble() < probability) {
        exclude(candidates);
      }
    };
  }

  private void exclude(Candidates candidates) {
    float[] probabilities = candidates.probabilities();
    int last = -1;
    int good = 0;
    for (int i = 0; i < candidates.size(); i++) {
      if (probabilities[i] >= threshold) {
        good++;
        if (last < 0 || candidates.lessProbable(i, last)) {
          last = i;
        }
      }
    }
    if (good > 1) {
      float least = candidates.logit(last);
      int kept = candidates.id(last);
      candidates.removeIf((id, logit) -> logit >= least && id != kept);
    }
  }
}
