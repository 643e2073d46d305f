package org.llamaj;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.llamaj.grammar.Grammar;

/**
 * What to generate and when to stop. Immutable; each {@code with} method returns a changed copy.
 *
 * @param maxTokens the most tokens to generate
 * @param stopStrings texts that end the generation and are not part of its text
 * @param sampling how tokens are chosen
 * @param scheduling priority and time limit
 * @param speculation how the next tokens are guessed
 * @param overflow what happens when the text no longer fits the context
 * @param grammar what the text has to be like; empty for any text
 * @param completion whether a text of a grammar is brought to its end before the token limit cuts
 *     it off
 * @param logProbabilities how many alternatives to tell beside each token, with their
 *     probabilities; empty for no probabilities at all
 */
public record GenerationOptions(
    int maxTokens,
    List<String> stopStrings,
    SamplingOptions sampling,
    Scheduling scheduling,
    Speculation speculation,
    ContextOverflow overflow,
    Optional<Grammar> grammar,
    boolean completion,
    OptionalInt logProbabilities) {

  private static final GenerationOptions DEFAULTS =
      new GenerationOptions(
          512,
          List.of(),
          SamplingOptions.defaults(),
          Scheduling.defaults(),
          Speculation.none(),
          ContextOverflow.stop(),
          Optional.empty(),
          true,
          OptionalInt.empty());

  /** Checks the values. */
  public GenerationOptions {
    if (maxTokens < 0) {
      throw new IllegalArgumentException("maxTokens: expected 0 or more, found " + maxTokens);
    }
    stopStrings = List.copyOf(stopStrings);
    Objects.requireNonNull(sampling, "sampling");
    Objects.requireNonNull(scheduling, "scheduling");
    Objects.requireNonNull(speculation, "speculation");
    Objects.requireNonNull(overflow, "overflow");
    if (stopStrings.contains("")) {
      throw new IllegalArgumentException("stopStrings: expected texts, found an empty one");
    }
    if (logProbabilities.orElse(0) < 0) {
      throw new IllegalArgumentException(
          "logProbabilities: expected 0 or more alternatives, found "
              + logProbabilities.getAsInt());
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
    return with(copy -> copy.maxTokens = value);
  }

  /**
   * Changes {@link #stopStrings}.
   *
   * @param values the new values
   * @return a changed copy
   */
  public GenerationOptions withStopStrings(String... values) {
    return with(copy -> copy.stopStrings = List.of(values));
  }

  /**
   * Changes {@link #sampling}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public GenerationOptions withSampling(SamplingOptions value) {
    return with(copy -> copy.sampling = value);
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
    return with(copy -> copy.scheduling = value);
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
    return with(copy -> copy.speculation = value);
  }

  /**
   * Changes {@link #overflow}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public GenerationOptions withOverflow(ContextOverflow value) {
    return with(copy -> copy.overflow = value);
  }

  /**
   * Changes {@link #grammar}.
   *
   * @param value what the text has to be like
   * @return a changed copy
   */
  public GenerationOptions withGrammar(Grammar value) {
    return with(copy -> copy.grammar = Optional.of(Objects.requireNonNull(value, "value")));
  }

  /**
   * Changes {@link #completion}.
   *
   * @param value whether a text of a grammar is brought to its end before the limit
   * @return a changed copy
   */
  public GenerationOptions withCompletion(boolean value) {
    return with(copy -> copy.completion = value);
  }

  /**
   * Changes {@link #logProbabilities}.
   *
   * @param alternatives how many alternatives to tell beside each token, 0 for none
   * @return a changed copy
   */
  public GenerationOptions withLogProbabilities(int alternatives) {
    return with(copy -> copy.logProbabilities = OptionalInt.of(alternatives));
  }

  private GenerationOptions with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return copy.options();
  }

  /** All values, one of which is about to change. */
  private static final class Copy {
    int maxTokens;
    List<String> stopStrings;
    SamplingOptions sampling;
    Scheduling scheduling;
    Speculation speculation;
    ContextOverflow overflow;
    Optional<Grammar> grammar;
    boolean completion;
    OptionalInt logProbabilities;

    Copy(GenerationOptions options) {
      maxTokens = options.maxTokens;
      stopStrings = options.stopStrings;
      sampling = options.sampling;
      scheduling = options.scheduling;
      speculation = options.speculation;
      overflow = options.overflow;
      grammar = options.grammar;
      completion = options.completion;
      logProbabilities = options.logProbabilities;
    }

    GenerationOptions options() {
      return new GenerationOptions(
          maxTokens,
          stopStrings,
          sampling,
          scheduling,
          speculation,
          overflow,
          grammar,
          completion,
          logProbabilities);
    }
  }
}
