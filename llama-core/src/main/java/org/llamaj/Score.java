package org.llamaj;

import java.util.List;

/**
 * How probable the model finds a text.
 *
 * @param tokens the tokens that were scored, each with its probability after all before it; the
 *     very first token of a sequence follows nothing and is not scored
 */
public record Score(List<TokenProbability> tokens) {
  /** Copies the list. */
  public Score {
    tokens = List.copyOf(tokens);
  }

  /**
   * The natural logarithm of the probability of the text.
   *
   * @return the sum over the tokens, 0 or less
   */
  public double logLikelihood() {
    return tokens.stream().mapToDouble(TokenProbability::logProbability).sum();
  }

  /**
   * The mean surprise, for comparing texts of different lengths.
   *
   * @return nats per token
   */
  public double meanNegativeLogLikelihood() {
    return tokens.isEmpty() ? 0 : -logLikelihood() / tokens.size();
  }

  /**
   * Among how many tokens the model hesitates, on average.
   *
   * @return e to the mean surprise, 1 or more
   */
  public double perplexity() {
    return Math.exp(meanNegativeLogLikelihood());
  }
}
