package org.llamaj.transformer;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import org.llamaj.kernel.AttentionShape;

/**
 * Cache pages in a file: how they are laid out, how many there are, their tokens, their bytes.
 * Models whose layers drop pages write none.
 */
final class SavedPages {
  private static final int TOKENS = AttentionShape.PAGE_TOKENS;
  private static final int BUFFER = 1 << 16;

  private final KeyValueCache cache;

  SavedPages(KeyValueCache cache) {
    this.cache = cache;
  }

  void save(DataOutputStream out, int[] tokens, int length, PageRun run) throws IOException {
    out.writeUTF(cache.layout());
    out.writeLong(pageBytes());
    int pages = cache.keepsAll() ? plainPages(tokens, length) : 0;
    out.writeInt(pages);
    for (int i = 0; i < pages * TOKENS; i++) {
      out.writeInt(tokens[i]);
    }
    byte[] buffer = new byte[BUFFER];
    for (int i = 0; i < pages; i++) {
      for (long done = 0; done < pageBytes(); ) {
        int count = (int) Math.min(BUFFER, pageBytes() - done);
        pool().read(run.page(i), done, buffer, count);
        out.write(buffer, 0, count);
        done += count;
      }
    }
  }

  /** Fills the pages of an empty sequence; returns its tokens, none if the layouts differ. */
  int[] restore(DataInputStream in, int contextLength, PageRun run) throws IOException {
    boolean same = in.readUTF().equals(cache.layout()) & in.readLong() == pageBytes();
    int pages = in.readInt();
    if (!same || pages <= 0 || pages > contextLength / TOKENS || !cache.keepsAll()) {
      return new int[0];
    }
    int[] tokens = new int[pages * TOKENS];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = in.readInt();
    }
    byte[] buffer = new byte[BUFFER];
    for (int i = 0; i < pages; i++) {
      run.reserve(i * TOKENS, (i + 1) * TOKENS, cache::evict);
      for (long done = 0; done < pageBytes(); ) {
        int count = (int) Math.min(BUFFER, pageBytes() - done);
        if (in.readNBytes(buffer, 0, count) < count) {
          throw new EOFException("the last page is cut short");
        }
        pool().write(run.page(i), done, buffer, count);
        done += count;
      }
    }
    return tokens;
  }

  private PagePool pool() {
    return cache.pools().getFirst();
  }

  private long pageBytes() {
    return pool().pageBytes();
  }

  /** Full pages before the first token that is none. */
  private static int plainPages(int[] tokens, int length) {
    int plain = 0;
    while (plain < length && tokens[plain] >= 0) {
      plain++;
    }
    return plain / TOKENS;
  }
}
