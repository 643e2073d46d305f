package org.llamaj.tokenizer.bpe;

import java.util.Arrays;

/**
 * Applies the merge rules to the symbols of one word: always the rule with the lowest rank, and of
 * equal ones the leftmost. Short words are searched linearly, which is quickest there; long ones
 * keep the possible merges in a heap, O(n log n).
 *
 * <p>A merger is the work space of one call and is used by one thread.
 */
final class Merger {
  private static final int LINEAR = 48;

  private final MergeTable rules;
  private int[] symbols = new int[64];

  /** For each symbol, the rule for it and its right neighbour, as the table gives it. */
  private long[] pairs = new long[64];

  private int[] next = new int[0];
  private int[] previous = new int[0];

  /** Rank and position of possible merges, the lowest first. */
  private long[] heap = new long[0];

  private int heapSize;

  Merger(MergeTable rules) {
    this.rules = rules;
  }

  /** Where to put the symbols of a word with at most so many. */
  int[] symbols(int count) {
    if (count > symbols.length) {
      int length = Math.max(count, (int) Math.min(symbols.length * 2L, Integer.MAX_VALUE - 8));
      symbols = new int[length];
      pairs = new long[length];
    }
    return symbols;
  }

  /** Merges the first symbols in place and returns how many are left. */
  int merge(int count) {
    return count <= LINEAR ? mergeLinear(count) : mergeWithHeap(count);
  }

  private int mergeLinear(int count) {
    int[] s = symbols;
    long[] p = pairs;
    for (int i = 0; i + 1 < count; i++) {
      p[i] = rules.find(s[i], s[i + 1]);
    }
    int last = count - 1;
    while (last > 0) {
      int best = 0;
      long bestRank = p[0] >>> 32;
      for (int i = 1; i < last; i++) {
        long rank = p[i] >>> 32;
        if (rank < bestRank) {
          bestRank = rank;
          best = i;
        }
      }
      if (p[best] == MergeTable.NONE) {
        break;
      }
      s[best] = (int) p[best];
      for (int i = best + 1; i < last; i++) {
        s[i] = s[i + 1];
        p[i] = p[i + 1];
      }
      last--;
      if (best < last) {
        p[best] = rules.find(s[best], s[best + 1]);
      }
      if (best > 0) {
        p[best - 1] = rules.find(s[best - 1], s[best]);
      }
    }
    return last + 1;
  }

  private int mergeWithHeap(int count) {
    link(count);
    heapSize = 0;
    for (int i = 0; i + 1 < count; i++) {
      offer(i);
    }
    pairs[count - 1] = MergeTable.NONE;
    while (heapSize > 0) {
      long top = poll();
      int at = (int) top;
      long pair = pairs[at];
      // An entry of the past: its symbol is gone, or has another neighbour now.
      if (pair >>> 32 != top >>> 32) {
        continue;
      }
      int right = next[at];
      symbols[at] = (int) pair;
      pairs[right] = MergeTable.NONE;
      next[at] = next[right];
      if (next[at] < count) {
        previous[next[at]] = at;
        offer(at);
      } else {
        pairs[at] = MergeTable.NONE;
      }
      if (previous[at] >= 0) {
        offer(previous[at]);
      }
    }
    int left = 0;
    for (int i = 0; i < count; i = next[i]) {
      symbols[left++] = symbols[i];
    }
    return left;
  }

  private void link(int count) {
    if (next.length < count) {
      next = new int[count];
      previous = new int[count];
    }
    for (int i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
  }

  private void offer(int at) {
    long pair = rules.find(symbols[at], symbols[next[at]]);
    pairs[at] = pair;
    if (pair == MergeTable.NONE) {
      return;
    }
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, Math.max(256, heapSize + (heapSize >> 1)));
    }
    long entry = pair & 0xffffffff_00000000L | at;
    int child = heapSize++;
    while (child > 0) {
      int parent = child - 1 >>> 1;
      if (heap[parent] <= entry) {
        break;
      }
      heap[child] = heap[parent];
      child = parent;
    }
    heap[child] = entry;
  }

  private long poll() {
    long top = heap[0];
    long entry = heap[--heapSize];
    int parent = 0;
    while (true) {
      int child = 2 * parent + 1;
      if (child >= heapSize) {
        break;
      }
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= entry) {
        break;
      }
      heap[parent] = heap[child];
      parent = child;
    }
    heap[parent] = entry;
    return top;
  }
}
