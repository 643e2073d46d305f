package org.llamaj.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.llamaj.LlamaException;

/**
 * Where the pages of the key-value cache come from. Pages are used again within a model and given
 * back at its end. Thread-safe.
 */
public interface PageMemory extends AutoCloseable {

  /**
   * Makes room for one more page.
   *
   * @param bytes size of the page, a multiple of 64
   * @return zeroed memory, 64-byte aligned
   * @throws LlamaException if there is no room
   */
  MemorySegment allocate(long bytes);

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
