package org.llamaj.kernel.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.scalar.ScalarKernelProvider;
import org.llamaj.kernel.x86.machine.Emulator;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.transformer.Transformer;
import org.llamaj.transformer.TransformerBuilder;

/**
 * Whole dense models at the levels that the provider does not choose here, against the logits of
 * exact arithmetic. Prompts are read at once, so all products are of many rows.
 */
class X86LevelsGoldenTest {

  static Stream<Arguments> casesAtAllLevels() {
    List<GoldenCase> cases =
        GoldenCase.all("text", X86LevelsGoldenTest.class).stream()
            .filter(c -> !c.isLora() && !c.hasExperts() && !c.isLong())
            .toList();
    return Stream.of(Level.AVX2, Level.AVXVNNI, Level.AVX512, Level.AVX512BF16, Level.AMX)
        .flatMap(level -> cases.stream().map(c -> Arguments.of(c, level)));
  }

  @AfterEach
  void nothingThatHardwareRefuses() {
    Emulator.check();
  }

  @ParameterizedTest(name = "{0} at {1}")
  @MethodSource("casesAtAllLevels")
  void promptLogits(GoldenCase golden, Level level) {
    assumeTrue(new X86KernelProvider().unavailable().isEmpty());
    Emulator.assumeRuns(level);
    int[] prompt = golden.prompt();
    List<float[]> found;
    try (LlamaModel model = LlamaModel.builder(golden.model()).kernels("scalar").load();
        Workers workers = new Workers(2);
        Kernels kernels =
            new X86Kernels(level, workers, () -> new ScalarKernelProvider().open(workers));
        Arena arena = Arena.ofShared()) {
      Transformer transformer =
          new TransformerBuilder(
                  model.transformer().configuration(),
                  model.checkpoint()::find,
                  kernels,
                  arena,
                  prompt.length)
              .build(
                  prompt.length,
                  CacheType.F32,
                  PageMemory.of(arena),
                  Optional.empty(),
                  layer -> {});
      found = GoldenAssertions.logits(transformer, prompt, prompt.length);
    }
    if (golden.isFloat32()) {
      assertThat(GoldenAssertions.maxDifference(found, golden.exactLogits())).isLessThan(2e-4);
    } else {
      double[] cosines = GoldenAssertions.cosines(found, golden.exactLogits());
      assertThat(Arrays.stream(cosines).min().orElseThrow())
          .isGreaterThan(leastCosine(golden.expected().get("file_type").asString(), level));
    }
  }

  /** BF16 products of quantised weights round these too, so they are a little less exact. */
  private static double leastCosine(String fileType, Level level) {
    return switch (fileType) {
      case "F16" -> 0.99999;
      case "BF16" -> 0.9998;
      default -> level.has(Feature.AMX_BF16) ? 0.9996 : 0.996;
    };
  }
}
