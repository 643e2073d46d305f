package org.llamaj;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * What to generate and when to stop. Immutable; each {@code with} method returns a changed copy.
 *
 * @param maxTokens the most tokens to generate
 * @param stopStrings texts that end the generation and are not part of its text
 * @param sampling how tokens are chosen
 * @param scheduling priority and time limit
 * @param speculation how the next tokens are guessed
 * @param overflow what happens when the text no longer fits the context
 */
public record GenerationOptions(
    int maxTokens,
    List<String> stopStrings,
    SamplingOptions sampling,
    Scheduling scheduling,
    Speculation speculation,
    ContextOverflow overflow) {

  private static final GenerationOptions DEFAULTS =
      new GenerationOptions(
          512,
          List.of(),
          SamplingOptions.defaults(),
          Scheduling.defaults(),
          Speculation.none(),
          ContextOverflow.stop());

  /** Checks the values. */
  public GenerationOptions {
    if (maxTokens < 0) {
      throw new IllegalArgumentException("maxTokens: expected 0 or more, found " + maxTokens);
    }
    stopStrings = List.copyOf(stopStrings);
    if (stopStrings.contains("")) {
      throw new IllegalArgumentException("stopStrings: expected texts, found an empty one");
    }
  }

  /**
   * Up to 512 tokens with the default sampling.
   *
   * @return the defaults
   */
  public static GenerationOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Changes {@link #maxTokens}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public GenerationOptions withMaxTokens(int value) {
    return new GenerationOptions(value, stopStrings, sampling, scheduling, speculation, overflow);
  }

  /**
   * Changes {@link #stopStrings}.
   *
   * @param values the new values
   * @return a changed copy
   */
  public GenerationOptions withStopStrings(String... values) {
    return new GenerationOptions(
        maxTokens, List.of(values), sampling, scheduling, speculation, overflow);
  }

  /**
   * Changes {@link #sampling}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public GenerationOptions withSampling(SamplingOptions value) {
    return new GenerationOptions(maxTokens, stopStrings, value, scheduling, speculation, overflow);
  }

  /**
   * Changes {@link #sampling} step by step.
   *
   * @param change makes the new value from the present one
   * @return a changed copy
   */
  public GenerationOptions withSampling(UnaryOperator<SamplingOptions> change) {
    return withSampling(change.apply(sampling));
  }

  /**
   * Changes {@link #scheduling}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public GenerationOptions withScheduling(Scheduling value) {
    return new GenerationOptions(maxTokens, stopStrings, sampling, value, speculation, overflow);
  }

  /**
   * Changes {@link #scheduling} step by step.
   *
   * @param change makes the new value from the present one
   * @return a changed copy
   */
  public GenerationOptions withScheduling(UnaryOperator<Scheduling> change) {
    return withScheduling(change.apply(scheduling));
  }

  /**
   * Changes {@link #speculation}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public GenerationOptions withSpeculation(Speculation value) {
    return new GenerationOptions(maxTokens, stopStrings, sampling, scheduling, value, overflow);
  }

  /**
   * Changes {@link #overflow}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public GenerationOptions withOverflow(ContextOverflow value) {
    return new GenerationOptions(maxTokens, stopStrings, sampling, scheduling, speculation, value);
  }
}
