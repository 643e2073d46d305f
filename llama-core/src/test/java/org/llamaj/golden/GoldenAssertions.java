package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/** Whole models against the logits of independent implementations, for the tests of all modules. */
public final class GoldenAssertions {

  /** Kernels that round activations where weights are rounded: to 8 bits, or to bfloat16. */
  private static final List<String> ROUNDING = List.of("x86", "cuda");

  /** Kernels that round them when there is one row: to 9 or 10 bits. */
  private static final List<String> ROUNDING_ONE = List.of("x86", "vector");

  private GoldenAssertions() {}

  /** Names of the kernel providers that can run here. */
  public static List<String> usableKernels() {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.unavailable().isEmpty())
        .map(KernelProvider::name)
        .toList();
  }

  /** Loads a case's model with an exact cache. */
  public static LlamaModel load(GoldenCase golden, String kernels) {
    return LlamaModel.builder(golden.model())
        .kernels(kernels)
        .cacheType(CacheType.F32)
        .contextLength(golden.tokens() + 512)
        .threads(2)
        .load();
  }

  /** The logits of the prompt are those of the reference, within the tolerance of the case. */
  public static void assertPromptLogits(GoldenCase golden, String kernels) {
    try (LlamaModel model = load(golden, kernels)) {
      List<float[]> logits = logits(model, golden.prompt(), 512);
      if (rounds(golden, kernels)) {
        assertDirections(logits, golden.exactLogits());
      } else {
        double tolerance = golden.isFloat32() ? 2e-4 : 5e-4;
        assertThat(maxDifference(logits, golden.exactLogits())).isLessThan(tolerance);
      }
    }
  }

  /** The prompt gives the same logits whether it is read at once or in chunks of 1 or 7 tokens. */
  public static void assertChunksGiveTheSameLogits(GoldenCase golden, String kernels) {
    try (LlamaModel model = load(golden, kernels)) {
      float[][] whole = logits(model, golden.prompt(), 512).toArray(float[][]::new);
      for (int chunk : new int[] {1, 7}) {
        List<float[]> chunked = logits(model, golden.prompt(), chunk);
        if (roundsOne(golden, kernels)) { // in mixtures a chunk of 7 has experts with one row, too
          assertDirections(chunked, whole);
        } else {
          assertThat(maxDifference(chunked, whole)).as("chunks of %d", chunk).isLessThan(1e-4);
        }
      }
    }
  }

  private static boolean rounds(GoldenCase golden, String kernels) {
    return ROUNDING.contains(kernels) && !golden.isFloat32();
  }

  private static boolean roundsOne(GoldenCase golden, String kernels) {
    return ROUNDING_ONE.contains(kernels) && !golden.isFloat32();
  }

  private static void assertDirections(List<float[]> found, float[][] expected) {
    double[] cosines = cosines(found, expected);
    assertThat(Arrays.stream(cosines).min().orElseThrow()).isGreaterThan(0.996);
    assertThat(Arrays.stream(cosines).average().orElseThrow()).isGreaterThan(0.999);
  }

  /** The most probable continuation is that of the reference, up to the first close decision. */
  public static void assertGreedyContinuation(GoldenCase golden, String kernels) {
    boolean exact = golden.expected().has("greedy_exact");
    int[] expected = golden.ints(exact ? "greedy_exact" : "greedy");
    double[] margins = golden.numbers(exact ? "greedy_exact_top1_margin" : "greedy_top1_margin");
    boolean rounded = rounds(golden, kernels) || roundsOne(golden, kernels);
    double decisive = rounded ? 0.6 : 0.001;
    int[] found;
    try (LlamaModel model = load(golden, kernels);
        Sequence sequence = model.transformer().newSequence()) {
      int[] prompt = golden.prompt();
      int last = prompt.length - 1;
      logits(model, sequence, Arrays.copyOf(prompt, last), 512, last);
      found = greedy(model, sequence, prompt[last], expected.length);
    }
    int comparable = 0;
    while (comparable < expected.length && margins[comparable] >= decisive) {
      comparable++;
    }
    assertThat(Arrays.copyOf(found, comparable)).isEqualTo(Arrays.copyOf(expected, comparable));
  }

  /** The tokens that are most probable after a sequence and one more token. */
  public static int[] greedy(LlamaModel model, Sequence sequence, int token, int count) {
    int[] found = new int[count];
    Batch batch = model.transformer().newBatch();
    for (int i = 0; i < count; i++) {
      batch.clear();
      batch.add(sequence, i == 0 ? token : found[i - 1]).wantLogits();
      model.transformer().forward(batch);
      found[i] = argMax(batch.logits(0));
    }
    return found;
  }

  /** The logits after each token of a text, when the tokens are read in chunks. */
  public static List<float[]> logits(LlamaModel model, int[] tokens, int chunk) {
    return logits(model.transformer(), tokens, chunk);
  }

  /** The logits after each token of a text, when the tokens are read in chunks. */
  public static List<float[]> logits(Transformer transformer, int[] tokens, int chunk) {
    try (Sequence sequence = transformer.newSequence()) {
      return logits(transformer, sequence, tokens, chunk, 0);
    }
  }

  /** The logits after the tokens from the {@code first} on, which continue a sequence. */
  public static List<float[]> logits(
      LlamaModel model, Sequence sequence, int[] tokens, int chunk, int first) {
    return logits(model.transformer(), sequence, tokens, chunk, first);
  }

  private static List<float[]> logits(
      Transformer transformer, Sequence sequence, int[] tokens, int chunk, int first) {
    List<float[]> rows = new ArrayList<>();
    Batch batch = transformer.newBatch();
    for (int from = 0; from < tokens.length; from += chunk) {
      int to = Math.min(tokens.length, from + chunk);
      int wanted = 0;
      batch.clear();
      for (int i = from; i < to; i++) {
        batch.add(sequence, tokens[i]);
        if (i >= first) {
          batch.wantLogits();
          wanted++;
        }
      }
      transformer.forward(batch);
      for (int i = 0; i < wanted; i++) {
        rows.add(batch.logits(i).clone());
      }
    }
    return rows;
  }

  /** The largest absolute difference; NaN counts as one. */
  public static double maxDifference(List<float[]> found, float[][] expected) {
    assertThat(found).hasSize(expected.length);
    double max = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        double difference = Math.abs(found.get(row)[i] - expected[row][i]);
        max = difference <= max ? max : difference;
      }
    }
    return max;
  }

  /** The cosine of each row with the row expected. */
  public static double[] cosines(List<float[]> found, float[][] expected) {
    double[] cosines = new double[expected.length];
    for (int row = 0; row < expected.length; row++) {
      double dot = 0, a = 0, b = 0;
      for (int i = 0; i < expected[row].length; i++) {
        float x = found.get(row)[i];
        float y = expected[row][i];
        dot += x * y;
        a += x * x;
        b += y * y;
      }
      cosines[row] = dot / Math.sqrt(a * b);
    }
    return cosines;
  }

  private static int argMax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  /** The mean over all tokens but the first, each given those before it, in one pass. */
  public static double meanNegativeLogLikelihood(LlamaModel model, int[] tokens) {
    List<float[]> logits = logits(model, tokens, 512);
    double sum = 0;
    for (int i = 1; i < tokens.length; i++) {
      sum += negativeLogLikelihood(logits.get(i - 1), tokens[i]);
    }
    return sum / (tokens.length - 1);
  }

  private static double negativeLogLikelihood(float[] logits, int token) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum) - logits[token];
  }
}
