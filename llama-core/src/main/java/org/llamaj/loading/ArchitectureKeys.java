package org.llamaj.loading;

import java.util.Optional;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;

/**
 * The metadata that GGUF keeps under the architecture's name: {@code llama.block_count} is {@code
 * block_count} here.
 */
final class ArchitectureKeys {
  private final String source;
  private final Metadata metadata;
  private final String architecture;

  ArchitectureKeys(Checkpoint checkpoint, String architecture) {
    this.source = checkpoint.source();
    this.metadata = checkpoint.metadata();
    this.architecture = architecture;
  }

  boolean has(String name) {
    return metadata.values().containsKey(key(name));
  }

  String stringOr(String name, String fallback) {
    return metadata.string(key(name)).orElse(fallback);
  }

  int require(String name, int minimum, int maximum) {
    return metadata.requireInt(key(name), minimum, maximum);
  }

  int intOr(String name, int fallback, int minimum, int maximum) {
    return metadata.intOr(key(name), fallback, minimum, maximum);
  }

  double requireNumber(String name) {
    return metadata.requireNumber(key(name));
  }

  double numberOr(String name, double fallback) {
    return metadata.numberOr(key(name), fallback);
  }

  double positiveOr(String name, double fallback) {
    double value = numberOr(name, fallback);
    if (value <= 0) {
      throw wrong(name, "a positive number", value);
    }
    return value;
  }

  Optional<int[]> integers(String name) {
    return metadata.integers(key(name));
  }

  boolean boolOr(String name, boolean fallback) {
    return metadata.bool(key(name)).orElse(fallback);
  }

  CheckpointException wrong(String name, String expected, Object found) {
    return new CheckpointException(
        "%s: %s: expected %s, found %s".formatted(source, key(name), expected, found));
  }

  private String key(String name) {
    return architecture + "." + name;
  }
}
