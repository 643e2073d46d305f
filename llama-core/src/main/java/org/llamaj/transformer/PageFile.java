package org.llamaj.transformer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;
import org.llamaj.LlamaException;
import org.llamaj.kernel.PageMemory;

/**
 * Pages of the key-value cache in a temporary file, mapped into memory: the system writes out what
 * it has no room for. The file has no name any more once it is open, so it vanishes with the JVM;
 * systems that do not allow that keep it locked while it is in use, and {@link #create} removes the
 * ones without a lock.
 */
public final class PageFile implements PageMemory {
  private static final String PREFIX = "llamaj-cache-";
  private static final String SUFFIX = ".tmp";

  /** Mapped at once: systems allow only some ten thousand mappings. */
  private static final long EXTENT_BYTES = 256L << 20;

  private static final Set<OpenOption> OPTIONS =
      Set.of(
          StandardOpenOption.CREATE_NEW,
          StandardOpenOption.READ,
          StandardOpenOption.WRITE,
          StandardOpenOption.DELETE_ON_CLOSE);

  private final Path directory;
  private final FileChannel channel;
  private final Arena arena;
  private final ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
  private MemorySegment extent = MemorySegment.NULL;
  private long extentStart; // in the file
  private long usedOfExtent;

  private PageFile(Path directory, FileChannel channel, Arena arena) {
    this.directory = directory;
    this.channel = channel;
    this.arena = arena;
  }

  /**
   * Creates the file, which only its owner can read, and removes those of JVMs that have crashed.
   *
   * @param directory where; created if it is missing
   * @param arena owns the mappings; closed after the file
   * @return an empty file
   * @throws LlamaException if it cannot be created
   */
  public static PageFile create(Path directory, Arena arena) {
    try {
      Files.createDirectories(directory);
      removeAbandoned(directory);
      Path file = directory.resolve(PREFIX + UUID.randomUUID() + SUFFIX);
      FileChannel channel = FileChannel.open(file, OPTIONS, ownerOnly(directory));
      channel.tryLock(); // held until the channel is closed
      return new PageFile(directory, channel, arena);
    } catch (IOException e) {
      throw new LlamaException(
          "%s: expected a directory where a file for the key-value cache can be created: %s"
              .formatted(directory, e),
          e);
    }
  }

  private static FileAttribute<?>[] ownerOnly(Path directory) throws IOException {
    return Files.getFileStore(directory).supportsFileAttributeView("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  private static void removeAbandoned(Path directory) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, PREFIX + "*" + SUFFIX)) {
      for (Path file : files) {
        if (isAbandoned(file)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private static boolean isAbandoned(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock != null;
    } catch (OverlappingFileLockException | IOException e) {
      return false;
    }
  }

  @Override
  public synchronized MemorySegment allocate(long bytes) {
    try {
      if (extent.byteSize() - usedOfExtent < bytes) {
        extentStart += extent.byteSize();
        extent = channel.map(MapMode.READ_WRITE, extentStart, Math.max(EXTENT_BYTES, bytes), arena);
        usedOfExtent = 0;
      }
      reserve(extentStart + usedOfExtent, bytes);
    } catch (IOException e) {
      throw new LlamaException(
          "%s: no room for one more page of the key-value cache (%d KiB, after %d MiB): make room, close sequences, or load with a shorter context or a smaller cache type (%s)"
              .formatted(directory, bytes >> 10, (extentStart + usedOfExtent) >> 20, e),
          e);
    }
    MemorySegment page = extent.asSlice(usedOfExtent, bytes, 64);
    usedOfExtent += bytes;
    return page;
  }

  /**
   * Writes zeros, so that a full disk is found now: a mapped page without a place on the disk would
   * end the JVM when it is written to.
   */
  private void reserve(long offset, long bytes) throws IOException {
    for (long done = 0; done < bytes; ) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), bytes - done));
      done += channel.write(zeros, offset + done);
    }
  }

  @Override
  public synchronized void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new LlamaException("%s: cannot close the cache file: %s".formatted(directory, e), e);
    }
  }
}
