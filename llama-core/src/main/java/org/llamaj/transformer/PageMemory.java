package org.llamaj.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.llamaj.LlamaException;

/** Where the pages of the key-value cache come from. Pages are never given back before the end. */
interface PageMemory {

  /**
   * Makes room for one more page.
   *
   * @param bytes size of the page
   * @return zeroed memory, 64-byte aligned
   * @throws LlamaException if there is no room
   */
  MemorySegment allocate(long bytes);

  /**
   * Memory outside the heap.
   *
   * @param arena owns it
   */
  static PageMemory of(Arena arena) {
    return bytes -> {
      try {
        return arena.allocate(bytes, 64);
      } catch (OutOfMemoryError e) {
        throw new LlamaException(
            "the system has no memory for one more page of the key-value cache (%d KiB): close sequences, load with a shorter context or a smaller cache type, or keep the cache in a file"
                .formatted(bytes >> 10),
            e);
      }
    };
  }
}
