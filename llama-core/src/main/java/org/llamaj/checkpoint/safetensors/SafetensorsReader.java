package org.llamaj.checkpoint.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.Storage;
import org.llamaj.tensor.Tensor;

/**
 * Opens safetensors files. Whatever a file claims is checked before it is believed; a file that is
 * not whole and consistent is refused with a {@link CheckpointException}.
 *
 * <p>The checkpoint has the tensors under the names in the file, and as metadata the strings of the
 * header's {@code __metadata__}.
 */
public final class SafetensorsReader {
  private static final String INDEX = ".safetensors.index.json";
  private static final String FILE = ".safetensors";

  private SafetensorsReader() {}

  /**
   * Maps a file, or all files of an index; no tensor data is read.
   *
   * @param path a safetensors file; an index of several, {@code model.safetensors.index.json}; or a
   *     directory with one of these: {@code model.safetensors.index.json}, {@code
   *     model.safetensors}, or else the only one there is
   * @return the open checkpoint
   * @throws CheckpointException if a file is missing, unreadable or damaged
   */
  public static Checkpoint open(Path path) {
    Storage storage = new Storage();
    try {
      return open(path, storage);
    } catch (Throwable failure) {
      storage.close();
      throw failure;
    }
  }

  /**
   * As {@link #open(Path)}, for whoever makes another checkpoint of it.
   *
   * @param path a safetensors file, an index of several, or a directory
   * @param storage gets the files; closed with the checkpoint, but not if this fails
   * @return the open checkpoint
   * @throws CheckpointException if a file is missing, unreadable or damaged
   */
  public static Checkpoint open(Path path, Storage storage) {
    Path file = Files.isDirectory(path) ? only(path) : path;
    return name(file).endsWith(INDEX) ? sharded(file, storage) : single(file, storage);
  }

  /**
   * Whether a directory has what {@link #open} opens.
   *
   * @param directory any
   * @return false also if it is no directory
   */
  public static boolean isIn(Path directory) {
    return Files.isDirectory(directory) && !candidates(directory).isEmpty();
  }

  /**
   * Whether a file begins as safetensors files do: with the length of a header, and its opening
   * brace.
   *
   * @param start the first bytes of the file, at least nine if it is not shorter
   * @param size of the whole file
   * @return true if it does
   */
  public static boolean looksLike(MemorySegment start, long size) {
    return SafetensorsFile.looksLike(start, size);
  }

  private static Checkpoint single(Path file, Storage storage) {
    SafetensorsFile read = SafetensorsFile.read(storage.map(file), name(file));
    return new Checkpoint(new Metadata(name(file), read.metadata()), read.tensors(), storage);
  }

  private static Checkpoint sharded(Path index, Storage storage) {
    ShardIndex shards = ShardIndex.read(index);
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    List<Tensor> tensors = new ArrayList<>();
    for (String shard : shards.files()) {
      SafetensorsFile read = SafetensorsFile.read(storage.map(index.resolveSibling(shard)), shard);
      shards.requireAll(shard, read.tensors());
      read.metadata().forEach(metadata::putIfAbsent);
      tensors.addAll(read.tensors());
    }
    return new Checkpoint(new Metadata(name(index), metadata), tensors, storage);
  }

  private static Path only(Path directory) {
    for (String usual : List.of("model" + INDEX, "model" + FILE)) {
      Path file = directory.resolve(usual);
      if (Files.exists(file)) return file;
    }
    List<Path> found = candidates(directory);
    List<Path> indexes = found.stream().filter(file -> name(file).endsWith(INDEX)).toList();
    List<Path> choice = indexes.isEmpty() ? found : indexes;
    if (choice.size() != 1) {
      throw new CheckpointException(
          "%s: expected model.safetensors, model%s, or a single safetensors file, found %s"
              .formatted(
                  directory,
                  INDEX,
                  choice.isEmpty()
                      ? "none"
                      : choice.stream().map(SafetensorsReader::name).limit(8).toList()));
    }
    return choice.getFirst();
  }

  private static List<Path> candidates(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> name(file).endsWith(FILE) || name(file).endsWith(INDEX))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(directory, e), e);
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }
}
