package org.llamaj;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.golden.TextPaths;

/** All ways to the same text, in pairs, on dense models. */
class PathsTest {
  @TempDir private static Path folder;

  static Stream<Arguments> pairs() {
    return Stream.of(
            Arguments.of("scalar", TestModels.small()),
            Arguments.of("scalar", TestModels.quantised()),
            Arguments.of("vector", TestModels.small()),
            Arguments.of("vector", TestModels.quantised()),
            Arguments.of("vector", TestModels.llama2()),
            Arguments.of("vector", TestModels.demo()),
            Arguments.of("x86", TestModels.small()),
            Arguments.of("x86", TestModels.quantised()),
            Arguments.of("x86", TestModels.llama2()),
            Arguments.of("x86", TestModels.demo()))
        .filter(model -> canRun((String) model.get()[0]))
        .flatMap(model -> Arrays.stream(TextPaths.Past.values()).map(past -> plus(model, past)))
        .flatMap(model -> Arrays.stream(TextPaths.Next.values()).map(next -> plus(model, next)));
  }

  private static boolean canRun(String kernels) {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).kernels(kernels).load()) {
      return model.kernels().equals(kernels);
    } catch (LlamaException e) {
      return false; // this machine has not what they need
    }
  }

  private static Arguments plus(Arguments some, Object more) {
    return Arguments.of(Stream.concat(Arrays.stream(some.get()), Stream.of(more)).toArray());
  }

  @ParameterizedTest(name = "{0} {2} {3}")
  @MethodSource("pairs")
  void allPairsGiveTheSameTokens(
      String kernels, Path file, TextPaths.Past past, TextPaths.Next next) throws Exception {
    TextPaths.assertSameText(kernels, file, !kernels.equals("x86"), past, next, folder);
  }
}
