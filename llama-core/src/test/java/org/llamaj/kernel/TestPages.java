package org.llamaj.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** A sequence's cache in one layer. Fresh pages hold NaN, so that a read too far shows. */
public final class TestPages implements PageTable {

  private final List<MemorySegment> pages = new ArrayList<>();
  private final int layer;

  /**
   * @param arena owns the memory
   * @param shape layer and page size
   * @param tokens how many tokens there is room for
   */
  public TestPages(Arena arena, AttentionShape shape, int tokens) {
    this.layer = shape.layer();
    for (int first = 0; first < tokens; first += AttentionShape.PAGE_TOKENS) {
      pages.add(arena.allocate(shape.pageBytes(), 64).fill((byte) 0xFF));
    }
  }

  @Override
  public MemorySegment segment(int layer, int page) {
    if (layer != this.layer) {
      throw new IllegalArgumentException("pages of layer " + this.layer + ", not " + layer);
    }
    return pages.get(page);
  }

  @Override
  public long address(int layer, int page) {
    return segment(layer, page).address();
  }
}
