package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.List;

/** Sets of characters as sequences of byte ranges: their encoding in UTF-8. */
final class Utf8Ranges {
  /** The last character of each encoded length. */
  private static final int[] LAST = {0x7f, 0x7ff, 0xffff, 0x10ffff};

  private Utf8Ranges() {}

  /**
   * Bytes from one to another, both inclusive.
   *
   * @param first 0 to 255
   * @param last 0 to 255
   */
  record Bytes(int first, int last) {}

  /** Each list stands for the encodings with its first byte in its first range, and so on. */
  static List<List<Bytes>> of(CodePoints set) {
    List<List<Bytes>> sequences = new ArrayList<>();
    for (CodePoints.Range range : set.ranges()) {
      int from = range.first();
      for (int length = 1; length <= 4 && from <= range.last(); length++) {
        int to = Math.min(range.last(), LAST[length - 1]);
        if (from <= to) {
          split(from, to, length, sequences);
          from = to + 1;
        }
      }
    }
    return sequences;
  }

  /** Cuts a range of one encoded length where continuation bytes would not be all or one. */
  private static void split(int from, int to, int length, List<List<Bytes>> into) {
    for (int level = 1; level < length; level++) {
      int mask = (1 << 6 * level) - 1;
      if ((from & ~mask) != (to & ~mask)) {
        if ((from & mask) != 0) {
          split(from, from | mask, length, into);
          split((from | mask) + 1, to, length, into);
          return;
        }
        if ((to & mask) != mask) {
          split(from, (to & ~mask) - 1, length, into);
          split(to & ~mask, to, length, into);
          return;
        }
      }
    }
    List<Bytes> sequence = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      sequence.add(new Bytes(encoded(from, length, i), encoded(to, length, i)));
    }
    into.add(sequence);
  }

  private static int encoded(int codePoint, int length, int index) {
    int bits = codePoint >> 6 * (length - 1 - index);
    if (index > 0) {
      return 0x80 | bits & 0x3f;
    }
    int lead = length == 1 ? 0 : 0xf00 >> length & 0xff;
    return lead | bits;
  }
}
