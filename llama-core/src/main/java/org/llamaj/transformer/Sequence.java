package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.LlamaException;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.PageTable;

/**
 * One conversation's tokens in the key-value cache. Cheap to open; give it back with {@link
 * #close}. Not thread-safe: one thread at a time.
 */
public final class Sequence implements AutoCloseable {
  private final PagePool pool;
  private final int contextLength;
  private final List<MemorySegment> pages = new ArrayList<>();
  private final PageTable table = new Pages();
  private int length;
  private boolean closed;

  Sequence(PagePool pool, int contextLength) {
    this.pool = pool;
    this.contextLength = contextLength;
  }

  /**
   * How many tokens have passed through the model; also the position of the next one.
   *
   * @return tokens in the cache
   */
  public int length() {
    return length;
  }

  /**
   * How many tokens the sequence can hold.
   *
   * @return the context length the model was loaded with
   */
  public int contextLength() {
    return contextLength;
  }

  /**
   * Forgets the tokens from a position on.
   *
   * @param newLength how many tokens stay, at most {@link #length}
   */
  public void truncate(int newLength) {
    if (newLength < 0 || newLength > length) {
      throw new IllegalArgumentException(
          "expected a length from 0 to %d, found %d".formatted(length, newLength));
    }
    length = newLength;
    int needed = pagesFor(newLength);
    while (pages.size() > needed) {
      pool.release(pages.removeLast());
    }
  }

  /** Gives the memory back to the model. */
  @Override
  public void close() {
    if (!closed) {
      truncate(0);
      closed = true;
    }
  }

  PageTable pageTable() {
    return table;
  }

  /** Makes room for tokens at positions up to {@code length + count - 1}. */
  void reserve(int count) {
    if (closed) {
      throw new LlamaException("the sequence is closed: open a new one");
    }
    if (count > contextLength - length) {
      throw new LlamaException(
          "the context of %d tokens is full: it holds %d, and %d more were given; load with a longer context or shorten the text"
              .formatted(contextLength, length, count));
    }
    int needed = pagesFor(length + count);
    while (pages.size() < needed) {
      pages.add(pool.take());
    }
  }

  void advance(int count) {
    length += count;
  }

  private static int pagesFor(int tokens) {
    return (tokens + AttentionShape.PAGE_TOKENS - 1) / AttentionShape.PAGE_TOKENS;
  }

  private final class Pages implements PageTable {
    @Override
    public MemorySegment segment(int layer, int page) {
      return pages.get(page).asSlice(pool.layerOffset(layer), pool.layerBytes(layer));
    }

    @Override
    public long address(int layer, int page) {
      return pages.get(page).address() + pool.layerOffset(layer);
    }
  }
}
