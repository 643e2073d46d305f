package org.llamaj.sampling;

import java.util.Arrays;

/** The last tokens of a text. */
final class RecentTokens {
  private final int limit;
  private int[] ring;
  private int seen;

  /**
   * @param limit how many; -1 for all
   */
  RecentTokens(int limit) {
    this.limit = limit;
    ring = new int[limit < 0 ? 256 : limit];
  }

  void add(int token) {
    if (ring.length == 0) {
      return;
    }
    if (limit < 0 && seen == ring.length) {
      ring = Arrays.copyOf(ring, 2 * seen);
    }
    ring[seen++ % ring.length] = token;
  }

  int size() {
    return Math.min(seen, ring.length);
  }

  /**
   * A token of these.
   *
   * @param ago 0 for the last one
   */
  int get(int ago) {
    return ring[(seen - 1 - ago) % ring.length];
  }

  /** The token that falls out with the next one, or -1. */
  int leaving() {
    return limit > 0 && seen >= limit ? ring[seen % limit] : -1;
  }
}
