package org.llamaj.sampling;

/**
 * Moves the candidates with the largest keys to the front, without sorting the others: a heap of
 * the wanted size with its smallest at the root lets the others pass by.
 */
final class Selection {
  private final Candidates candidates;
  private final float[] keys;

  /** Arrays beside the candidates', whose values move with them. */
  private final float[][] companions;

  /**
   * @param keys by index: the logits, or one of the companions
   * @param companions arrays by index whose values move with the candidates
   */
  Selection(Candidates candidates, float[] keys, float[]... companions) {
    this.candidates = candidates;
    this.keys = keys;
    this.companions = companions;
  }

  /**
   * Sorts the largest of a range to its front.
   *
   * @param from first index of the range
   * @param to end of what will be in order
   * @param end end of the range
   */
  void sort(int from, int to, int end) {
    makeHeap(from, to);
    for (int i = to; i < end; i++) {
      if (before(from, i)) {
        swap(from, i);
        sink(from, 0, to - from);
      }
    }
    sortHeap(from, to);
  }

  void makeHeap(int from, int to) {
    int count = to - from;
    for (int i = count / 2 - 1; i >= 0; i--) {
      sink(from, i, count);
    }
  }

  void sortHeap(int from, int to) {
    for (int last = to - from - 1; last > 0; last--) {
      swap(from, from + last);
      sink(from, 0, last);
    }
  }

  /** Restores the heap below a node; nodes count from the start of the range. */
  void sink(int from, int node, int count) {
    int parent = node;
    while (true) {
      int child = 2 * parent + 1;
      if (child >= count) {
        return;
      }
      if (child + 1 < count && before(from + child + 1, from + child)) {
        child++;
      }
      if (!before(from + child, from + parent)) {
        return;
      }
      swap(from + parent, from + child);
      parent = child;
    }
  }

  /** True when a comes after b in the order wanted; of equals, the one of the higher id. */
  private boolean before(int a, int b) {
    return keys[a] < keys[b] || (keys[a] == keys[b] && candidates.id(a) > candidates.id(b));
  }

  private void swap(int a, int b) {
    candidates.swap(a, b);
    for (float[] values : companions) {
      float value = values[a];
      values[a] = values[b];
      values[b] = value;
    }
  }
}
