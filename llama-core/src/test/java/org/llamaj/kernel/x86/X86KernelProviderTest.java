package org.llamaj.kernel.x86;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaException;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.kernel.x86.machine.Processor;
import org.llamaj.kernel.x86.machine.SystemCalls;

class X86KernelProviderTest {
  private final KernelProvider provider = new X86KernelProvider();

  @AfterEach
  void clearProperties() {
    System.clearProperty(X86KernelProvider.LEVEL_PROPERTY);
    System.setProperty("os.name", realSystem);
    System.setProperty("os.arch", realArchitecture);
  }

  private final String realSystem = System.getProperty("os.name");
  private final String realArchitecture = System.getProperty("os.arch");

  @Test
  void saysOnWhichSystemItDoesNotRun() {
    System.setProperty("os.name", "Mac OS X");
    System.setProperty("os.arch", "aarch64");

    assertThat(provider.unavailable())
        .contains("made for Linux on x86-64, this is Mac OS X on aarch64");
    try (Workers workers = new Workers(1)) {
      assertThatThrownBy(() -> provider.open(workers))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("Mac OS X");
    }
  }

  @Test
  void usesTheLevelThatIsAskedFor() {
    assumeTrue(provider.unavailable().isEmpty());
    System.setProperty(X86KernelProvider.LEVEL_PROPERTY, "avx2");

    try (Workers workers = new Workers(1);
        Kernels kernels = provider.open(workers)) {
      assertThat(kernels.description()).isEqualTo("x86: AVX2");
    }
  }

  @Test
  void refusesALevelThatThereIsNot() {
    assumeTrue(provider.unavailable().isEmpty());
    System.setProperty(X86KernelProvider.LEVEL_PROPERTY, "sse9");

    assertThat(provider.unavailable())
        .contains(
            "llamaj.x86.level: expected one of"
                + " [AVX2, AVXVNNI, AVX512, AVX512VNNI, AVX512BF16, AMX], found sse9");
  }

  private static final Set<Feature> SAPPHIRE_RAPIDS = EnumSet.allOf(Feature.class);

  @Test
  void usesAmxIfTheSystemPermits() {
    assertThat(X86KernelProvider.choose(SAPPHIRE_RAPIDS, null, () -> true).level())
        .isEqualTo(Level.AMX);
    assertThat(X86KernelProvider.choose(SAPPHIRE_RAPIDS, null, () -> false).level())
        .isEqualTo(Level.AVX512BF16);
    assertThat(X86KernelProvider.choose(SAPPHIRE_RAPIDS, "amx", () -> false).reason())
        .contains("llamaj.x86.level: AMX BF16")
        .contains("the system does not permit it");
  }

  @Test
  void asksForAmxOnlyIfItIsToBeUsed() {
    BooleanSupplier notAsked =
        () -> {
          throw new AssertionError("asked");
        };
    assertThat(X86KernelProvider.choose(SAPPHIRE_RAPIDS, "avx512vnni", notAsked).level())
        .isEqualTo(Level.AVX512VNNI);
    assertThat(X86KernelProvider.choose(EnumSet.of(Feature.AVX2), null, notAsked).level())
        .isEqualTo(Level.AVX2);
  }

  @Test
  void refusesWhatTheProcessorLacks() {
    Set<Feature> alderLake = EnumSet.of(Feature.AVX2, Feature.AVX_VNNI);

    assertThat(X86KernelProvider.choose(alderLake, null, () -> true).level())
        .isEqualTo(Level.AVXVNNI);
    assertThat(X86KernelProvider.choose(alderLake, "amx", () -> true).reason())
        .isEqualTo(
            "llamaj.x86.level: AMX BF16, AVX-512 VNNI is wanted, the processor has AVX-VNNI");
    assertThat(X86KernelProvider.choose(EnumSet.noneOf(Feature.class), null, () -> true).reason())
        .isEqualTo("the processor has no AVX2 and FMA");
  }

  /** May be refused (a virtual machine, an older kernel), but must not fail. */
  @Test
  void asksTheSystemForAmx() {
    assumeTrue(provider.unavailable().isEmpty());
    boolean hasAmx = Processor.features().contains(Feature.AMX_BF16);

    assertThat(SystemCalls.permitTiles()).isIn(hasAmx, false);
  }

  @Test
  void deniedNativeAccessIsAReason() throws IOException, InterruptedException {
    assumeTrue(provider.unavailable().isEmpty());

    String output = runJava(PrintReason.class, "--illegal-native-access=deny");

    assertThat(output.lines())
        .hasSize(2)
        .allMatch(line -> line.contains("native access is denied"))
        .allMatch(line -> line.contains("--enable-native-access=ALL-UNNAMED"));
  }

  /** As policies of SELinux and of containers do: Linux since 6.3 lets a process ask for it. */
  @Test
  void memoryThatMustNotBecomeExecutableIsAReason() throws IOException, InterruptedException {
    assumeTrue(provider.unavailable().isEmpty());

    String output =
        runJava(
            PrintReasonWithoutExecutableMemory.class,
            "--enable-native-access=ALL-UNNAMED",
            "-XX:InitialCodeCacheSize=32m", // the JVM takes its own code memory before
            "-XX:ReservedCodeCacheSize=32m");

    assumeTrue(output.startsWith("0\n"), "the system knows no such policy");
    assertThat(output.lines().skip(1))
        .hasSize(2)
        .allMatch(line -> line.contains("does not let this process make memory executable"));
  }

  /** What a JVM with these options prints, started on the class path. */
  private static String runJava(Class<?> main, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx64m");
    command.addAll(List.of(options));
    command.add("-cp");
    command.add(
        Stream.of(X86KernelProvider.class, main)
            .map(type -> type.getProtectionDomain().getCodeSource().getLocation().getPath())
            .collect(Collectors.joining(System.getProperty("path.separator"))));
    command.add(main.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }

  /** Prints twice, as a class that failed to initialise fails otherwise the second time. */
  static final class PrintReason {
    private PrintReason() {}

    public static void main(String[] arguments) {
      for (int i = 0; i < 2; i++) {
        System.out.println(new X86KernelProvider().unavailable().orElse("available"));
      }
    }
  }

  /** The same, where no memory may become executable any more. Prints first whether that worked. */
  static final class PrintReasonWithoutExecutableMemory {
    private static final int SET_MEMORY_DENY_WRITE_EXECUTE = 65;
    private static final long REFUSE_EXECUTE_GAIN = 1;

    private PrintReasonWithoutExecutableMemory() {}

    public static void main(String[] arguments) throws Throwable {
      Linker linker = Linker.nativeLinker();
      MethodHandle prctl =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("prctl"),
              FunctionDescriptor.of(
                  JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
      int result =
          (int) prctl.invokeExact(SET_MEMORY_DENY_WRITE_EXECUTE, REFUSE_EXECUTE_GAIN, 0L, 0L, 0L);
      System.out.println(result);
      PrintReason.main(arguments);
    }
  }
}
