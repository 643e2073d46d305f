package org.llamaj.loading;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.llamaj.LlamaException;
import org.llamaj.kernel.PageMemory;

/**
 * Pages of the key-value cache in memory that the system backs with huge pages, where it has them:
 * a long context is read from end to end for each token, and with huge pages its addresses are
 * translated once for 2 MiB instead of once for 4 KiB. Memory is reserved in larger pieces, but
 * what has not been written to takes none.
 */
final class HugePageCache implements PageMemory {
  private static final long PIECE = 32L << 20;

  private final Arena arena;
  private final PageMemory other;
  private MemorySegment piece = MemorySegment.NULL;
  private long taken;
  private boolean available = true;

  private HugePageCache(Arena arena, PageMemory other) {
    this.arena = arena;
    this.other = other;
  }

  /**
   * Memory for cache pages.
   *
   * @param arena owns it
   * @return with huge pages if this module may call the system
   */
  static PageMemory of(Arena arena) {
    PageMemory other = PageMemory.of(arena);
    boolean mayAsk = HugePageCache.class.getModule().isNativeAccessEnabled();
    return mayAsk ? new HugePageCache(arena, other) : other;
  }

  @Override
  public synchronized MemorySegment allocate(long bytes) {
    if (available && taken + bytes > piece.byteSize()) {
      reserve(Math.max(bytes, PIECE));
    }
    if (!available) {
      return other.allocate(bytes);
    }
    MemorySegment page = piece.asSlice(taken, bytes);
    taken += bytes;
    return page;
  }

  private void reserve(long bytes) {
    try {
      piece = HugePages.allocate(bytes, arena);
      taken = 0;
    } catch (LlamaException e) {
      // No huge pages here, or no such amount of memory: a single page may still fit in.
      available = false;
    }
  }
}
