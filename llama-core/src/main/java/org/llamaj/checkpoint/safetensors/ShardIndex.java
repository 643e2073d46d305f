package org.llamaj.checkpoint.safetensors;

import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.tensor.Tensor;

/** {@code model.safetensors.index.json}: which tensor is in which file. */
final class ShardIndex {
  private static final int MAX_FILES = 10_000;

  private final String source;
  private final SequencedMap<String, SequencedSet<String>> tensorsByFile;

  private ShardIndex(String source, SequencedMap<String, SequencedSet<String>> tensorsByFile) {
    this.source = source;
    this.tensorsByFile = tensorsByFile;
  }

  static ShardIndex read(Path file) {
    JsonObject map = JsonObject.read(file).requireObject("weight_map");
    SequencedMap<String, SequencedSet<String>> tensors = new LinkedHashMap<>();
    for (String tensor : map.names()) {
      String shard = map.requireString(tensor);
      if (!isPlainName(shard)) {
        throw map.wrong(tensor, "the name of a file beside the index");
      }
      tensors.computeIfAbsent(shard, _ -> new LinkedHashSet<>()).add(tensor);
    }
    if (tensors.isEmpty() || tensors.size() > MAX_FILES) {
      throw new CheckpointException(
          "%s: expected tensors in 1 to %d files, found %d"
              .formatted(map.path(), MAX_FILES, tensors.size()));
    }
    return new ShardIndex(String.valueOf(file.getFileName()), tensors);
  }

  /** The names of all files. */
  Collection<String> files() {
    return tensorsByFile.sequencedKeySet();
  }

  /** Checks that a file holds the tensors that the index says it does. */
  void requireAll(String file, List<Tensor> tensors) {
    Set<String> missing = new HashSet<>(tensorsByFile.get(file));
    tensors.forEach(tensor -> missing.remove(tensor.name()));
    if (!missing.isEmpty()) {
      throw new CheckpointException(
          "%s: expected %s in %s, found none of that name"
              .formatted(source, missing.stream().sorted().findFirst().orElseThrow(), file));
    }
  }

  /** An index must not reach out of its directory. */
  private static boolean isPlainName(String name) {
    return name.endsWith(".safetensors")
        && name.indexOf('/') < 0
        && name.indexOf('\\') < 0
        && name.indexOf('\0') < 0
        && name.length() < 256;
  }
}
