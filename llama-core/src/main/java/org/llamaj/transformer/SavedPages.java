package org.llamaj.transformer;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import org.llamaj.kernel.AttentionShape;

/**
 * Cache pages in a file: how they are laid out, how many there are, their tokens, their bytes, page
 * by page with those of all pools together. Of a sequence that has outgrown an attention chunk, and
 * dropped pages, none are written.
 */
final class SavedPages {
  private static final int TOKENS = AttentionShape.PAGE_TOKENS;
  private static final int BUFFER = 1 << 16;

  private final KeyValueCache cache;
  private final byte[] buffer = new byte[BUFFER];

  SavedPages(KeyValueCache cache) {
    this.cache = cache;
  }

  /** Writes the full pages of the first tokens. */
  void save(DataOutputStream out, int[] tokens, int length, PageRun[] runs) throws IOException {
    out.writeUTF(cache.layout());
    boolean whole = true;
    for (PageRun run : runs) {
      whole &= run.isWhole();
    }
    int pages = whole ? length / TOKENS : 0;
    out.writeInt(pages);
    for (int i = 0; i < pages * TOKENS; i++) {
      out.writeInt(tokens[i]);
    }
    for (int i = 0; i < pages; i++) {
      for (int p = 0; p < runs.length; p++) {
        save(out, cache.pools().get(p), runs[p].page(i));
      }
    }
  }

  private void save(DataOutputStream out, PagePool pool, Page page) throws IOException {
    for (long done = 0; done < pool.pageBytes(); ) {
      int count = (int) Math.min(BUFFER, pool.pageBytes() - done);
      pool.read(page, done, buffer, count);
      out.write(buffer, 0, count);
      done += count;
    }
  }

  /** Fills the pages of an empty sequence; returns its tokens, none if the layouts differ. */
  int[] restore(DataInputStream in, int contextLength, PageRun[] runs) throws IOException {
    boolean same = in.readUTF().equals(cache.layout());
    int pages = in.readInt();
    if (!same || pages <= 0 || pages > contextLength / TOKENS) {
      return new int[0];
    }
    int[] tokens = new int[pages * TOKENS];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = in.readInt();
    }
    for (int i = 0; i < pages; i++) {
      for (int p = 0; p < runs.length; p++) {
        runs[p].reserve(i * TOKENS, (i + 1) * TOKENS, cache::evict);
        restore(in, cache.pools().get(p), runs[p].page(i));
        runs[p].dropUnseen((i + 1) * TOKENS);
      }
    }
    return tokens;
  }

  private void restore(DataInputStream in, PagePool pool, Page page) throws IOException {
    for (long done = 0; done < pool.pageBytes(); ) {
      int count = (int) Math.min(BUFFER, pool.pageBytes() - done);
      if (in.readNBytes(buffer, 0, count) < count) {
        throw new EOFException("the last page is cut short");
      }
      pool.write(page, done, buffer, count);
      done += count;
    }
  }
}
