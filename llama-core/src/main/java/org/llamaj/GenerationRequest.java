package org.llamaj;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.llamaj.grammar.Grammar;
import org.llamaj.schema.JsonForm;
import org.llamaj.transformer.AdapterUse;

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
  private final List<Picture> pictures;
  private final List<AdapterUse> adapters;
  private final GenerationOptions options;

  GenerationRequest(LlamaModel model, int[] prompt, GenerationOptions options) {
    this(model, prompt, List.of(), List.of(), options);
  }

  private GenerationRequest(
      LlamaModel model,
      int[] prompt,
      List<Picture> pictures,
      List<AdapterUse> adapters,
      GenerationOptions options) {
    this.model = model;
    this.prompt = prompt;
    this.pictures = pictures;
    this.adapters = adapters;
    this.options = Objects.requireNonNull(options, "options");
  }

  /**
   * Replaces all options.
   *
   * @param value the new options
   * @return a changed copy
   */
  public GenerationRequest options(GenerationOptions value) {
    return new GenerationRequest(model, prompt, pictures, adapters, value);
  }

  /**
   * Adds a picture. It stands where the prompt has a place for it, otherwise at the beginning, as
   * {@link LlamaModel#input} says. An instruction-tuned model is better asked in a {@linkplain
   * LlamaModel#chat conversation}.
   *
   * @param file a PNG, JPEG, BMP or GIF
   * @return a changed copy
   * @throws LlamaException if the file cannot be read
   */
  public GenerationRequest image(Path file) {
    return image(Picture.of(file));
  }

  /**
   * Adds a picture.
   *
   * @param picture an image file
   * @return a changed copy
   */
  public GenerationRequest image(Picture picture) {
    Objects.requireNonNull(picture, "picture");
    List<Picture> more = new ArrayList<>(pictures);
    more.add(picture);
    return new GenerationRequest(model, prompt, List.copyOf(more), adapters, options);
  }

  /**
   * Lets the tokens go through a LoRA adapter, besides those named before.
   *
   * @param adapter loaded by this request's model, open until the generation ends
   * @param scale 1 for as it was trained
   * @return a changed copy
   */
  public GenerationRequest adapter(Adapter adapter, float scale) {
    return new GenerationRequest(
        model, prompt, pictures, model.with(adapters, adapter, scale), options);
  }

  /**
   * Lets the tokens go through a LoRA adapter as it was trained, besides those named before.
   *
   * @param adapter loaded by this request's model, open until the generation ends
   * @return a changed copy
   */
  public GenerationRequest adapter(Adapter adapter) {
    return adapter(adapter, 1);
  }

  /**
   * Changes the options step by step; the other methods for options are short for this one.
   *
   * @param change makes the new options from the present ones
   * @return a changed copy
   */
  public GenerationRequest options(UnaryOperator<GenerationOptions> change) {
    return options(change.apply(options));
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
   * Sets how the next tokens are guessed, to be faster with the same result.
   *
   * @param value for example {@link Speculation#promptLookup}
   * @return a changed copy
   */
  public GenerationRequest speculation(Speculation value) {
    return options(options.withSpeculation(value));
  }

  /**
   * Sets what happens when the text no longer fits the context.
   *
   * @param value for example {@link ContextOverflow#slide}
   * @return a changed copy
   */
  public GenerationRequest overflow(ContextOverflow value) {
    return options(options.withOverflow(value));
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
   * Holds the text to a grammar: it is always one of the grammar's texts, whatever the model would
   * say. Near the token limit it is brought to its end (see {@link
   * GenerationOptions#withCompletion}).
   *
   * @param value what the text has to be like
   * @return a changed copy
   */
  public GenerationRequest grammar(Grammar value) {
    return options(options.withGrammar(value));
  }

  /**
   * Asks for the probability of each token.
   *
   * @param alternatives how many of the most probable tokens to tell beside it
   * @return a changed copy
   */
  public GenerationRequest logProbabilities(int alternatives) {
    return options(options.withLogProbabilities(alternatives));
  }

  /**
   * Generates a Java value: JSON of the type's form is generated and read.
   *
   * <p>The form only bounds what can be said; the prompt should say what is wanted.
   *
   * @param type a record, enum, or what {@link JsonForm} can express
   * @param <T> the type
   * @return the value
   * @throws LlamaException if JSON cannot express the type, or the generation was cut off
   */
  public <T> T as(Class<T> type) {
    JsonForm<T> form = JsonForm.of(type);
    return form.read(grammar(form.grammar()).generate().text());
  }

  /**
   * Generates several texts and orders them by the probability the model gives them, per token:
   * n-best. With a seed, the texts are the same each time; they differ from one another.
   *
   * @param n how many
   * @return the best one first
   */
  public List<Generation> nBest(int n) {
    GenerationRequest scored = options.logProbabilities().isPresent() ? this : logProbabilities(0);
    List<Generation> all = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      OptionalLong seed = options.sampling().seed();
      all.add((seed.isPresent() ? scored.seed(seed.getAsLong() + i) : scored).generate());
    }
    all.sort(
        Comparator.comparingDouble(
            one -> new Score(one.logProbabilities()).meanNegativeLogLikelihood()));
    return all;
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
    return model.stream(model.input(prompt, pictures), adapters, options);
  }

  /**
   * The text as a publisher of its pieces. Each subscriber gets a generation of its own, which
   * makes no more than was requested; cancelling the subscription ends it.
   *
   * @return pieces of at least one character, in order
   */
  public Flow.Publisher<String> publisher() {
    return new TextPublisher(this::stream);
  }

  int[] promptIds() {
    return prompt;
  }
}
