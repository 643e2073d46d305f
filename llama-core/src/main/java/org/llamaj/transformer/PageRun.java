package org.llamaj.transformer;

import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.llamaj.kernel.AttentionShape;

/** The pages of one sequence in one pool: those from a first to a last, without gaps. */
final class PageRun {
  private final PagePool pool;
  private Page[] pages = new Page[4];
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
  Page page(int index) {
    return pages[index - first];
  }

  /** Whether no page has been dropped. */
  boolean isWhole() {
    return first == 0;
  }

  /** The same pages for one more sequence. */
  PageRun fork() {
    PageRun fork = new PageRun(pool);
    fork.pages = Arrays.copyOf(pages, Math.max(pages.length, count));
    fork.first = first;
    fork.count = count;
    for (int i = 0; i < count; i++) {
      pool.share(pages[i]);
    }
    return fork;
  }

  /**
   * Makes room for a sequence to grow; a page that is begun and shared is copied for it.
   *
   * @param relief as in {@link PagePool#take}
   */
  void reserve(int length, int newLength, BooleanSupplier relief) {
    int begun = length / AttentionShape.PAGE_TOKENS - first;
    if (begun < count && begun >= 0 && pool.isShared(pages[begun])) {
      Page own = pool.take(relief);
      pool.copy(pages[begun], own);
      pool.release(pages[begun]);
      pages[begun] = own;
    }
    int end = Math.ceilDiv(newLength, AttentionShape.PAGE_TOKENS);
    while (first + count < end) {
      add(pool.take(relief));
    }
  }

  /** Adds a full page of another sequence. */
  void append(Page page) {
    pool.share(page);
    add(page);
  }

  /** Takes another page with the same content. */
  void replace(int index, Page page) {
    if (pages[index - first] != page) {
      pool.share(page);
      pool.release(pages[index - first]);
      pages[index - first] = page;
    }
  }

  private void add(Page page) {
    if (count == pages.length) {
      pages = Arrays.copyOf(pages, 2 * count);
    }
    pages[count] = page;
    count++;
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
