package org.llamaj;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.kernel.CacheType;
import org.llamaj.loading.LoadedModel;
import org.llamaj.loading.LoadingOptions;

/**
 * How to load a model: {@code LlamaModel.builder(path).contextLength(8192).load()}. Immutable: each
 * method that changes something returns a copy.
 */
public final class ModelBuilder {
  private final Supplier<Checkpoint> source;
  private final LoadingOptions options;
  private final LoadListener listener;

  ModelBuilder(Supplier<Checkpoint> source) {
    this(source, LoadingOptions.DEFAULTS, _ -> {});
  }

  private ModelBuilder(Supplier<Checkpoint> source, LoadingOptions options, LoadListener listener) {
    this.source = source;
    this.options = options;
    this.listener = listener;
  }

  /**
   * Sets how many tokens a conversation can hold. Memory for the cache grows with the tokens that
   * are there, not with this limit.
   *
   * @param tokens at least 1; without it, what the model was trained for
   * @return a changed copy
   */
  public ModelBuilder contextLength(int tokens) {
    return with(
        new LoadingOptions(
            OptionalInt.of(positive("contextLength", tokens)),
            options.threads(),
            options.kernels(),
            options.cacheType(),
            options.batchSize()));
  }

  /**
   * Sets how many threads compute.
   *
   * @param count at least 1; without it, one per physical core
   * @return a changed copy
   */
  public ModelBuilder threads(int count) {
    return with(
        new LoadingOptions(
            options.contextLength(),
            OptionalInt.of(positive("threads", count)),
            options.kernels(),
            options.cacheType(),
            options.batchSize()));
  }

  /**
   * Names the kernels to run on. Loading fails if they cannot run here.
   *
   * @param name {@code scalar}, {@code vector}, ...; without it, the best that can run
   * @return a changed copy
   */
  public ModelBuilder kernels(String name) {
    return with(
        new LoadingOptions(
            options.contextLength(),
            options.threads(),
            Optional.of(name),
            options.cacheType(),
            options.batchSize()));
  }

  /**
   * Sets how keys and values are stored.
   *
   * @param type F16 without it
   * @return a changed copy
   */
  public ModelBuilder cacheType(CacheType type) {
    return with(
        new LoadingOptions(
            options.contextLength(),
            options.threads(),
            options.kernels(),
            Objects.requireNonNull(type, "type"),
            options.batchSize()));
  }

  /**
   * Sets the most tokens of one forward pass. Prompts are read in chunks of this size; scratch
   * memory grows with it.
   *
   * @param tokens at least 1; 512 without it
   * @return a changed copy
   */
  public ModelBuilder batchSize(int tokens) {
    return with(
        new LoadingOptions(
            options.contextLength(),
            options.threads(),
            options.kernels(),
            options.cacheType(),
            positive("batchSize", tokens)));
  }

  /**
   * Sets who is told how far loading has come.
   *
   * @param value called on the loading thread
   * @return a changed copy
   */
  public ModelBuilder onProgress(LoadListener value) {
    return new ModelBuilder(source, options, Objects.requireNonNull(value, "value"));
  }

  /**
   * Loads the model.
   *
   * @return to be closed by the caller
   * @throws LlamaException if the file is no model this library runs, or the kernels asked for
   *     cannot run
   */
  public LlamaModel load() {
    Checkpoint checkpoint = source.get();
    return new LlamaModel(LoadedModel.load(checkpoint, options, listener::onProgress));
  }

  private ModelBuilder with(LoadingOptions changed) {
    return new ModelBuilder(source, changed, listener);
  }

  private static int positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "%s: expected at least 1, found %d".formatted(name, value));
    }
    return value;
  }
}
