package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import org.llamaj.LlamaException;
import org.llamaj.kernel.PageTable;

/**
 * One conversation's tokens in the key-value cache. Cheap to open; give it back with {@link
 * #close}. Not thread-safe: one thread at a time.
 */
public final class Sequence implements AutoCloseable {
  private final KeyValueCache cache;
  private final PageRun[] runs; // one per pool of the cache
  private final int contextLength;
  private final PageTable table = new Pages();
  private int length;
  private boolean closed;

  Sequence(KeyValueCache cache, int contextLength) {
    this.cache = cache;
    runs = cache.pools().stream().map(PageRun::new).toArray(PageRun[]::new);
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
   * Forgets the tokens from a position on. Models with attention chunks keep only the last chunk of
   * most layers (and the one before for its first {@value PagePool#ROLLBACK_TOKENS} tokens), so a
   * sequence that is to end in an earlier chunk is cut back to the beginning of that chunk: the
   * tokens from there on have to be given again.
   *
   * @param newLength how many tokens should stay, at most {@link #length}
   * @return how many tokens stay, at most {@code newLength}; also the new {@link #length}
   */
  public int truncate(int newLength) {
    if (newLength < 0 || newLength > length) {
      throw new IllegalArgumentException(
          "expected a length from 0 to %d, found %d".formatted(length, newLength));
    }
    length = resumable(newLength);
    for (PageRun run : runs) {
      run.truncate(length);
    }
    return length;
  }

  /** The greatest length up to this one at which all layers have what they need. */
  private int resumable(int newLength) {
    int best = newLength;
    for (int i = 0; i < runs.length; i++) {
      int possible = runs[i].resumable(best);
      if (possible < best) {
        best = possible;
        i = -1; // ask all again
      }
    }
    return best;
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

  /**
   * Checks that more tokens fit into the context.
   *
   * @param count how many
   * @throws LlamaException if they do not, or the sequence is closed
   */
  public void requireRoom(int count) {
    if (closed) {
      throw new LlamaException("the sequence is closed: open a new one");
    }
    if (count > contextLength - length) {
      throw new LlamaException(
          "the context of %d tokens is full: it holds %d, and %d more were given; load with a longer context or shorten the text"
              .formatted(contextLength, length, count));
    }
  }

  /** Makes room for tokens at positions up to {@code length + count - 1}. */
  void reserve(int count) {
    requireRoom(count);
    for (PageRun run : runs) {
      run.reserve(length + count);
    }
  }

  void advance(int count) {
    length += count;
    for (PageRun run : runs) {
      run.dropUnseen(length);
    }
  }

  private final class Pages implements PageTable {
    @Override
    public MemorySegment segment(int layer, int page) {
      return runs[cache.poolOf(layer)].page(page).asSlice(cache.offset(layer), cache.bytes(layer));
    }

    @Override
    public long address(int layer, int page) {
      return runs[cache.poolOf(layer)].page(page).address() + cache.offset(layer);
    }
  }
}
