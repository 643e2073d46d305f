package org.llamaj.kernel.x86.attention;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What {@link AttentionCode} is told, in memory: one block of arguments for each worker. */
final class AttentionArguments {
  /** Most queries that are answered together. */
  static final int MOST_QUERIES = 6;

  static final int PAGES = 0;
  static final int PAGE_COUNT = 8;
  static final int KEYS = 16;
  static final int VALUES = 24;
  static final int SOURCES = 32;
  static final int TARGETS = SOURCES + 8 * MOST_QUERIES;

  /** First slot beyond those a query sees, minus one half, counted from the first page's start. */
  static final int ENDS = TARGETS + 8 * MOST_QUERIES;

  /** First slot a query sees, minus one half. */
  static final int STARTS = ENDS + 4 * 8;

  /** How many slots of the last page any query sees. */
  static final int LAST_SLOTS = STARTS + 4 * 8;

  /** Result: the largest score of each query, in units of log 2. */
  static final int MAXIMA = LAST_SLOTS + 8;

  /** Result: each query's sum of 2^(score - largest). */
  static final int SUMS = MAXIMA + 4 * 8;

  private static final int BYTES = SUMS + 4 * 8;

  private final MemorySegment memory;

  /**
   * The same on the heap, written to memory at once: single writes take a microsecond each as long
   * as the JVM interprets them.
   */
  private final long[] words = new long[MAXIMA / 8];

  AttentionArguments(Arena arena) {
    memory = arena.allocate(BYTES, 64);
  }

  /** Where they are, complete. */
  long address() {
    MemorySegment.copy(words, 0, memory, ValueLayout.JAVA_LONG, 0, words.length);
    return memory.address();
  }

  void pages(long addresses, int count) {
    words[PAGES / 8] = addresses;
    words[PAGE_COUNT / 8] = count;
  }

  /** Where in a page the keys and values of the head at hand begin. */
  void head(long keys, long values) {
    words[KEYS / 8] = keys;
    words[VALUES / 8] = values;
  }

  void query(int index, long source, long target, int startSlot, int endSlot) {
    words[SOURCES / 8 + index] = source;
    words[TARGETS / 8 + index] = target;
    setFloat(ENDS, index, endSlot - 0.5f);
    setFloat(STARTS, index, startSlot - 0.5f);
  }

  /** Two floats share a word, the first in its lower half. */
  private void setFloat(int place, int index, float value) {
    int word = place / 8 + index / 2;
    int shift = index % 2 * 32;
    long bits = Float.floatToRawIntBits(value) & 0xFFFF_FFFFL;
    words[word] = words[word] & ~(0xFFFF_FFFFL << shift) | bits << shift;
  }

  void lastSlots(int count) {
    words[LAST_SLOTS / 8] = count;
  }

  float maximum(int query) {
    return memory.get(ValueLayout.JAVA_FLOAT, MAXIMA + 4L * query);
  }

  float sum(int query) {
    return memory.get(ValueLayout.JAVA_FLOAT, SUMS + 4L * query);
  }
}
