package org.llamaj.tokenizer.bpe;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Finds byte strings by their content: a hash table with open addressing over strings that lie one
 * after another in one array. No object per string.
 */
public final class ByteStringTable {
  /** How many bytes an array must have after the last string in it: hashing reads whole longs. */
  public static final int PADDING = 8;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final byte[] bytes;
  private final int[] starts;

  /** Index + 1 in the low half, the upper half of the hash in the high half; 0 is free. */
  private long[] slots;

  private int size;

  ByteStringTable(byte[] bytes, int[] starts) {
    this.bytes = bytes;
    this.starts = starts;
    this.slots = new long[Math.max(16, Integer.highestOneBit(starts.length) * 4)];
  }

  /** Adds the string with an index, unless an equal one is there. */
  void add(int index) {
    long hash = hash(bytes, starts[index], starts[index + 1]);
    int slot = (int) hash & slots.length - 1;
    while (slots[slot] != 0) {
      if (matches(slots[slot], hash, bytes, starts[index], starts[index + 1])) {
        return;
      }
      slot = slot + 1 & slots.length - 1;
    }
    slots[slot] = hash & 0xffffffff_00000000L | index + 1;
    size++;
  }

  /** The number of strings. */
  int size() {
    return size;
  }

  /** The index of a string, or -1. */
  public int find(byte[] source, int from, int to) {
    return find(source, from, to, hash(source, from, to));
  }

  /** The index of a string whose hash is known, or -1. */
  int find(byte[] source, int from, int to, long hash) {
    int slot = (int) hash & slots.length - 1;
    while (slots[slot] != 0) {
      if (matches(slots[slot], hash, source, from, to)) {
        return (int) slots[slot] - 1;
      }
      slot = slot + 1 & slots.length - 1;
    }
    return -1;
  }

  private boolean matches(long slot, long hash, byte[] source, int from, int to) {
    if ((slot ^ hash) >>> 32 != 0) {
      return false;
    }
    int start = starts[(int) slot - 1];
    int length = to - from;
    if (starts[(int) slot] - start != length) {
      return false;
    }
    // Strings are short, and most are compared before Arrays.equals is compiled.
    for (int i = 0; i < length; i++) {
      if (bytes[start + i] != source[from + i]) {
        return false;
      }
    }
    return true;
  }

  /** The hash of a string; {@link #PADDING} bytes after it must be readable. */
  static long hash(byte[] source, int from, int to) {
    long hash = to - from;
    int at = from;
    for (; at + 8 <= to; at += 8) {
      hash = mix(hash ^ (long) LONG.get(source, at));
    }
    if (at < to) {
      long rest = (long) LONG.get(source, at) & -1L >>> 8 * (8 - (to - at));
      hash = mix(hash ^ rest);
    }
    return hash ^ hash >>> 29;
  }

  private static long mix(long x) {
    long product = x * 0x9e3779b97f4a7c15L;
    return product ^ product >>> 32;
  }
}
