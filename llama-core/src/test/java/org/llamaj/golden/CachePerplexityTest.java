package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.CacheType;

/** What rounding keys and values costs: the change of the mean negative log-likelihood. */
class CachePerplexityTest {

  @ParameterizedTest
  @CsvSource({"F32, 0.001", "F16, 0.01", "Q8_0, 0.05", "Q4_0, 0.5"})
  void staysCloseToTheExactOne(CacheType type, double percent) {
    List<GoldenCase> cases = GoldenCase.all("nll", CachePerplexityTest.class);
    assumeThat(cases).as("reference data that is not committed").isNotEmpty();
    GoldenCase golden = cases.getFirst();
    double exact = golden.expected().get("mean_nll").asDouble();
    for (String kernels : GoldenAssertions.usableKernels()) {
      try (LlamaModel model =
          LlamaModel.builder(golden.model()).kernels(kernels).cacheType(type).load()) {
        double found = GoldenAssertions.meanNegativeLogLikelihood(model, golden.ints("tokens"));
        assertThat(found).as(kernels).isCloseTo(exact, withinPercentage(percent));
      }
    }
  }
}
