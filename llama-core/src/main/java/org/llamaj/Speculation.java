package org.llamaj;

import java.util.Objects;

/**
 * Guesses of the next tokens, which the model checks all in one forward pass (Leviathan et al.
 * 2023). The text is the one that would come without it: at each place the token is drawn from the
 * model's own distribution, and guesses count only as far as they agree with what was drawn. (For
 * guesses without chance, as all these are, that is what rejection sampling comes to.) How many are
 * made adapts to how many were right.
 */
public sealed interface Speculation {
  /**
   * The most guesses by default: with the token before them, as many rows as kernels multiply in
   * one pass over the weights.
   */
  int DEFAULT_LENGTH = 7;

  /** No guesses: the default. */
  record None() implements Speculation {}

  /**
   * What followed the last tokens where they came before (Saxena 2023): for texts that repeat what
   * is in the prompt, as code, summaries and translations of tables do. Costs next to nothing.
   *
   * @param length the most guesses, at least 1
   */
  record PromptLookup(int length) implements Speculation {
    /** Checks the value. */
    public PromptLookup {
      check(length);
    }
  }

  /**
   * What a smaller model says.
   *
   * @param model has the same vocabulary; stays open as long as it is used
   * @param length the most guesses, at least 1
   */
  record Draft(LlamaModel model, int length) implements Speculation {
    /** Checks the values. */
    public Draft {
      Objects.requireNonNull(model, "model");
      check(length);
    }
  }

  /**
   * No guesses.
   *
   * @return {@link None}
   */
  static Speculation none() {
    return new None();
  }

  /**
   * Guesses from the text so far.
   *
   * @return {@link PromptLookup} of the default length
   */
  static Speculation promptLookup() {
    return new PromptLookup(DEFAULT_LENGTH);
  }

  /**
   * Guesses of a smaller model.
   *
   * @param model has the same vocabulary
   * @return {@link Draft} of the default length
   */
  static Speculation draft(LlamaModel model) {
    return new Draft(model, DEFAULT_LENGTH);
  }

  private static void check(int length) {
    if (length < 1 || length > 64) {
      throw new IllegalArgumentException("length: expected 1 to 64, found " + length);
    }
  }
}
