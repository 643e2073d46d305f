package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.llamaj.golden.GoldenAssertions.logits;
import static org.llamaj.golden.GoldenAssertions.maxDifference;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.transformer.Sequence;

/**
 * Mixtral's and Llama 4's kind of models against the logits of independent implementations, on
 * every kernel provider.
 */
class GoldenMixtureTest {

  static Stream<Arguments> casesOnAllKernels() {
    return GoldenAssertions.usableKernels().stream()
        .flatMap(kernels -> cases(false).map(c -> Arguments.of(c, kernels)));
  }

  /** Thousands of tokens take the plain kernels minutes. */
  static Stream<Arguments> longCasesOnFastKernels() {
    List<String> kernels = GoldenAssertions.usableKernels();
    return kernels.stream()
        .filter(name -> kernels.size() == 1 || !name.equals("scalar"))
        .flatMap(name -> cases(true).map(c -> Arguments.of(c, name)));
  }

  private static Stream<GoldenCase> cases(boolean isLong) {
    return GoldenCase.all("text", GoldenMixtureTest.class).stream()
        .filter(GoldenCase::hasExperts)
        .filter(golden -> golden.isLong() == isLong);
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("casesOnAllKernels")
  void promptLogits(GoldenCase golden, String kernels) {
    GoldenAssertions.assertPromptLogits(golden, kernels);
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("casesOnAllKernels")
  void greedyContinuation(GoldenCase golden, String kernels) {
    GoldenAssertions.assertGreedyContinuation(golden, kernels);
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("casesOnAllKernels")
  void promptInChunksGivesTheSameLogits(GoldenCase golden, String kernels) {
    GoldenAssertions.assertChunksGiveTheSameLogits(golden, kernels);
  }

  /** Over the border of an attention chunk, and the first step of the attention temperature. */
  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("longCasesOnFastKernels")
  void longContext(GoldenCase golden, String kernels) {
    try (LlamaModel model = GoldenAssertions.load(golden, kernels);
        Sequence sequence = model.transformer().newSequence()) {
      int[] prompt = golden.prompt();
      List<float[]> logits = logits(model, sequence, prompt, 500, golden.firstPosition());
      assertThat(maxDifference(logits, golden.exactLogits())).isLessThan(3e-3);

      sequence.truncate(prompt.length - 1);
      int[] expected = golden.ints("greedy");
      int last = prompt[prompt.length - 1];
      assertThat(GoldenAssertions.greedy(model, sequence, last, expected.length))
          .isEqualTo(expected);
    }
  }
}
