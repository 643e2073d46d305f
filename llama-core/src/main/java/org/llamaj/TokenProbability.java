package org.llamaj;

import java.util.List;

/**
 * How probable the model found a token, before any sampling step.
 *
 * @param token its id
 * @param text what it stands for, with U+FFFD for parts of characters
 * @param logProbability natural logarithm of its probability
 * @param alternatives the most probable tokens at this place, most probable first, if they were
 *     asked for; they have no alternatives themselves
 */
public record TokenProbability(
    int token, String text, double logProbability, List<TokenProbability> alternatives) {
  /** Copies the list. */
  public TokenProbability {
    alternatives = List.copyOf(alternatives);
  }

  /**
   * The probability.
   *
   * @return from 0 to 1
   */
  public double probability() {
    return Math.exp(logProbability);
  }
}
