package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.cuda.Emulator;

/**
 * Whole dense models on an emulated CUDA device, against the logits of independent implementations.
 */
class CudaGoldenTest {
  private static Emulator emulator;

  @BeforeAll
  static void openEmulator() {
    emulator = Emulator.open();
  }

  @AfterAll
  static void closeEmulator() {
    if (emulator != null) {
      emulator.close();
    }
  }

  @AfterEach
  void nothingIsLeftOpen() {
    emulator.assertClean();
  }

  static Stream<GoldenCase> cases() {
    List<GoldenCase> cases = GoldenCase.all("text", CudaGoldenTest.class);
    return cases.stream().filter(c -> !c.isLora() && !c.hasExperts());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void promptLogits(GoldenCase golden) {
    GoldenAssertions.assertPromptLogits(golden, "cuda");
  }

  /** Prompts on the tensor cores: half precision, so the tolerance is wider. */
  @ParameterizedTest
  @MethodSource("someCases")
  void promptLogitsWithASmallCache(GoldenCase golden) {
    for (CacheType cacheType : List.of(CacheType.F16, CacheType.Q8_0)) {
      try (LlamaModel model =
          LlamaModel.builder(golden.model())
              .kernels("cuda")
              .cacheType(cacheType)
              .contextLength(golden.tokens() + 512)
              .load()) {
        List<float[]> found = GoldenAssertions.logits(model, golden.prompt(), 512);
        double[] cosines = GoldenAssertions.cosines(found, golden.exactLogits());
        assertThat(Arrays.stream(cosines).min().orElseThrow())
            .as("%s", cacheType)
            .isGreaterThan(
                !golden.isFloat32() ? 0.996 : cacheType == CacheType.F16 ? 0.9999 : 0.999);
      }
    }
  }

  static Stream<GoldenCase> someCases() {
    List<String> names = List.of("llama2-spm-F32", "llama32-bpe-Q4_K_M", "rope-yarn-F32");
    return cases().filter(c -> names.contains(c.name()));
  }

  @ParameterizedTest
  @MethodSource("someCases")
  void greedyContinuation(GoldenCase golden) {
    GoldenAssertions.assertGreedyContinuation(golden, "cuda");
  }
}
