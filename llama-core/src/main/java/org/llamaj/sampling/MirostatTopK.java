package org.llamaj.sampling;

/**
 * Keeps the surprise of the text near a target by estimating from the most probable tokens how many
 * of them to keep: version 1 of Mirostat (Basu et al. 2020). Comes last in a chain, without other
 * steps that remove tokens.
 *
 * @param target the surprise aimed at, in bits; usually 5
 * @param rate how fast it learns; usually 0.1
 * @param looked how many of the most probable tokens the estimate looks at; usually 100
 */
public record MirostatTopK(float target, float rate, int looked) implements SamplingStep {
  /** Checks the ranges. */
  public MirostatTopK {
    Check.that(target > 0 && Float.isFinite(target), "mirostatTarget", "above 0", target);
    Check.that(rate > 0 && rate <= 1, "mirostatRate", "above 0, at most 1", rate);
    Check.that(looked >= 2, "looked", "2 or more", looked);
  }

  @Override
  public Stage begin(SamplingContext context) {
    Surprise surprise = new Surprise(target, rate);
    return new Stage() {
      @Override
      public void apply(Candidates candidates) {
        candidates.sortTop(looked);
        candidates.keepTop(wanted(candidates, context.vocabularySize(), surprise.limit()));
        surprise.offer(candidates);
      }

      @Override
      public void accept(int token) {
        surprise.chosen(token);
      }
    };
  }

  /** Fits Zipf's law to the most probable tokens and solves it for k (equations 28 to 30). */
  private int wanted(Candidates candidates, int vocabularySize, float limit) {
    double products = 0;
    double squares = 0;
    for (int i = 0; i < Math.min(looked, candidates.size()) - 1; i++) {
      double t = Math.log((i + 2.0) / (i + 1));
      double b = candidates.logit(i) - candidates.logit(i + 1);
      products += t * b;
      squares += t * t;
    }
    double exponent = products / squares;
    double epsilon = exponent - 1;
    double k =
        Math.pow(
            epsilon * Math.pow(2, limit) / (1 - Math.pow(vocabularySize, -epsilon)), 1 / exponent);
    return Double.isNaN(k) ? candidates.size() : (int) Math.clamp(k, 1, candidates.size());
  }
}
