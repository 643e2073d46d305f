package org.llamaj.tokenizer.bpe;

import java.util.Arrays;

/**
 * Remembers how words were merged, since the words of a text repeat. Each word has one place;
 * whoever comes later takes it. Threads share it without locks: the entries are immutable, and a
 * lost one is only work done twice.
 */
final class WordCache {
  private static final int SLOTS = 1 << 15;
  private static final int LONGEST_WORD = 48;

  private record Entry(long hash, byte[] word, int[] ids) {}

  private final Entry[] entries = new Entry[SLOTS];

  /** The ids of a word, or null. */
  int[] find(byte[] source, int from, int to, long hash) {
    Entry entry = entries[(int) hash & SLOTS - 1];
    return entry != null
            && entry.hash == hash
            && Arrays.equals(entry.word, 0, entry.word.length, source, from, to)
        ? entry.ids
        : null;
  }

  /** Remembers the ids of a word: all that the list holds from an index on. */
  void put(byte[] source, int from, int to, long hash, IntList ids, int firstId) {
    if (to - from <= LONGEST_WORD) {
      entries[(int) hash & SLOTS - 1] =
          new Entry(hash, Arrays.copyOfRange(source, from, to), ids.toArray(firstId));
    }
  }
}
