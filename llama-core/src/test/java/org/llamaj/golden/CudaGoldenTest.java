package org.llamaj.golden;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
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
