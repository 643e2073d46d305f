package org.llamaj.checkpoint.gguf;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;

/**
 * The names and numbers of a model in several files, {@code model-00001-of-00003.gguf} and so on.
 */
final class GgufShards {
  private static final Pattern NAME = Pattern.compile("(.*-)(\\d{5})-of-(\\d{5})\\.gguf");
  private static final int MAX_SHARDS = 99_999;

  private GgufShards() {}

  /** How many files the model has. */
  static int count(Metadata metadata) {
    return Math.max(1, metadata.intOr("split.count", 1, 0, MAX_SHARDS));
  }

  /** The files after the first. */
  static List<Path> others(Path first, int count) {
    Matcher name = NAME.matcher(String.valueOf(first.getFileName()));
    if (!name.matches()) {
      throw new CheckpointException(
          "%1$s: split.count: expected a name that ends in -00001-of-%2$05d.gguf for the first of %2$d files, found %1$s"
              .formatted(first.getFileName(), count));
    }
    int number = Integer.parseInt(name.group(2));
    if (number != 1 || Integer.parseInt(name.group(3)) != count) {
      throw new CheckpointException(
          "%s: expected the first of %d files, %s-of-%05d.gguf; open that one"
              .formatted(first.getFileName(), count, name.group(1) + "00001", count));
    }
    List<Path> others = new ArrayList<>();
    for (int i = 2; i <= count; i++) {
      others.add(first.resolveSibling("%s%05d-of-%05d.gguf".formatted(name.group(1), i, count)));
    }
    return others;
  }

  /** The name of one of several files: those that {@link #others} finds. */
  static Path path(Path whole, int index, int count) {
    String name = String.valueOf(whole.getFileName());
    String stem = name.endsWith(".gguf") ? name.substring(0, name.length() - 5) : name;
    return whole.resolveSibling("%s-%05d-of-%05d.gguf".formatted(stem, index + 1, count));
  }

  /** Checks that a file says that it is the one that its name says it is. */
  static void requireNumber(Metadata metadata, int number, int count) {
    requireEqual(metadata, "split.no", number);
    requireEqual(metadata, "split.count", count);
  }

  static void requireTensorCount(Metadata metadata, int found) {
    int expected = metadata.intOr("split.tensors.count", found, 0, Integer.MAX_VALUE);
    if (expected != found) {
      throw new CheckpointException(
          "%s: split.tensors.count: expected %d tensors in all files, found %d"
              .formatted(metadata.source(), expected, found));
    }
  }

  private static void requireEqual(Metadata metadata, String key, int expected) {
    int found = metadata.requireInt(key, 0, Integer.MAX_VALUE);
    if (found != expected) {
      throw new CheckpointException(
          "%s: %s: expected %d, found %d".formatted(metadata.source(), key, expected, found));
    }
  }
}
