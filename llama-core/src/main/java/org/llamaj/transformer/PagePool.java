package org.llamaj.transformer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;
import org.llamaj.LlamaException;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.PageMemory;

/**
 * Pages of the key-value cache for the layers of one kind: those that see everything, or those with
 * the same attention chunk. A page holds {@link AttentionShape#PAGE_TOKENS} tokens of all these
 * layers. Grows on demand; pages that nobody holds any more are used again. Thread-safe.
 */
final class PagePool {

  /**
   * How far into a chunk the one before is kept, so that the last tokens can be taken back (as
   * speculative decoding does) without reading the chunk again.
   */
  static final int ROLLBACK_TOKENS = 256;

  private final PageMemory memory;
  private final int chunk;
  private final long pageBytes;
  private final Deque<Page> free = new ArrayDeque<>();
  private long allocated;
  private long used;

  /**
   * @param memory where pages come from
   * @param chunk the attention chunk of the layers, 0 for full attention
   * @param pageBytes of all the pool's layers together
   */
  PagePool(PageMemory memory, int chunk, long pageBytes) {
    this.memory = memory;
    this.chunk = chunk;
    this.pageBytes = pageBytes;
  }

  /**
   * A page for one holder.
   *
   * @param relief called where there is no memory; true if it has released a page
   */
  Page take(BooleanSupplier relief) {
    while (true) {
      try {
        return take();
      } catch (LlamaException e) {
        if (!relief.getAsBoolean()) {
          throw e;
        }
      }
    }
  }

  private synchronized Page take() {
    Page page = free.poll();
    if (page == null) {
      page = new Page(memory.allocate(pageBytes));
      allocated++;
    }
    page.holders = 1;
    used++;
    return page;
  }

  /** Fills a page with the content of another. */
  void copy(Page source, Page target) {
    memory.copy(source.memory, target.memory, pageBytes);
  }

  /** Reads a part of a page. */
  void read(Page page, long offset, byte[] target, int count) {
    memory.read(page.memory, offset, target, count);
  }

  /** Writes a part of a page. */
  void write(Page page, long offset, byte[] source, int count) {
    memory.write(page.memory, offset, source, count);
  }

  /** One more holder of a page. */
  synchronized void share(Page page) {
    page.holders++;
  }

  /** Whether a page has more than one holder, and must not be written to. */
  synchronized boolean isShared(Page page) {
    return page.holders > 1;
  }

  /** One holder less; a page without any can be taken again. */
  synchronized void release(Page page) {
    page.holders--;
    if (page.holders == 0) {
      used--;
      free.push(page);
    }
  }

  /** The first token that a sequence of this length has to keep. */
  int firstKept(int length) {
    return chunk == 0 ? 0 : firstOfChunk(Math.max(0, length - ROLLBACK_TOKENS));
  }

  /** The first token that the next token of a sequence of this length sees. */
  int firstSeen(int length) {
    return chunk == 0 ? 0 : firstOfChunk(length);
  }

  private int firstOfChunk(int position) {
    return position / chunk * chunk;
  }

  /** Whether the layers see everything, so that pages stay as long as their sequence. */
  boolean keepsAll() {
    return chunk == 0;
  }

  long pageBytes() {
    return pageBytes;
  }

  synchronized long pagesInUse() {
    return used;
  }

  synchronized long bytesAllocated() {
    return allocated * pageBytes;
  }

  /** The most pages that a sequence of this length holds, read in batches of this size. */
  long pagesFor(int length, int batchSize) {
    long tokens =
        chunk == 0 ? length : Math.min(length, (long) chunk + ROLLBACK_TOKENS + batchSize);
    return Math.ceilDiv(tokens, AttentionShape.PAGE_TOKENS) + (tokens < length ? 1 : 0);
  }
}
