package org.llamaj.sampling;

/**
 * Keeps the tokens whose surprise is nearest to what is to be expected, the entropy, until together
 * they exceed a probability: locally typical sampling (Meister et al. 2022).
 *
 * @param p the probability; 1 keeps all
 */
public record Typical(float p) implements SamplingStep {
  private static final int FIRST_SORTED = 128;

  /** Checks the range. */
  public Typical {
    Check.that(p > 0 && p <= 1, "typical", "above 0 and at most 1", p);
  }

  @Override
  public Stage begin(SamplingContext context) {
    float[] keys = new float[p < 1 ? context.vocabularySize() : 0];
    return candidates -> {
      if (p < 1) {
        apply(candidates, keys);
      }
    };
  }

  /** Sorts by closeness to the entropy, as far as needed. */
  private void apply(Candidates candidates, float[] keys) {
    float[] probabilities = candidates.probabilities();
    double entropy = candidates.entropy(probabilities);
    for (int i = 0; i < candidates.size(); i++) {
      keys[i] = (float) -Math.abs(-Math.log(probabilities[i]) - entropy);
    }
    candidates.own();
    Selection selection = new Selection(candidates, keys, keys, probabilities);
    int ordered = 0;
    double reached = 0;
    for (int i = 0; i < candidates.size(); i++) {
      if (i == ordered) {
        ordered = Math.min(candidates.size(), i + Math.max(FIRST_SORTED, 3 * i));
        selection.sort(i, ordered, candidates.size());
      }
      reached += probabilities[i];
      if (reached > p) {
        candidates.reordered(i + 1);
        return;
      }
    }
    candidates.reordered(candidates.size());
  }
}
