package org.llamaj.loading;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * How many threads compute by default: one per physical core, since two threads of a core share the
 * units that do the arithmetic, and never more than the JVM may use.
 */
final class PhysicalCores {
  private static final Path CPUS = Path.of("/sys/devices/system/cpu");

  private PhysicalCores() {}

  static int count() {
    int available = Runtime.getRuntime().availableProcessors();
    int cores = coresOfLinux();
    return cores == 0 ? available : Math.min(available, cores);
  }

  /** Distinct groups of sibling threads, or 0 where the system does not tell. */
  private static int coresOfLinux() {
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> cpus = Files.newDirectoryStream(CPUS, "cpu[0-9]*")) {
      for (Path cpu : cpus) {
        Path siblings = cpu.resolve("topology/thread_siblings_list");
        if (Files.isReadable(siblings)) {
          cores.add(Files.readString(siblings).strip());
        }
      }
    } catch (IOException | SecurityException e) {
      return 0;
    }
    return cores.size();
  }
}
