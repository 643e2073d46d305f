package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.synth.ModelShape;
import org.llamaj.checkpoint.synth.ModelSynthesizer;
import org.llamaj.kernel.CacheType;

/** What a quantised cache costs in exactness. */
class QuantizedCacheTest {

  /** Mean absolute error of the logits, whose standard deviation is about 2.5. */
  @ParameterizedTest
  @CsvSource({"F32, 0, 0", "F16, 2e-4, 5e-3", "Q8_0, 1e-3, 5e-2", "Q4_0, 1e-2, 0.7"})
  void logitsAreAsCloseAsTheTypeAllows(CacheType type, double atLeast, double atMost) {
    GoldenCase golden = golden("llama2-spm-F32");
    float[][] expected = golden.exactLogits();
    for (String kernels : GoldenAssertions.usableKernels()) {
      try (LlamaModel model = load(golden, kernels, type)) {
        var logits = GoldenAssertions.logits(model, golden.prompt(), 16);
        double sum = 0;
        for (int row = 0; row < expected.length; row++) {
          for (int i = 0; i < expected[row].length; i++) {
            sum += Math.abs(logits.get(row)[i] - expected[row][i]);
          }
        }
        double error = sum / expected.length / expected[0].length;
        assertThat(error).as(kernels).isBetween(atLeast - 1e-4, atMost + 1e-4);
      }
    }
  }

  @Test
  void everyProviderRunsAModelOnAQuantizedCache() {
    for (String kernels : GoldenAssertions.usableKernels()) {
      try (LlamaModel model =
          LlamaModel.builder(golden("llama2-spm-F32").model())
              .kernels(kernels)
              .cacheType(CacheType.Q8_0)
              .load()) {
        assertThat(model.describe()).contains(kernels);
        assertThat(GoldenAssertions.logits(model, new int[] {1, 2, 3}, 3)).hasSize(3);
      }
    }
  }

  @Test
  void headsThatAreNoWholeBlocksAreRefused(@TempDir Path folder) {
    Path file = folder.resolve("heads-of-16.gguf");
    ModelShape shape =
        new ModelShape(
            "heads-of-16", "llama", 64, 1, 4, 2, 16, 96, 512, 128, 1e4, 1, true, 0, 0, 0);
    new ModelSynthesizer(shape, FileType.F32, 1).write(file, (_, _) -> {});
    assertThatThrownBy(() -> LlamaModel.builder(file).cacheType(CacheType.Q4_0).load().close())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("Q4_0")
        .hasMessageContaining("multiple of 32");
  }

  private static LlamaModel load(GoldenCase golden, String kernels, CacheType type) {
    return LlamaModel.builder(golden.model())
        .kernels(kernels)
        .cacheType(type)
        .contextLength(1024)
        .threads(1)
        .load();
  }

  private static GoldenCase golden(String name) {
    return GoldenCase.all("text", QuantizedCacheTest.class).stream()
        .filter(golden -> golden.name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
