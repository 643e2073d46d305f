package org.llamaj.loading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.llamaj.kernel.PageMemory;

/** Pages of the cache, whether or not the system has huge ones. */
class HugePageCacheTest {
  /** Not a divisor of a reserved piece, and more of them than fit into one. */
  private static final long BYTES = (3L << 20) + 64;

  private static final int PAGES = 24;

  @Test
  void pagesAreZeroedAlignedAndDoNotOverlap() {
    try (Arena arena = Arena.ofShared()) {
      PageMemory memory = HugePageCache.of(arena);
      List<MemorySegment> pages = new ArrayList<>();
      for (int i = 0; i < PAGES; i++) {
        MemorySegment page = memory.allocate(BYTES);
        assertThat(page.byteSize()).isEqualTo(BYTES);
        assertThat(page.address() % 64).isZero();
        assertThat(onlyHolds(page, 0)).as("page %d", i).isTrue();
        page.fill((byte) (i + 1));
        pages.add(page);
      }
      for (int i = 0; i < PAGES; i++) {
        assertThat(onlyHolds(pages.get(i), i + 1)).as("page %d", i).isTrue();
      }
    }
  }

  @Test
  void aPageMayBeLargerThanWhatIsReservedAtOnce() {
    try (Arena arena = Arena.ofShared()) {
      PageMemory memory = HugePageCache.of(arena);
      long bytes = 100L << 20;
      MemorySegment page = memory.allocate(bytes);
      page.set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) 1);
      assertThat(memory.allocate(64).get(ValueLayout.JAVA_BYTE, 0)).isZero();
    }
  }

  @Test
  void endsWithItsArena() {
    Arena arena = Arena.ofShared();
    MemorySegment page = HugePageCache.of(arena).allocate(64);
    arena.close();
    assertThatThrownBy(() -> page.get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  private static boolean onlyHolds(MemorySegment page, int value) {
    long bytes = page.byteSize();
    return page.get(ValueLayout.JAVA_BYTE, 0) == value
        && page.asSlice(0, bytes - 1).mismatch(page.asSlice(1)) == -1;
  }
}
