package org.llamaj.checkpoint.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;
import org.llamaj.checkpoint.CheckpointException;

/**
 * A file that gets its name when it is whole: until then it lies beside the place where it will be,
 * under a name that nobody else uses.
 */
final class PartialFile {
  private static final int MAX_PIECE = 1 << 26;

  private final Path file;
  private final Path partial;
  private final FileChannel channel;
  private boolean published;

  private PartialFile(Path file, Path partial, FileChannel channel) {
    this.file = file;
    this.partial = partial;
    this.channel = channel;
  }

  static PartialFile create(Path file) {
    String suffix = ".%08x.partial".formatted(ThreadLocalRandom.current().nextInt());
    Path partial = file.resolveSibling(file.getFileName() + suffix);
    try {
      FileChannel channel =
          FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      return new PartialFile(file, partial, channel);
    } catch (IOException e) {
      throw failure(partial, "cannot be written", e);
    }
  }

  Path file() {
    return file;
  }

  void write(MemorySegment data) {
    try {
      for (long offset = 0; offset < data.byteSize(); offset += MAX_PIECE) {
        long length = Math.min(MAX_PIECE, data.byteSize() - offset);
        ByteBuffer piece = data.asSlice(offset, length).asByteBuffer();
        while (piece.hasRemaining()) channel.write(piece);
      }
    } catch (IOException e) {
      throw failure(partial, "cannot be written", e);
    }
  }

  /** Zeros up to the next multiple of a power of two. */
  void pad(int alignment) {
    try {
      int padding = (int) (-channel.position() & alignment - 1);
      write(MemorySegment.ofArray(new byte[padding]));
    } catch (IOException e) {
      throw failure(partial, "cannot be written", e);
    }
  }

  /** Brings all that was written to the disk. */
  void seal() {
    try {
      channel.force(true);
      channel.close();
    } catch (IOException e) {
      throw failure(partial, "cannot be written", e);
    }
  }

  /** Gives the sealed file its name, in place of a file that may have had it. */
  void publish() {
    try {
      try {
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
      }
      published = true;
    } catch (IOException e) {
      throw failure(file, "cannot be written", e);
    }
  }

  /** Deletes the file unless it has been published. */
  void discard() {
    if (published) return;
    try {
      channel.close();
      Files.deleteIfExists(partial);
    } catch (IOException e) {
      throw failure(partial, "cannot be deleted", e);
    }
  }

  private static CheckpointException failure(Path path, String what, IOException cause) {
    return new CheckpointException("%s: %s: %s".formatted(path, what, cause), cause);
  }
}
