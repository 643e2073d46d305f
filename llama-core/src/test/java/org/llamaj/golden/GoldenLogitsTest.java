package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.assertj.core.data.Offset.offset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/**
 * Whole dense models against the logits of independent implementations, on every kernel provider.
 */
class GoldenLogitsTest {

  /** Kernels that round activations to 8 bits where weights are quantised. */
  private static final List<String> ROUNDING = List.of("x86");

  static Stream<Arguments> casesOnAllKernels() {
    List<GoldenCase> cases =
        GoldenCase.all("text").stream().filter(c -> !c.isLora() && !c.hasExperts()).toList();
    return usableKernels().stream()
        .flatMap(kernels -> cases.stream().map(c -> Arguments.of(c, kernels)));
  }

  static List<String> usableKernels() {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.unavailable().isEmpty())
        .map(KernelProvider::name)
        .toList();
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("casesOnAllKernels")
  void promptLogits(GoldenCase golden, String kernels) {
    try (LlamaModel model = load(golden, kernels)) {
      List<float[]> logits = logits(model, golden.prompt(), 512);
      if (golden.isFloat32()) {
        assertThat(maxDifference(logits, golden.exactLogits())).isLessThan(2e-4);
      } else if (!ROUNDING.contains(kernels)) {
        assertThat(maxDifference(logits, golden.exactLogits())).isLessThan(5e-4);
      } else {
        double[] cosines = cosines(logits, golden.exactLogits());
        assertThat(Arrays.stream(cosines).min().orElseThrow()).isGreaterThan(0.996);
        assertThat(Arrays.stream(cosines).average().orElseThrow()).isGreaterThan(0.999);
      }
    }
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("casesOnAllKernels")
  void greedyContinuation(GoldenCase golden, String kernels) {
    boolean exact = golden.expected().has("greedy_exact");
    int[] expected = golden.ints(exact ? "greedy_exact" : "greedy");
    double[] margins = golden.numbers(exact ? "greedy_exact_top1_margin" : "greedy_top1_margin");
    double decisive = ROUNDING.contains(kernels) && !golden.isFloat32() ? 0.6 : 0.001;
    int[] found = new int[expected.length];
    try (LlamaModel model = load(golden, kernels);
        Sequence sequence = model.transformer().newSequence()) {
      Transformer transformer = model.transformer();
      Batch batch = transformer.newBatch();
      for (int token : golden.prompt()) {
        batch.add(sequence, token);
      }
      for (int i = 0; i < expected.length; i++) {
        batch.wantLogits();
        transformer.forward(batch);
        found[i] = argMax(batch.logits(0));
        batch.clear();
        batch.add(sequence, found[i]);
      }
    }
    int comparable = 0;
    while (comparable < expected.length && margins[comparable] >= decisive) {
      comparable++;
    }
    assertThat(Arrays.copyOf(found, comparable)).isEqualTo(Arrays.copyOf(expected, comparable));
  }

  @Test
  void promptInChunksGivesTheSameLogits() {
    GoldenCase golden =
        GoldenCase.all("text").stream()
            .filter(c -> c.name().equals("rope-yarn-F32"))
            .findFirst()
            .orElseThrow();
    try (LlamaModel model = load(golden, "scalar")) {
      List<float[]> whole = logits(model, golden.prompt(), 512);
      for (int chunk : new int[] {1, 7}) {
        List<float[]> chunked = logits(model, golden.prompt(), chunk);
        assertThat(maxDifference(chunked, whole.toArray(float[][]::new)))
            .as("chunks of %d", chunk)
            .isLessThan(1e-5);
      }
    }
  }

  @Test
  void meanNegativeLogLikelihood() {
    List<GoldenCase> cases = GoldenCase.all("nll");
    assumeThat(cases).as("reference data that is not committed").isNotEmpty();
    for (GoldenCase golden : cases) {
      int[] tokens = golden.ints("tokens");
      try (LlamaModel model = load(golden, "scalar")) {
        List<float[]> logits = logits(model, tokens, 512);
        double sum = 0;
        for (int i = 1; i < tokens.length; i++) {
          sum += negativeLogLikelihood(logits.get(i - 1), tokens[i]);
        }
        assertThat(sum / (tokens.length - 1))
            .isCloseTo(golden.expected().get("mean_nll").asDouble(), offset(1e-4));
      }
    }
  }

  private static LlamaModel load(GoldenCase golden, String kernels) {
    return LlamaModel.builder(golden.model())
        .kernels(kernels)
        .cacheType(CacheType.F32)
        .contextLength(1024)
        .threads(2)
        .load();
  }

  private static List<float[]> logits(LlamaModel model, int[] tokens, int chunk) {
    List<float[]> rows = new ArrayList<>();
    try (Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      for (int from = 0; from < tokens.length; from += chunk) {
        int to = Math.min(tokens.length, from + chunk);
        batch.clear();
        for (int i = from; i < to; i++) {
          batch.add(sequence, tokens[i]);
          batch.wantLogits();
        }
        model.transformer().forward(batch);
        for (int i = 0; i < to - from; i++) {
          rows.add(batch.logits(i).clone());
        }
      }
    }
    return rows;
  }

  private static double maxDifference(List<float[]> found, float[][] expected) {
    assertThat(found).hasSize(expected.length);
    double max = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        double difference = Math.abs(found.get(row)[i] - expected[row][i]);
        max = difference <= max ? max : difference; // NaN counts as a difference
      }
    }
    return max;
  }

  private static double[] cosines(List<float[]> found, float[][] expected) {
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

  private static int argMax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
