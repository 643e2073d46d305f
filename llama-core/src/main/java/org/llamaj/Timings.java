package org.llamaj;

import java.time.Duration;
import java.util.List;

/**
 * What a generation took.
 *
 * @param promptTokens tokens of the prompt that went through the model; fewer than the prompt has
 *     where a part was in the cache already
 * @param prompt time for these
 * @param generatedTokens tokens that were generated
 * @param generation time for these, after the prompt
 * @param queue how long the prompt waited before it was taken up, a part of {@code prompt}
 * @param tokenTimes when each token was there, since the request
 * @param guessedTokens tokens that were guessed by {@link Speculation}
 * @param rightGuesses guesses that needed no forward pass of their own
 */
public record Timings(
    int promptTokens,
    Duration prompt,
    int generatedTokens,
    Duration generation,
    Duration queue,
    List<Duration> tokenTimes,
    int guessedTokens,
    int rightGuesses) {

  /** Copies the list. */
  public Timings {
    tokenTimes = List.copyOf(tokenTimes);
  }

  /**
   * Speed of the prompt.
   *
   * @return tokens per second, 0 if nothing was measured
   */
  public double promptTokensPerSecond() {
    return rate(promptTokens, prompt);
  }

  /**
   * Speed of the generation.
   *
   * @return tokens per second, 0 if nothing was measured
   */
  public double generatedTokensPerSecond() {
    return rate(generatedTokens, generation);
  }

  private static double rate(int tokens, Duration time) {
    return time.isZero() ? 0 : tokens * 1e9 / time.toNanos();
  }
}
