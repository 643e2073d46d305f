package org.llamaj.sampling;

/**
 * Keeps the tokens whose logit is at most n standard deviations below the largest (Tang et al.
 * 2024).
 *
 * @param n standard deviations; 0 keeps all
 */
public record TopNSigma(float n) implements SamplingStep, SamplingStep.Stage {
  /** Checks the range. */
  public TopNSigma {
    Check.that(n >= 0 && Float.isFinite(n), "topNSigma", "0 or more", n);
  }

  @Override
  public Stage begin(SamplingContext context) {
    return this;
  }

  @Override
  public void apply(Candidates candidates) {
    if (n > 0) {
      float max = candidates.maxLogit();
      candidates.keepFrom((float) (max - n * deviation(candidates)));
    }
  }

  /** The standard deviation of all logits that are not banned. */
  private static double deviation(Candidates candidates) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < candidates.size(); i++) {
      if (candidates.logit(i) != Float.NEGATIVE_INFINITY) {
        sum += candidates.logit(i);
        count++;
      }
    }
    double mean = sum / count;
    double squares = 0;
    for (int i = 0; i < candidates.size(); i++) {
      if (candidates.logit(i) != Float.NEGATIVE_INFINITY) {
        double difference = candidates.logit(i) - mean;
        squares += difference * difference;
      }
    }
    return Math.sqrt(squares / count);
  }
}
