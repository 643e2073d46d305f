package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.assertj.core.data.Offset.offset;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;

/**
 * Whole dense models against the logits of independent implementations, on every kernel provider.
 */
class GoldenLogitsTest {

  static Stream<Arguments> casesOnAllKernels() {
    List<GoldenCase> cases =
        GoldenCase.all("text", GoldenLogitsTest.class).stream()
            .filter(c -> !c.isLora() && !c.hasExperts())
            .toList();
    return GoldenAssertions.usableKernels().stream()
        .flatMap(kernels -> cases.stream().map(c -> Arguments.of(c, kernels)));
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

  @Test
  void promptInChunksGivesTheSameLogits() {
    GoldenCase golden =
        GoldenCase.all("text", GoldenLogitsTest.class).stream()
            .filter(c -> c.name().equals("rope-yarn-F32"))
            .findFirst()
            .orElseThrow();
    GoldenAssertions.assertChunksGiveTheSameLogits(golden, "scalar");
  }

  @Test
  void meanNegativeLogLikelihood() {
    List<GoldenCase> cases = GoldenCase.all("nll", GoldenLogitsTest.class);
    assumeThat(cases).as("reference data that is not committed").isNotEmpty();
    for (GoldenCase golden : cases) {
      int[] tokens = golden.ints("tokens");
      try (LlamaModel model = GoldenAssertions.load(golden, "scalar")) {
        assertThat(GoldenAssertions.meanNegativeLogLikelihood(model, tokens))
            .isCloseTo(golden.expected().get("mean_nll").asDouble(), offset(1e-4));
      }
    }
  }
}
