package org.llamaj;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;

/**
 * Many prompts that are continued together, for throughput. Immutable: each method that changes
 * something returns a copy.
 *
 * <pre>{@code
 * List<Generation> answers = model.batch(List.of("1 + 1 =", "2 + 2 =")).maxTokens(3).generate();
 * }</pre>
 */
public final class BatchRequest {
  private final LlamaModel model;
  private final List<ModelInput> prompts;
  private final GenerationOptions options;
  private final int concurrency;

  BatchRequest(
      LlamaModel model, List<ModelInput> prompts, GenerationOptions options, int concurrency) {
    this.model = model;
    this.prompts = prompts;
    this.options = options;
    this.concurrency = concurrency;
  }

  /**
   * Replaces all options, which hold for each prompt.
   *
   * @param value the new options
   * @return a changed copy
   */
  public BatchRequest options(GenerationOptions value) {
    return new BatchRequest(model, prompts, value, concurrency);
  }

  /**
   * Changes the options step by step; the other methods for options are short for this one.
   *
   * @param change makes the new options from the present ones
   * @return a changed copy
   */
  public BatchRequest options(UnaryOperator<GenerationOptions> change) {
    return options(change.apply(options));
  }

  /**
   * Limits the length of each text.
   *
   * @param value the most tokens to generate
   * @return a changed copy
   */
  public BatchRequest maxTokens(int value) {
    return options(options.withMaxTokens(value));
  }

  /**
   * Sets the temperature.
   *
   * @param value 0 for the most probable token each time
   * @return a changed copy
   */
  public BatchRequest temperature(float value) {
    return sampling(sampling -> sampling.withTemperature(value));
  }

  /**
   * Changes how tokens are chosen.
   *
   * @param change makes the new sampling options from the present ones
   * @return a changed copy
   */
  public BatchRequest sampling(UnaryOperator<SamplingOptions> change) {
    return options(options.withSampling(change));
  }

  /**
   * Sets how many texts are under way at a time. More are faster in all, and take more memory for
   * the cache.
   *
   * @param texts at least 1; 16 without it
   * @return a changed copy
   */
  public BatchRequest concurrency(int texts) {
    if (texts < 1) {
      throw new IllegalArgumentException("concurrency: expected at least 1, found " + texts);
    }
    return new BatchRequest(model, prompts, options, texts);
  }

  /**
   * Continues all prompts and waits for the end.
   *
   * @return the results, in the order of the prompts
   * @throws LlamaException the first failure; the other texts are cancelled then
   * @throws InterruptedException if the calling thread is interrupted; all texts are cancelled then
   */
  public List<Generation> generate() throws InterruptedException {
    if (prompts.isEmpty()) {
      return List.of();
    }
    Set<GenerationStream> running = ConcurrentHashMap.newKeySet();
    List<Future<Generation>> results = new ArrayList<>();
    // Threads of the system: a virtual one computes to its end before another gets its processor.
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            Math.min(concurrency, prompts.size()),
            Thread.ofPlatform().daemon().name("llamaj-batch-", 0).factory())) {
      try {
        for (ModelInput prompt : prompts) {
          results.add(threads.submit(() -> one(prompt, running)));
        }
        List<Generation> texts = new ArrayList<>();
        for (Future<Generation> result : results) {
          texts.add(result.get());
        }
        return texts;
      } catch (ExecutionException e) {
        throw failure(e.getCause());
      } finally {
        results.forEach(result -> result.cancel(true));
        running.forEach(GenerationStream::cancel);
      }
    }
  }

  private Generation one(ModelInput prompt, Set<GenerationStream> running) {
    try (GenerationStream stream = model.stream(prompt, List.of(), options)) {
      running.add(stream);
      if (Thread.currentThread().isInterrupted()) { // too late to be found among those that run
        stream.cancel();
      }
      try {
        return stream.readAll(_ -> {});
      } finally {
        running.remove(stream);
      }
    }
  }

  private static RuntimeException failure(Throwable cause) {
    return switch (cause) {
      case Error error -> throw error;
      case RuntimeException e -> e;
      default -> new LlamaException("a text of the batch failed: " + cause, cause);
    };
  }
}
