package org.llamaj;

import java.util.List;

/**
 * A finished generation.
 *
 * @param text the generated text, without stop strings and end tokens
 * @param tokens ids of all generated tokens, an end token included
 * @param finishReason why it ended
 * @param promptTokens tokens of the whole prompt
 * @param timings what it took
 * @param logProbabilities how probable the model found each token, if the options asked for it
 */
public record Generation(
    String text,
    List<Integer> tokens,
    FinishReason finishReason,
    int promptTokens,
    Timings timings,
    List<TokenProbability> logProbabilities) {

  /** Copies the lists. */
  public Generation {
    tokens = List.copyOf(tokens);
    logProbabilities = List.copyOf(logProbabilities);
  }
}
