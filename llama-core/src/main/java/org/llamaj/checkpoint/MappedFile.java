package org.llamaj.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file mapped into memory: nothing of it is read until it is used. */
public final class MappedFile {
  private MappedFile() {}

  /**
   * Maps a whole file to be read.
   *
   * @param file of any size
   * @param arena owns the mapping
   * @return the file's bytes
   * @throws CheckpointException if the file is missing or unreadable
   */
  public static MemorySegment map(Path file, Arena arena) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (NoSuchFileException e) {
      throw new CheckpointException("%s: no such file".formatted(file.toAbsolutePath()), e);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(file, e), e);
    }
  }
}
