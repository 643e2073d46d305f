package org.llamaj.kernel.x86;

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

  AttentionArguments(Arena arena) {
    memory = arena.allocate(BYTES, 64);
  }

  long address() {
    return memory.address();
  }

  void pages(long addresses, int count) {
    memory.set(ValueLayout.JAVA_LONG, PAGES, addresses);
    memory.set(ValueLayout.JAVA_LONG, PAGE_COUNT, count);
  }

  /** Where in a page the keys and values of the head at hand begin. */
  void head(long keys, long values) {
    memory.set(ValueLayout.JAVA_LONG, KEYS, keys);
    memory.set(ValueLayout.JAVA_LONG, VALUES, values);
  }

  void query(int index, long source, long target, int startSlot, int endSlot) {
    memory.set(ValueLayout.JAVA_LONG, SOURCES + 8L * index, source);
    memory.set(ValueLayout.JAVA_LONG, TARGETS + 8L * index, target);
    memory.set(ValueLayout.JAVA_FLOAT, ENDS + 4L * index, endSlot - 0.5f);
    memory.set(ValueLayout.JAVA_FLOAT, STARTS + 4L * index, startSlot - 0.5f);
  }

  void lastSlots(int count) {
    memory.set(ValueLayout.JAVA_LONG, LAST_SLOTS, count);
  }

  float maximum(int query) {
    return memory.get(ValueLayout.JAVA_FLOAT, MAXIMA + 4L * query);
  }

  float sum(int query) {
    return memory.get(ValueLayout.JAVA_FLOAT, SUMS + 4L * query);
  }
}
