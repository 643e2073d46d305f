package org.llamaj.examples.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/** Measures how fast a model reads prompts and generates, on random tokens. */
final class Benchmark {

  /**
   * What to measure.
   *
   * @param promptTokens tokens read at once; 0 when generation is measured
   * @param generatedTokens tokens generated one by one; 0 when reading is measured
   * @param depth tokens that are in the cache before
   * @param batchSize tokens of a prompt in a forward pass; or {@link #WHOLE_BATCHES}
   */
  record Test(int promptTokens, int generatedTokens, int depth, int batchSize) {
    /** As many as the model takes. */
    static final int WHOLE_BATCHES = 0;

    /** As llama-bench names it: {@code pp512}, {@code pp512 b8}, {@code tg128 @ d4096}. */
    String label() {
      String name = promptTokens > 0 ? "pp" + promptTokens : "tg" + generatedTokens;
      String batches = batchSize == WHOLE_BATCHES ? "" : " b" + batchSize;
      return name + batches + (depth == 0 ? "" : " @ d" + depth);
    }

    int tokens() {
      return promptTokens + generatedTokens;
    }
  }

  /**
   * What was measured.
   *
   * @param samples tokens per second of each run
   */
  record Result(Test test, List<Double> samples) {
    double median() {
      double[] sorted = samples.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      int middle = sorted.length / 2;
      return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    double deviation() {
      double mean = samples.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
      double squares = samples.stream().mapToDouble(s -> (s - mean) * (s - mean)).sum();
      return samples.size() < 2 ? 0 : Math.sqrt(squares / (samples.size() - 1));
    }
  }

  private final Transformer transformer;
  private final Batch batch;
  private final int[] tokens;
  private final boolean copiesDepth;

  /**
   * @param copiesDepth whether tokens before a test are not read, but {@linkplain CopiedTokens
   *     copied}
   */
  Benchmark(LlamaModel model, boolean copiesDepth) {
    this.copiesDepth = copiesDepth;
    transformer = model.transformer();
    batch = transformer.newBatch();
    int vocabulary = transformer.configuration().vocabularySize();
    tokens = new Random(1).ints(4096, 0, vocabulary).toArray();
  }

  /** How many tokens of a prompt a forward pass takes at most. */
  int batchSize() {
    return batch.capacity();
  }

  /**
   * Runs a test, after an unmeasured run in which the JVM compiles what it needs.
   *
   * @param repetitions how many runs are measured
   */
  Result run(Test test, int repetitions) {
    List<Double> samples = new ArrayList<>();
    try (Sequence sequence = transformer.newSequence()) {
      if (copiesDepth) {
        copyTokens(sequence, test.depth());
      }
      read(sequence, test.depth() - sequence.length(), batch.capacity());
      runOnce(sequence, test);
      for (int i = 0; i < repetitions; i++) {
        long nanos = runOnce(sequence, test);
        samples.add(test.tokens() * 1e9 / nanos);
      }
    }
    return new Result(test, samples);
  }

  private void copyTokens(Sequence sequence, int count) {
    try (Sequence page = transformer.newSequence()) {
      read(page, Math.min(count, AttentionShape.PAGE_TOKENS), batch.capacity());
      new CopiedTokens(transformer, tokens).fill(page, sequence, count);
    }
  }

  private long runOnce(Sequence sequence, Test test) {
    int batchSize = test.batchSize() == Test.WHOLE_BATCHES ? batch.capacity() : test.batchSize();
    long start = System.nanoTime();
    read(sequence, test.promptTokens(), batchSize);
    for (int i = 0; i < test.generatedTokens(); i++) {
      read(sequence, 1, 1);
    }
    long nanos = System.nanoTime() - start;
    sequence.truncate(test.depth());
    return nanos;
  }

  /** Passes tokens through the model, with the logits of the last. */
  private void read(Sequence sequence, int count, int batchSize) {
    for (int done = 0; done < count; ) {
      int end = Math.min(count, done + batchSize);
      batch.clear();
      for (; done < end; done++) {
        batch.add(sequence, tokens[(sequence.length() + done) % tokens.length]);
      }
      if (done == count) {
        batch.wantLogits();
      }
      transformer.forward(batch);
    }
  }
}
