package org.llamaj.kernel.x86.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Makes instructions run here that this processor lacks: {@code emulator.c} says how. It is
 * compiled with gcc and installed in this JVM when first asked for; where that cannot be, tests of
 * those instructions are skipped with the reason.
 */
public final class Emulator {
  private static final Emulator INSTANCE = new Emulator();

  private final Set<Feature> features;
  private SymbolLookup library;
  private String reason = "the processor has it";

  private Emulator() {
    Set<Feature> own = Processor.features();
    features = EnumSet.copyOf(own);
    if (own.contains(Feature.AMX_BF16) && !SystemCalls.permitTiles()) {
      features.remove(Feature.AMX_BF16);
    }
    Set<Feature> emulated = EnumSet.of(Feature.AVX_VNNI);
    if (own.contains(Feature.AVX512)) {
      emulated.addAll(Set.of(Feature.AVX512_BF16, Feature.AMX_BF16));
    }
    if (features.containsAll(emulated)) {
      return;
    }
    try {
      library = load(compile());
      features.addAll(emulated);
    } catch (IOException e) {
      reason = "no emulator, as gcc does not run here: " + e.getMessage();
    }
  }

  /** Skips the test unless code of this level runs here, by itself or emulated. */
  public static void assumeRuns(Level level) {
    assumeTrue(
        level.runsOn(INSTANCE.features),
        () -> level.title() + " does not run on this processor; " + INSTANCE.reason);
  }

  /** Whether code of this level runs here, by itself or emulated. */
  static boolean runs(Level level) {
    return level.runsOn(INSTANCE.features);
  }

  /** Nothing was done that hardware refuses, and no thread has tiles left that are in use. */
  public static void check() {
    if (INSTANCE.library != null) {
      assertThat(INSTANCE.call("emulator_faults"))
          .as(() -> INSTANCE.words("emulator_first_fault"))
          .isZero();
      assertThat(INSTANCE.call("emulator_live")).as("threads with tiles in use").isZero();
    }
  }

  /** Skips the test if this processor does the work of the emulator itself. */
  static void assumeNeeded() {
    assumeTrue(INSTANCE.library != null, () -> "no emulator; " + INSTANCE.reason);
    assumeTrue(runs(Level.AMX) && !Processor.features().contains(Feature.AMX_BF16));
  }

  /** The first thing that hardware would have refused since the last call, in words. */
  static Optional<String> takeFault() {
    boolean any = INSTANCE.call("emulator_faults") > 0;
    String fault = INSTANCE.words("emulator_first_fault");
    INSTANCE.call("emulator_forget");
    return any ? Optional.of(fault) : Optional.empty();
  }

  private static Path compile() throws IOException {
    Path folder = Files.createTempDirectory("emulator");
    Path source = folder.resolve("emulator.c");
    Path result = folder.resolve("emulator.so");
    try (InputStream code = Emulator.class.getResourceAsStream("emulator.c")) {
      Files.copy(code, source);
      Process gcc =
          new ProcessBuilder(
                  "gcc",
                  "-O2",
                  "-march=native",
                  "-ffp-contract=off",
                  "-fno-strict-aliasing",
                  "-shared",
                  "-fPIC",
                  "-o",
                  result.toString(),
                  source.toString(),
                  "-lm")
              .redirectErrorStream(true)
              .start();
      String messages =
          new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (gcc.waitFor() != 0) {
        throw new AssertionError("gcc refuses the emulator: " + messages);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    } finally {
      Files.deleteIfExists(source);
      folder.toFile().deleteOnExit();
    }
    return result;
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup load(Path file) {
    SymbolLookup library = SymbolLookup.libraryLookup(file, Arena.global());
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    MemorySegment install = library.findOrThrow("emulator_install");
    assertThat(NativeCall.call(install, 0, 0, 0, 0, 0, 0)).as("handler of SIGILL").isZero();
    return library;
  }

  private long call(String function) {
    return NativeCall.call(library.findOrThrow(function), 0, 0, 0, 0, 0, 0);
  }

  private String words(String function) {
    return MemorySegment.ofAddress(call(function)).reinterpret(200).getString(0);
  }
}
