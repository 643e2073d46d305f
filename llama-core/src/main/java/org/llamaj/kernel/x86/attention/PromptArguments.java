package org.llamaj.kernel.x86.attention;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.x86.machine.Scratch;

/**
 * What {@link PromptAttentionCode} is told, in memory, and its room to work: one for each worker.
 *
 * <p>First come the arguments, then three words for each query: address of the query, of the
 * result, and two floats: the first slot beyond those it sees and the first it sees, each minus one
 * half and counted from the first page's start. Then the results, two floats for each query; then
 * the room.
 */
final class PromptArguments implements AutoCloseable {
  /** Queries that meet keys and values in registers together. */
  static final int TILE = 4;

  /** Most queries for which a page is turned into floats once. */
  static final int MOST_QUERIES = 128;

  // The first ones as page readers expect them.
  static final int PAGES = AttentionArguments.PAGES;
  static final int PAGE_COUNT = AttentionArguments.PAGE_COUNT;

  /** How many slots of the last page any query sees. */
  static final int LAST_SLOTS = AttentionArguments.VALUES + 8;

  /** How many pages, from the first on, all queries see whole. */
  static final int FULL_PAGES = LAST_SLOTS + 8;

  /** How many tiles of queries. */
  static final int TILES = FULL_PAGES + 8;

  /** Address of the tiles' room. */
  static final int ROOM = TILES + 8;

  /** Address of a page's keys or values as floats. */
  static final int FLOATS = ROOM + 8;

  static final int QUERIES = FLOATS + 8;
  static final int QUERY_BYTES = 24;
  static final int SOURCE = 0;
  static final int TARGET = 8;
  static final int LIMITS = 16;

  /**
   * Results: largest score of each query, in units of log 2, and its sum of 2^(score - largest).
   */
  static final int RESULTS = QUERIES + QUERY_BYTES * MOST_QUERIES;

  static final int RESULT_BYTES = 8;

  private static final int BYTES = (RESULTS + RESULT_BYTES * MOST_QUERIES + 63) / 64 * 64;

  private final Scratch scratch = new Scratch();

  /** On the heap, written to memory at once: single writes are slow while the JVM interprets. */
  private final long[] words = new long[RESULTS / 8];

  private int queries;
  private long spare;

  /** Begins with no queries. */
  void begin(AttentionShape shape) {
    long floats = (PromptAttentionCode.floatBytes(shape) + 63) / 64 * 64;
    long spareBytes = (4L * shape.headDim() + 63) / 64 * 64;
    long room = (long) MOST_QUERIES / TILE * PromptAttentionCode.tileBytes(shape);
    long address = scratch.address(BYTES + floats + spareBytes + room);
    words[FLOATS / 8] = address + BYTES;
    spare = address + BYTES + floats;
    words[ROOM / 8] = spare + spareBytes;
    queries = 0;
  }

  /**
   * Sets the pages.
   *
   * @param addresses where their addresses are
   * @param full how many all queries see whole
   * @param lastSlots how many slots of the last any query sees
   */
  void pages(long addresses, int count, int full, int lastSlots) {
    words[PAGES / 8] = addresses;
    words[PAGE_COUNT / 8] = count;
    words[FULL_PAGES / 8] = full;
    words[LAST_SLOTS / 8] = lastSlots;
  }

  /** Where in a page the keys and values of the head at hand begin. */
  void head(long keys, long values) {
    words[AttentionArguments.KEYS / 8] = keys;
    words[AttentionArguments.VALUES / 8] = values;
  }

  /** Adds a query. */
  void query(long source, long target, int startSlot, int endSlot) {
    int place = (QUERIES + QUERY_BYTES * queries) / 8;
    words[place + SOURCE / 8] = source;
    words[place + TARGET / 8] = target;
    words[place + LIMITS / 8] = bits(endSlot - 0.5f) | bits(startSlot - 0.5f) << 32;
    queries++;
  }

  private static long bits(float value) {
    return Float.floatToRawIntBits(value) & 0xFFFF_FFFFL;
  }

  /** Where they are, complete: the last tile is filled up with the last query. */
  long address() {
    words[TILES / 8] = Math.ceilDiv(queries, TILE);
    for (int i = queries; i % TILE != 0; i++) {
      int place = (QUERIES + QUERY_BYTES * i) / 8;
      System.arraycopy(words, place - QUERY_BYTES / 8, words, place, QUERY_BYTES / 8);
      words[place + TARGET / 8] = spare;
    }
    int length = (QUERIES + QUERY_BYTES * Math.ceilDiv(queries, TILE) * TILE) / 8;
    MemorySegment.copy(words, 0, scratch.memory(), ValueLayout.JAVA_LONG, 0, length);
    return scratch.memory().address();
  }

  float maximum(int query) {
    return scratch.memory().get(ValueLayout.JAVA_FLOAT, RESULTS + (long) RESULT_BYTES * query);
  }

  float sum(int query) {
    return scratch.memory().get(ValueLayout.JAVA_FLOAT, RESULTS + (long) RESULT_BYTES * query + 4);
  }

  @Override
  public void close() {
    scratch.close();
  }
}
