package org.llamaj.moe;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.golden.TextPaths;

/** All ways to the same text, in pairs, on mixtures, Llama 4's chunked attention included. */
class MixturePathsTest {
  @TempDir private static Path folder;

  static Stream<Arguments> pairs() {
    return GoldenAssertions.usableKernels().stream()
        .filter(kernels -> kernels.equals("vector") || kernels.equals("x86"))
        .flatMap(
            kernels ->
                GoldenCase.all("text", MixturePathsTest.class).stream()
                    .filter(golden -> golden.hasExperts() && !golden.isLong())
                    .flatMap(
                        golden ->
                            Arrays.stream(TextPaths.Past.values())
                                .flatMap(
                                    past ->
                                        Arrays.stream(TextPaths.Next.values())
                                            .map(
                                                next ->
                                                    Arguments.of(kernels, golden, past, next)))));
  }

  @ParameterizedTest(name = "{1} on {0}: {2} {3}")
  @MethodSource("pairs")
  void allPairsGiveTheSameTokens(
      String kernels, GoldenCase golden, TextPaths.Past past, TextPaths.Next next)
      throws Exception {
    boolean exact = kernels.equals("vector") && !golden.name().endsWith("Q4_K_M");
    TextPaths.assertSameText(kernels, golden.model(), exact, past, next, folder);
  }
}
