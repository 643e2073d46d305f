package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Where a measurement was made.
 *
 * @param cpu the model of the processor
 * @param processors how many the JVM may use
 * @param os name, version, architecture
 * @param jvm name and version
 */
record Machine(String cpu, int processors, String os, String jvm) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  static Machine here() {
    return new Machine(
        cpuHere(),
        Runtime.getRuntime().availableProcessors(),
        "%s %s %s".formatted(property("os.name"), property("os.version"), property("os.arch")),
        "%s %s".formatted(property("java.vm.name"), property("java.vm.version")));
  }

  /** The name that Linux tells, elsewhere what Windows sets, or no more than the architecture. */
  private static String cpuHere() {
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      return cpuIn(lines);
    } catch (IOException e) {
      return System.getenv().getOrDefault("PROCESSOR_IDENTIFIER", property("os.arch"));
    }
  }

  /** From lines such as {@code model name : AMD EPYC}, which ARM kernels leave out. */
  static String cpuIn(Stream<String> cpuInfo) {
    return cpuInfo
        .filter(line -> line.startsWith("model name") && line.contains(":"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(property("os.arch"));
  }

  private static String property(String name) {
    return System.getProperty(name);
  }
}
