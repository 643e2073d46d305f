package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.llamaj.kernel.AttentionShape;

/** The pages of one sequence in one pool: those from a first to a last, without gaps. */
final class PageRun {
  private final PagePool pool;
  private MemorySegment[] pages = new MemorySegment[4];
  private int first; // index of pages[0]
  private int count;

  PageRun(PagePool pool) {
    this.pool = pool;
  }

  /**
   * The page of this index.
   *
   * @throws IndexOutOfBoundsException if it was dropped, or never there
   */
  MemorySegment page(int index) {
    return pages[index - first];
  }

  /** Makes room for a sequence of this length. */
  void reserve(int length) {
    int end = Math.ceilDiv(length, AttentionShape.PAGE_TOKENS);
    while (first + count < end) {
      if (count == pages.length) {
        pages = Arrays.copyOf(pages, 2 * count);
      }
      pages[count] = pool.take();
      count++;
    }
  }

  /** Gives back what a sequence of this length will not see any more. */
  void dropUnseen(int length) {
    int needed = pool.firstKept(length) / AttentionShape.PAGE_TOKENS;
    int dropped = Math.min(needed - first, count);
    if (dropped <= 0) {
      return;
    }
    for (int i = 0; i < dropped; i++) {
      pool.release(pages[i]);
    }
    System.arraycopy(pages, dropped, pages, 0, count - dropped);
    Arrays.fill(pages, count - dropped, count, null);
    first += dropped;
    count -= dropped;
  }

  /**
   * To which length a sequence can be cut back: the one wished for, or the beginning of its chunk
   * if the pages before it have been dropped.
   */
  int resumable(int length) {
    int seen = pool.firstSeen(length);
    return seen / AttentionShape.PAGE_TOKENS < first ? seen : length;
  }

  /** Cuts back to a length that is {@linkplain #resumable resumable}. */
  void truncate(int length) {
    int end = Math.ceilDiv(length, AttentionShape.PAGE_TOKENS);
    while (count > 0 && first + count > end) {
      count--;
      pool.release(pages[count]);
      pages[count] = null;
    }
    if (count == 0) {
      first = pool.firstSeen(length) / AttentionShape.PAGE_TOKENS;
    }
  }
}
