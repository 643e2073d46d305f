package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What this process has in physical memory, in bytes.
 *
 * @param resident now, the parts below included
 * @param peak the most it ever was
 * @param anonymous the process's own: heap, cache, activations, weights that were copied
 * @param file mapped files: weights that were touched, which the system may share and take back
 */
record ResidentMemory(long resident, long peak, long anonymous, long file) {
  private static final Path STATUS = Path.of("/proc/self/status");

  /** Empty where the system does not tell: it is Linux that does. */
  static Optional<ResidentMemory> now() {
    try {
      return parse(Files.readAllLines(STATUS));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Reads lines such as {@code VmRSS: 1234 kB}. */
  static Optional<ResidentMemory> parse(List<String> status) {
    Map<String, Long> bytes = new HashMap<>();
    for (String line : status) {
      String[] words = line.split("[:\\s]+");
      if (words.length == 3 && words[2].equals("kB")) {
        bytes.put(words[0], Long.parseLong(words[1]) << 10);
      }
    }
    if (!bytes.keySet().containsAll(List.of("VmRSS", "VmHWM", "RssAnon", "RssFile"))) {
      return Optional.empty();
    }
    return Optional.of(
        new ResidentMemory(
            bytes.get("VmRSS"), bytes.get("VmHWM"), bytes.get("RssAnon"), bytes.get("RssFile")));
  }
}
