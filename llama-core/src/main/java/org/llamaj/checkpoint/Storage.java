package org.llamaj.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the bytes of a checkpoint are: files mapped into memory, of which nothing is read until it
 * is used, and memory beside them. Filled by one thread, then thread-safe.
 *
 * <p>A mapped file may be deleted or replaced by another of its name. It must not be cut short:
 * machine code that reads what is gone ends the JVM. {@link #requireWhole} notices it before.
 */
public final class Storage implements AutoCloseable {

  /** A file that stays open, to be asked how long it is: not through its name, which may move. */
  private record Mapping(Path path, RandomAccessFile file, long bytes) {}

  private final Arena arena = Arena.ofShared();
  private final List<Mapping> mappings = new ArrayList<>();
  private long memoryBytes;

  /** Nothing yet. */
  public Storage() {}

  /**
   * Maps a whole file to be read.
   *
   * @param path a file of any size
   * @return the file's bytes, valid until {@link #close}
   * @throws CheckpointException if the file is missing, unreadable, or a pipe or device
   */
  public MemorySegment map(Path path) {
    requireNoPipe(path);
    try {
      RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
      mappings.add(new Mapping(path, file, file.length()));
      return file.getChannel().map(MapMode.READ_ONLY, 0, mappings.getLast().bytes(), arena);
    } catch (FileNotFoundException e) {
      throw new CheckpointException(
          Files.exists(path)
              ? "%s: cannot be read: %s".formatted(path, e.getMessage())
              : "%s: no such file".formatted(path.toAbsolutePath()),
          e);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(path, e), e);
    }
  }

  /** Pipes and devices cannot be mapped, and to open one may wait for ever. */
  static void requireNoPipe(Path file) {
    try {
      if (Files.readAttributes(file, BasicFileAttributes.class).isOther()) {
        throw new CheckpointException(
            "%s: expected a file, found a pipe or a device, which cannot be mapped: save it to a file first"
                .formatted(file.toAbsolutePath()));
      }
    } catch (IOException e) {
      // Whoever opens it will say why it cannot be read.
    }
  }

  /**
   * Counts memory that holds a checkpoint in place of a file.
   *
   * @param memory outside of any file
   * @return the same, to be read only
   */
  public MemorySegment use(MemorySegment memory) {
    memoryBytes += memory.byteSize();
    return memory.asReadOnly();
  }

  /** {@return owner of the mappings, and of what is made beside them} */
  public Arena arena() {
    return arena;
  }

  /** {@return the files, in the order in which they were mapped} */
  public List<Path> paths() {
    return mappings.stream().map(Mapping::path).toList();
  }

  /** {@return the size of all files, and of memory in place of one} */
  public long totalBytes() {
    return memoryBytes + mappings.stream().mapToLong(Mapping::bytes).sum();
  }

  /**
   * Asks the system how long the files are: less than a microsecond for each.
   *
   * @throws CheckpointException if one is shorter than it was when it was mapped
   */
  public void requireWhole() {
    for (int i = 0; i < mappings.size(); i++) {
      Mapping mapping = mappings.get(i);
      long found;
      try {
        found = mapping.file().length();
      } catch (IOException e) {
        throw new CheckpointException("%s: cannot be read: %s".formatted(mapping.path(), e), e);
      }
      if (found < mapping.bytes()) {
        throw new CheckpointException(
            "%s: expected %d bytes as when it was opened, found %d: it was cut short while in use; close the model and load it again when the file is whole (replace files by renaming, not in place)"
                .formatted(mapping.path().toAbsolutePath(), mapping.bytes(), found));
      }
    }
  }

  /** {@return whether the memory is still there} */
  public boolean isOpen() {
    return arena.scope().isAlive();
  }

  /**
   * Gives the memory back and closes the files. A second call does nothing.
   *
   * @throws IllegalStateException if another thread is just reading the memory; then nothing is
   *     closed
   */
  @Override
  public synchronized void close() {
    if (!isOpen()) return;
    arena.close();
    for (Mapping mapping : mappings) {
      try {
        mapping.file().close();
      } catch (IOException e) {
        // It was only read from.
      }
    }
  }
}
