package org.llamaj.tokenizer.bpe;

import java.util.Arrays;

/**
 * The merge rules: for a pair of neighbouring symbols the rank of its rule (the lowest is applied
 * first) and the symbol it makes. A hash table with open addressing; keys and values lie side by
 * side.
 */
public final class MergeTable {
  /** What {@link #find} gives for a pair without a rule: a rank that no rule has. */
  static final long NONE = Long.MAX_VALUE;

  private long[] slots;
  private int size;

  /** Makes an empty table with room for some rules. */
  public MergeTable(int rules) {
    slots = new long[2 * Math.max(16, Integer.highestOneBit(rules + rules / 3) << 1)];
    Arrays.fill(slots, -1);
  }

  /** Adds a rule; of two rules for a pair the first stays. */
  public void add(int left, int right, int rank, int merged) {
    if (size >= slots.length / 8 * 3) {
      grow();
    }
    if (insert(key(left, right), (long) rank << 32 | merged)) {
      size++;
    }
  }

  /** The rank of the rule for a pair in the high half, the symbol it makes in the low half. */
  long find(int left, int right) {
    long key = key(left, right);
    int slot = slot(key);
    while (true) {
      long found = slots[slot];
      if (found == key) {
        return slots[slot + 1];
      }
      if (found == -1) {
        return NONE;
      }
      slot = slot + 2 & slots.length - 1;
    }
  }

  private boolean insert(long key, long value) {
    int slot = slot(key);
    while (slots[slot] != -1) {
      if (slots[slot] == key) {
        return false;
      }
      slot = slot + 2 & slots.length - 1;
    }
    slots[slot] = key;
    slots[slot + 1] = value;
    return true;
  }

  private void grow() {
    long[] old = slots;
    slots = new long[Math.multiplyExact(old.length, 2)];
    Arrays.fill(slots, -1);
    for (int i = 0; i < old.length; i += 2) {
      if (old[i] != -1) {
        insert(old[i], old[i + 1]);
      }
    }
  }

  private static long key(int left, int right) {
    return (long) left << 32 | right;
  }

  private int slot(long key) {
    long product = key * 0x9e3779b97f4a7c15L;
    return (int) (product >>> 32 ^ product >>> 15) << 1 & slots.length - 2;
  }
}
