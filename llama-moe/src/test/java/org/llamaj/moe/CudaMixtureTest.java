package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.llamaj.golden.GoldenAssertions.cosines;
import static org.llamaj.golden.GoldenAssertions.logits;
import static org.llamaj.golden.GoldenAssertions.maxDifference;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.Backend;
import org.llamaj.LlamaModel;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.Sequence;

/**
 * Mixtures on an emulated CUDA device, with their experts there or with the processor. The emulator
 * is the one that the tests of llama-core have built.
 */
class CudaMixtureTest {
  private static final Path BUILT = Path.of("..", "llama-core", "target", "cuda-emulator");
  private static final List<String> PROPERTIES = List.of("llamaj.cuda.driver", "llamaj.cuda.nvrtc");
  private static final String CACHE = "llamaj.cuda.cache";

  private static SymbolLookup library;

  @BeforeAll
  static void openEmulator() throws Throwable {
    Optional<Path> file = newest();
    assumeTrue(file.isPresent(), "no emulator: the tests of llama-core were not run here");
    String path = file.get().toAbsolutePath().toString();
    library = SymbolLookup.libraryLookup(file.get().toAbsolutePath(), Arena.global());
    FunctionDescriptor reset =
        FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG);
    Linker.nativeLinker()
        .downcallHandle(library.find("emulator_reset").orElseThrow(), reset)
        .invokeExact(1, 1L << 30);
    PROPERTIES.forEach(property -> System.setProperty(property, path));
    System.setProperty(CACHE, "none");
  }

  @AfterAll
  static void closeEmulator() {
    PROPERTIES.forEach(System::clearProperty);
    System.clearProperty(CACHE);
  }

  @AfterEach
  void nothingIsLeftOpen() throws Throwable {
    MemorySegment violation =
        (MemorySegment)
            Linker.nativeLinker()
                .downcallHandle(
                    library.find("emulator_violation").orElseThrow(),
                    FunctionDescriptor.of(ValueLayout.ADDRESS))
                .invokeExact();
    assertThat(violation.reinterpret(1 << 16).getString(0)).isEmpty();
    assertThat(number("emulator_open")).as("left open on the device").isZero();
  }

  private static long number(String function) {
    try {
      return (long)
          Linker.nativeLinker()
              .downcallHandle(
                  library.find(function).orElseThrow(),
                  FunctionDescriptor.of(ValueLayout.JAVA_LONG))
              .invokeExact();
    } catch (Throwable t) {
      throw new AssertionError(t);
    }
  }

  private static Optional<Path> newest() {
    if (!Files.isDirectory(BUILT)) {
      return Optional.empty();
    }
    try (Stream<Path> folders = Files.list(BUILT)) {
      return folders
          .map(folder -> folder.resolve("libcuda-emulator.so"))
          .filter(Files::exists)
          .max(Comparator.comparing(file -> file.toFile().lastModified()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Stream<GoldenCase> cases() {
    return GoldenCase.all("text", CudaMixtureTest.class).stream()
        .filter(golden -> golden.hasExperts() && !golden.isLong());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void promptLogits(GoldenCase golden) {
    GoldenAssertions.assertPromptLogits(golden, "cuda");
  }

  /** What is chosen stays on the device: a step is one graph, and one row of logits comes back. */
  @ParameterizedTest
  @MethodSource("cases")
  void aStepIsOneGraph(GoldenCase golden) {
    try (LlamaModel model = GoldenAssertions.load(golden, "cuda");
        Sequence sequence = model.transformer().newSequence()) {
      GoldenAssertions.greedy(model, sequence, golden.prompt()[0], 3);
      long graphs = number("emulator_graph_launches");
      long downloads = number("emulator_downloads");
      GoldenAssertions.greedy(model, sequence, golden.prompt()[1], 2);
      assertThat(number("emulator_graph_launches") - graphs).isEqualTo(2);
      assertThat(number("emulator_downloads") - downloads).isEqualTo(2);
    }
  }

  /** Some layers have all of their experts there, some have none, and one has some. */
  @Test
  void expertsWithoutRoomStayWithTheProcessor() throws Throwable {
    GoldenCase golden =
        cases().filter(c -> c.name().equals("mixtral-F32")).findFirst().orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      Linker.nativeLinker()
          .downcallHandle(
              library.find("emulator_fail").orElseThrow(),
              FunctionDescriptor.ofVoid(
                  ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
          .invokeExact(arena.allocateFrom("cuMemAlloc_v2"), 40, 2);
    }
    try (LlamaModel model = GoldenAssertions.load(golden, "cuda")) {
      assertThat(model.describe()).contains("the others on ");
      List<float[]> found = logits(model, golden.prompt(), 512);
      assertThat(maxDifference(found, golden.exactLogits())).isLessThan(2e-4);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void expertsMayStayWithTheProcessor(GoldenCase golden) {
    try (LlamaModel model =
        LlamaModel.builder(golden.model())
            .backend(Backend.cuda().keepExpertsOnCpu())
            .cacheType(CacheType.F32)
            .contextLength(golden.tokens() + 512)
            .load()) {
      assertThat(model.describe()).contains("the others on ");
      List<float[]> found = logits(model, golden.prompt(), 512);
      if (golden.isFloat32()) {
        assertThat(maxDifference(found, golden.exactLogits())).isLessThan(2e-4);
      } else { // activations are rounded to 8 bits there and to bfloat16 here
        double[] cosines = cosines(found, golden.exactLogits());
        assertThat(Arrays.stream(cosines).min().orElseThrow()).isGreaterThan(0.996);
        assertThat(Arrays.stream(cosines).average().orElseThrow()).isGreaterThan(0.999);
      }
    }
  }
}
