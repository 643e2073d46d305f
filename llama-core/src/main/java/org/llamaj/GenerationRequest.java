package org.llamaj;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A prompt with its options, ready to run. Immutable: each method that changes something returns a
 * copy, so that a request can be kept and used again.
 *
 * <pre>{@code
 * String story = model.prompt("Once upon a time").maxTokens(100).temperature(0.8f).generate().text();
 * }</pre>
 */
public final class GenerationRequest {
  private final LlamaModel model;
  private final int[] prompt;
  private final GenerationOptions options;

  GenerationRequest(LlamaModel model, int[] prompt, GenerationOptions options) {
    this.model = model;
    this.prompt = prompt;
    this.options = options;
  }

  /**
   * Replaces all options.
   *
   * @param value the new options
   * @return a changed copy
   */
  public GenerationRequest options(GenerationOptions value) {
    return new GenerationRequest(model, prompt, value);
  }

  /**
   * Limits the length.
   *
   * @param value the most tokens to generate
   * @return a changed copy
   */
  public GenerationRequest maxTokens(int value) {
    return options(options.withMaxTokens(value));
  }

  /**
   * Sets the texts that end the generation.
   *
   * @param values stop strings; they are not part of the text
   * @return a changed copy
   */
  public GenerationRequest stop(String... values) {
    return options(options.withStopStrings(values));
  }

  /**
   * Sets the temperature.
   *
   * @param value 0 for the most probable token each time
   * @return a changed copy
   */
  public GenerationRequest temperature(float value) {
    return sampling(sampling -> sampling.withTemperature(value));
  }

  /**
   * Sets the seed: the same seed gives the same text.
   *
   * @param value any number
   * @return a changed copy
   */
  public GenerationRequest seed(long value) {
    return sampling(sampling -> sampling.withSeed(value));
  }

  /**
   * Changes how tokens are chosen.
   *
   * @param change makes the new sampling options from the present ones
   * @return a changed copy
   */
  public GenerationRequest sampling(UnaryOperator<SamplingOptions> change) {
    return options(options.withSampling(change));
  }

  /**
   * Sets whose prompts are read first where several wait.
   *
   * @param value greater goes first; 0 without it
   * @return a changed copy
   */
  public GenerationRequest priority(int value) {
    return options(options.withScheduling(scheduling -> scheduling.withPriority(value)));
  }

  /**
   * Limits the time, that in the queue included.
   *
   * @param value after which the generation ends with {@link FinishReason#TIME_LIMIT}
   * @return a changed copy
   */
  public GenerationRequest timeLimit(Duration value) {
    return options(options.withScheduling(scheduling -> scheduling.withTimeLimit(value)));
  }

  /**
   * Generates and waits for the end.
   *
   * @return text, tokens, finish reason, timings
   */
  public Generation generate() {
    return generate(text -> {});
  }

  /**
   * Generates, handing over the text as it comes.
   *
   * @param onText receives each piece, on the calling thread
   * @return text, tokens, finish reason, timings
   */
  public Generation generate(Consumer<String> onText) {
    return stream().readAll(onText);
  }

  /**
   * Starts a generation to be read piece by piece.
   *
   * @return to be read to the end or closed
   */
  public GenerationStream stream() {
    return model.stream(prompt, options);
  }

  int[] promptIds() {
    return prompt;
  }
}
