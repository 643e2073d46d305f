package org.llamaj.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A CUDA driver without a device: the kernels' own source compiled by g++ together with a small
 * part of the driver's interface that is stricter than the real one ({@code driver.cpp} among the
 * resources). While it is open, the kernels {@code cuda} are usable in this JVM.
 */
public final class Emulator implements AutoCloseable {
  public static final long MEMORY = 1L << 30;
  private static final String DRIVER = "llamaj.cuda.driver";
  private static final String NVRTC = "llamaj.cuda.nvrtc";
  private static final String CUBLAS = "llamaj.cuda.cublaslt";
  private static final List<String> OWN = List.of("driver.cpp", "primitives.h", "fibers.h");
  private static final List<String> KERNELS =
      List.of(
          "types.cuh",
          "formats.cuh",
          "rows.cu",
          "pages.cuh",
          "attention.cu",
          "prompt_attention.cu",
          "best.cu",
          "mixture.cu");
  private static final Object BUILDING = new Object();

  private final SymbolLookup library;

  private Emulator(Path file) {
    library = SymbolLookup.libraryLookup(file, Arena.global());
    reset(1, MEMORY);
    System.setProperty(DRIVER, file.toString());
    System.setProperty(NVRTC, file.toString());
    System.setProperty(CUBLAS, "none");
    System.setProperty(KernelImages.CACHE_PROPERTY, "none");
  }

  /** Opens the emulator; the test is skipped where there is no g++. */
  public static Emulator open() {
    Optional<Path> file = build();
    assumeTrue(file.isPresent(), "no g++ here, which compiles the emulator of a CUDA device");
    return new Emulator(file.get());
  }

  /** Begins anew with some devices that have so much memory. */
  public void reset(int devices, long memory) {
    call(
        "emulator_reset",
        FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG),
        devices,
        memory);
  }

  /** Gives the device another amount of memory. */
  public void limitMemory(long bytes) {
    call("emulator_limit_memory", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), bytes);
  }

  /** The device has cuBLASLt, too, for what is opened from now on. */
  public void installCublas() {
    System.setProperty(CUBLAS, System.getProperty(DRIVER));
  }

  public void removeCublas() {
    System.setProperty(CUBLAS, "none");
  }

  /** Products by cuBLASLt. */
  public long products() {
    return number("emulator_products");
  }

  /** Makes a function fail after some successful calls. */
  public void fail(String function, int after, int error) {
    try (Arena arena = Arena.ofConfined()) {
      call(
          "emulator_fail",
          FunctionDescriptor.ofVoid(
              ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
          arena.allocateFrom(function),
          after,
          error);
    }
  }

  public long launches() {
    return number("emulator_launches");
  }

  public long graphLaunches() {
    return number("emulator_graph_launches");
  }

  /** Copies from the device. */
  public long downloads() {
    return number("emulator_downloads");
  }

  public long downloadedBytes() {
    return number("emulator_downloaded_bytes");
  }

  public long memoryUsed() {
    return number("emulator_memory_used");
  }

  /**
   * Nothing that a real device would not have done has been asked for, and nothing is left open.
   */
  public void assertClean() {
    assertThat(violation()).isEmpty();
    assertThat(number("emulator_open")).as("memory, streams, modules, graphs left open").isZero();
  }

  public String violation() {
    MemorySegment text =
        (MemorySegment) call("emulator_violation", FunctionDescriptor.of(ValueLayout.ADDRESS));
    return text.reinterpret(1 << 16).getString(0);
  }

  private long number(String function) {
    return (long) call(function, FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  private Object call(String function, FunctionDescriptor descriptor, Object... arguments) {
    try {
      return Linker.nativeLinker()
          .downcallHandle(library.find(function).orElseThrow(), descriptor)
          .invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw new AssertionError(t);
    }
  }

  @Override
  public void close() {
    System.clearProperty(DRIVER);
    System.clearProperty(NVRTC);
    System.clearProperty(CUBLAS);
    System.clearProperty(KernelImages.CACHE_PROPERTY);
  }

  /** Compiled once for each state of the sources, into the build folder. */
  private static Optional<Path> build() {
    synchronized (BUILDING) {
      try {
        String inventory = inventory();
        StringBuilder sources = new StringBuilder(inventory);
        for (String file : OWN) sources.append(own(file));
        for (String file : KERNELS) sources.append(KernelUnit.read(file));
        sources.append(KernelUnit.read("matrix.cu"));
        Path folder = Path.of("target", "cuda-emulator", KernelImages.hash(sources.toString()));
        Path library = folder.resolve("libcuda-emulator.so").toAbsolutePath();
        if (!Files.exists(library)) {
          if (!hasCompiler()) return Optional.empty();
          Files.createDirectories(folder);
          Files.writeString(folder.resolve("kernels.inc"), inventory);
          for (String file : OWN) Files.writeString(folder.resolve(file), own(file));
          for (String file : KERNELS)
            Files.writeString(folder.resolve(file), KernelUnit.read(file));
          Files.writeString(folder.resolve("matrix.cu"), KernelUnit.read("matrix.cu"));
          Path part = folder.resolve("part.so");
          run(
              folder,
              "g++",
              "-std=c++17",
              "-O1",
              "-ffp-contract=off",
              "-fPIC",
              "-shared",
              "-fvisibility=hidden",
              "-w",
              "-o",
              "part.so",
              "driver.cpp");
          Files.move(part, library, StandardCopyOption.ATOMIC_MOVE);
        }
        return Optional.of(library);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static boolean hasCompiler() {
    try {
      return new ProcessBuilder("g++", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  static String run(Path folder, String... command) throws IOException {
    try {
      Process process =
          new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as("%s", output).isZero();
      return output;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Includes the kernels and makes a list of them. */
  private static String inventory() {
    StringBuilder includes = new StringBuilder();
    List<String> names = new ArrayList<>();
    for (String file : KERNELS) {
      includes.append("#include \"%s\"\n".formatted(file));
      Pattern.compile("^KERNEL (\\w+)\\(", Pattern.MULTILINE)
          .matcher(KernelUnit.read(file))
          .results()
          .map(match -> match.group(1))
          .forEach(names::add);
    }
    List<String> products =
        Pattern.compile("^KERNEL NAME\\((\\w+)\\)", Pattern.MULTILINE)
            .matcher(KernelUnit.read("matrix.cu"))
            .results()
            .map((MatchResult match) -> match.group(1))
            .toList();
    for (WeightFormat format : WeightFormat.values()) {
      includes.append(
          "namespace of_%s {\n#define FORMAT %s\n#include \"matrix.cu\"\n#undef FORMAT\n}\n"
              .formatted(format, format));
      products.forEach(name -> names.add("of_%s::%s_%s".formatted(format, name, format)));
    }
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      includes.append(
          "static Registration registration%d(\"%s\", %s);\n"
              .formatted(i, name.substring(name.lastIndexOf(':') + 1), name));
    }
    return includes.toString();
  }

  private static String own(String file) {
    try (InputStream in = Emulator.class.getResourceAsStream("emulator/" + file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
