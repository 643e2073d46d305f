package org.llamaj.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A file mapped into memory: nothing of it is read until it is used. It may be deleted or replaced
 * by another of its name meanwhile, but must not be cut short: machine code that reads what is gone
 * ends the JVM.
 */
public final class MappedFile {
  private MappedFile() {}

  /**
   * Maps a whole file to be read.
   *
   * @param file of any size
   * @param arena owns the mapping
   * @return the file's bytes
   * @throws CheckpointException if the file is missing, unreadable, or a pipe or device
   */
  public static MemorySegment map(Path file, Arena arena) {
    requireNoPipe(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (NoSuchFileException e) {
      throw new CheckpointException("%s: no such file".formatted(file.toAbsolutePath()), e);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(file, e), e);
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
}
