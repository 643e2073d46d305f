package org.llamaj.sampling;

/**
 * Keeps the surprise of the text near a target by removing tokens that would be too surprising, and
 * learning from each choice how far to go: version 2 of Mirostat (Basu et al. 2020). Comes last in
 * a chain, without other steps that remove tokens.
 *
 * @param target the surprise aimed at, in bits; usually 5
 * @param rate how fast it learns; usually 0.1
 */
public record Mirostat(float target, float rate) implements SamplingStep {
  /** Checks the ranges. */
  public Mirostat {
    Check.that(target > 0 && Float.isFinite(target), "mirostatTarget", "above 0", target);
    Check.that(rate > 0 && rate <= 1, "mirostatRate", "above 0, at most 1", rate);
  }

  @Override
  public Stage begin(SamplingContext context) {
    Surprise surprise = new Surprise(target, rate);
    return new Stage() {
      @Override
      public void apply(Candidates candidates) {
        double sum = candidates.weights();
        // Surprise at most mu bits: a probability of at least 2^-mu.
        double least = Math.log(sum) - surprise.limit() * Math.log(2);
        float max = candidates.maxLogit();
        candidates.keepFrom(Math.min(max, (float) (max + least)));
        surprise.offer(candidates);
      }

      @Override
      public void accept(int token) {
        surprise.chosen(token);
      }
    };
  }
}
