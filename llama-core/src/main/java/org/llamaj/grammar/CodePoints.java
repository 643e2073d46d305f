package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A set of Unicode characters, without surrogates.
 *
 * @param ranges sorted, disjoint, not touching
 */
record CodePoints(List<Range> ranges) {
  static final CodePoints ALL = of(new Range(0, Character.MAX_CODE_POINT));

  /**
   * Characters from one to another, both inclusive.
   *
   * @param first the first
   * @param last the last
   */
  record Range(int first, int last) {}

  /** Sorts, merges, and leaves surrogates out. */
  CodePoints {
    List<Range> pieces = new ArrayList<>();
    for (Range range : ranges) {
      add(pieces, range.first, Math.min(range.last, Character.MIN_SURROGATE - 1));
      add(pieces, Math.max(range.first, Character.MAX_SURROGATE + 1), range.last);
    }
    pieces.sort(Comparator.comparingInt(Range::first));
    List<Range> merged = new ArrayList<>();
    for (Range piece : pieces) {
      Range last = merged.isEmpty() ? null : merged.getLast();
      if (last != null && piece.first <= last.last + 1) {
        merged.set(merged.size() - 1, new Range(last.first, Math.max(last.last, piece.last)));
      } else {
        merged.add(piece);
      }
    }
    ranges = List.copyOf(merged);
  }

  private static void add(List<Range> pieces, int first, int last) {
    if (first <= last) {
      pieces.add(new Range(first, last));
    }
  }

  static CodePoints of(Range... ranges) {
    return new CodePoints(List.of(ranges));
  }

  static CodePoints of(int codePoint) {
    return of(new Range(codePoint, codePoint));
  }

  static CodePoints anyOf(String characters) {
    return new CodePoints(characters.codePoints().mapToObj(c -> new Range(c, c)).toList());
  }

  boolean contains(int codePoint) {
    return ranges.stream().anyMatch(r -> r.first <= codePoint && codePoint <= r.last);
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  CodePoints plus(CodePoints other) {
    List<Range> all = new ArrayList<>(ranges);
    all.addAll(other.ranges);
    return new CodePoints(all);
  }

  CodePoints complement() {
    List<Range> gaps = new ArrayList<>();
    int next = 0;
    for (Range range : ranges) {
      add(gaps, next, range.first - 1);
      next = range.last + 1;
    }
    add(gaps, next, Character.MAX_CODE_POINT);
    return new CodePoints(gaps);
  }

  CodePoints minus(CodePoints other) {
    return complement().plus(other).complement();
  }
}
