package org.llamaj.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.LlamaException;

/**
 * Where the pages of the key-value cache come from. Pages are used again within a model and given
 * back at its end. What a page holds is written and read by kernels; others copy, save and restore
 * it by way of this interface, since the memory may be that of a device. Thread-safe.
 */
public interface PageMemory extends AutoCloseable {

  /**
   * Makes room for one more page.
   *
   * @param bytes size of the page, a multiple of 64
   * @return zeroed memory, 64-byte aligned; of size 0, an address only, if it is a device's
   * @throws LlamaException if there is no room
   */
  MemorySegment allocate(long bytes);

  /**
   * Copies a page.
   *
   * @param source a page of this memory
   * @param target another one of the same size
   * @param bytes the size
   */
  default void copy(MemorySegment source, MemorySegment target, long bytes) {
    MemorySegment.copy(source, 0, target, 0, bytes);
  }

  /**
   * Reads a part of a page.
   *
   * @param page of this memory
   * @param offset where to begin, in bytes
   * @param target receives {@code count} bytes
   * @param count how many
   */
  default void read(MemorySegment page, long offset, byte[] target, int count) {
    MemorySegment.copy(page, ValueLayout.JAVA_BYTE, offset, target, 0, count);
  }

  /**
   * Writes a part of a page.
   *
   * @param page of this memory
   * @param offset where to begin, in bytes
   * @param source {@code count} bytes
   * @param count how many
   */
  default void write(MemorySegment page, long offset, byte[] source, int count) {
    MemorySegment.copy(source, 0, page, ValueLayout.JAVA_BYTE, offset, count);
  }

  /** Gives back what the arena that owns the memory does not. */
  @Override
  default void close() {}

  /**
   * Memory outside the heap.
   *
   * @param arena owns it
   * @return the memory
   */
  static PageMemory of(Arena arena) {
    return bytes -> {
      try {
        return arena.allocate(bytes, 64);
      } catch (OutOfMemoryError e) {
        throw new LlamaException(
            "the system has no memory for one more page of the key-value cache (%d KiB): close sequences, load with a shorter context or a smaller cache type, or keep the cache in a file (kvDirectory)"
                .formatted(bytes >> 10),
            e);
      }
    };
  }
}
